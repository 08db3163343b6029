"""Where somebody is signed in, and signing out there."""

import pytest
from django.test import Client

from accounts import devices
from accounts.factories import PASSWORD
from accounts.models import Session

pytestmark = pytest.mark.django_db

PAGE = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0 Mobile Safari/537.36"
)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (PHONE, "Safari on iPhone"),
        (ANDROID, "Chrome on Android"),
        (ANDROID + " EdgA/140.0", "Edge on Android"),
        ("curl/8", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_in_words(agent, words):
    assert devices.in_words(agent) == words


@pytest.mark.parametrize(
    ("address", "shown"),
    [("203.0.113.77", "203.0.113.*"), ("2001:db8:1:2::", "2001:db8:1:*"), (None, "")],
)
def test_an_address_without_its_end(address, shown):
    assert devices.shortened(address) == shown


def signed_in(agent, address="203.0.113.77"):
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    client.post("/accounts/login/", {"username": "alice", "password": PASSWORD})
    return client


def is_signed_in(client):
    return client.get("/accounts/profile/").status_code == 200


def code_of(client, device):
    [found] = [p for p in client.get(PAGE).context["sessions"] if p.device == device]
    return found.code


@pytest.fixture
def here(alice):
    return signed_in(FIREFOX)


def test_each_browser_is_listed_in_words(here, alice, bob, clock):
    signed_in(PHONE, "198.51.100.9")
    Client().force_login(bob)
    page = here.get(PAGE)
    assert [each.device for each in page.context["sessions"]] == [
        "Firefox on Windows",
        "Safari on iPhone",
    ]
    assert "this device" in page.text
    assert "198.51.100.*" in page.text
    assert "198.51.100.9" not in page.text
    for key in Session.objects.values_list("pk", flat=True):
        assert key not in page.text


def test_one_is_signed_out_and_no_other(here, alice):
    phone, tablet = signed_in(PHONE), signed_in(ANDROID)
    page = here.post(PAGE, {"end": code_of(here, "Safari on iPhone")}, follow=True)
    assert "1 device is signed out" in page.text
    assert [is_signed_in(each) for each in (here, phone, tablet)] == [True, False, True]
    again = here.post(PAGE, {"end": "nothing"}, follow=True)
    assert "signed out already" in again.text


def test_all_others_are_signed_out(here, alice):
    others = [signed_in(PHONE), signed_in(ANDROID)]
    here.post(PAGE, {"end": "all"})
    assert is_signed_in(here)
    assert [is_signed_in(each) for each in others] == [False, False]


def test_nobody_signs_another_out(here, alice, bob):
    other = Client()
    other.force_login(bob)
    other.post(PAGE, {"end": code_of(here, "Firefox on Windows")})
    other.post(PAGE, {"end": "all"})
    assert is_signed_in(here)


def test_what_a_new_password_has_ended_is_not_listed(here, alice):
    signed_in(PHONE)
    alice.set_password("another-long-one")
    alice.save()
    here.post("/accounts/login/", {"username": "alice", "password": "another-long-one"})
    assert len(here.get(PAGE).context["sessions"]) == 1


def test_when_it_was_seen_is_written_now_and_then(here, alice, clock, django_assert_num_queries):
    here.get(PAGE)
    before = Session.objects.get().seen_at
    clock.passes(minutes=9)
    with django_assert_num_queries(2):  # the person, the sessions
        here.get(PAGE)
    assert Session.objects.get().seen_at == before
    clock.passes(minutes=2)
    here.get(PAGE)
    assert Session.objects.get().seen_at > before


def test_a_session_of_the_release_before_is_listed_too(here, alice):
    Session.objects.update(seen_at=None)
    session = here.session
    del session["device"]
    session.save()
    Session.objects.update(seen_at=None)
    page = here.get(PAGE)
    assert [each.device for each in page.context["sessions"]] == ["Unknown browser"]
