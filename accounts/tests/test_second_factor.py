"""A code besides the password: setting it up, signing in, losing it."""

import re
from base64 import b32decode
from datetime import timedelta
from functools import partial
from html import unescape

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import services as people
from accounts.factories import PASSWORD, UserFactory
from accounts.factors import Authenticator, FactorEvent, RecoveryCode
from accounts.models import Session, User
from accounts.second import services, totp
from accounts.tests.programs import post
from accounts.tests.second_factor import app_of, code, forget_use
from bookings.tests.crowd import at_once

pytestmark = pytest.mark.django_db

LOGIN, SECOND, APP = "/accounts/login/", "/accounts/login/second/", "/accounts/factors/app/"


@pytest.fixture
def key(alice):
    return app_of(alice)[0]


def sign_in(client, passcode=None, *, login="alice", **more):
    """Take the first step, and the second if there is a code."""
    page = client.post(LOGIN, {"username": login, "password": PASSWORD, **more})
    return page if passcode is None else client.post(page["Location"], {"passcode": passcode})


def is_signed_in(client):
    return client.get("/accounts/profile/").status_code == 200


@pytest.mark.parametrize(
    ("at", "expected"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_standard(at, expected):
    """RFC 6238, appendix B; its codes have eight digits, of which ours are the last six."""
    assert totp.code_at(b"12345678901234567890", at // totp.STEP) == expected


# --- Setting it up


@pytest.mark.parametrize("passcode", ["٣٣٣٣١١", "²²²²²²", "абвгде", "🗝🗝🗝🗝🗝🗝"])
def test_other_letters_than_ours_are_a_wrong_code(client, alice, passcode):
    client.force_login(alice)
    page = client.get(APP)
    sent = {"passcode": passcode, "key": re.search(r'name="key" value="([^"]+)"', page.text)[1]}
    answer = client.post(APP, sent)
    assert answer.status_code == 422
    assert not Authenticator.objects.exists()


def test_an_app_is_set_up_by_a_first_code(client, alice):
    client.force_login(alice)
    page = client.get(APP)
    assert "<svg" in page.text
    text = re.search(r'<code class="key"[^>]*>([A-Z2-7 ]+)</code>', page.text)[1]
    key = b32decode(text.replace(" ", ""))
    sealed = unescape(re.search(r'name="key" value="([^"]+)"', page.text)[1])

    wrong = client.post(APP, {"key": sealed, "passcode": "000000"})
    assert wrong.status_code == 422
    assert text in wrong.text, "the same key, for an app that has scanned it"
    assert User.objects.get(pk=alice.pk).second_factor_at is None

    right = client.post(APP, {"key": sealed, "passcode": code(key)})
    assert right.status_code == 201
    codes = re.findall(r"^(?:.*>)?([a-z0-9]{4}(?:-[a-z0-9]{4}){3})", right.text, re.MULTILINE)
    assert len(set(codes)) == 10
    assert codes[0] not in client.get("/accounts/factors/").text
    assert "10 unused" in client.get("/accounts/factors/").text
    assert is_signed_in(client), "here; elsewhere the code is asked for"
    stored = str([*RecoveryCode.objects.values(), *Authenticator.objects.values()])
    assert codes[0].replace("-", "") not in stored
    assert text.replace(" ", "") not in stored


def test_a_key_is_only_taken_from_our_own_page_and_within_an_hour(client, alice, clock):
    client.force_login(alice)
    mine = totp.new_key()
    assert client.post(APP, {"key": "mine", "passcode": code(mine)}).status_code == 422
    sealed = totp.seal(mine)
    clock.passes(minutes=61)
    client.force_login(alice)
    page = client.post(APP, {"key": sealed, "passcode": code(mine)})
    assert page.status_code == 422
    assert not Authenticator.objects.exists()


def test_other_devices_are_asked_for_the_code_from_then_on(client, alice):
    client.force_login(alice)
    key, _codes = app_of(alice)
    assert client.get("/accounts/profile/")["Location"].startswith(LOGIN)
    page = client.get("/accounts/profile/", follow=True)
    assert page.redirect_chain[-1][0].startswith(SECOND)
    client.post(page.redirect_chain[-1][0], {"passcode": code(key)})
    assert is_signed_in(client)


# --- Signing in


def test_the_password_alone_signs_nobody_in(client, key):
    page = sign_in(client)
    assert page["Location"] == SECOND
    assert not is_signed_in(client)
    assert client.get("/api/v1/bookings").status_code == 401
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert not Session.objects.exclude(user=None).exists()


def test_password_and_code_sign_in_and_lead_where_one_wanted_to_go(client, key):
    page = sign_in(client, next="/bookings/history/")
    assert "next=%2Fbookings" in page["Location"] or "next=/bookings" in page["Location"]
    at = page["Location"]
    assert 'name="next" value="/bookings/history/"' in client.get(at).text
    page = client.post(at, {"passcode": code(key), "next": "/bookings/history/"})
    assert page["Location"] == "/bookings/history/"
    assert is_signed_in(client)


@pytest.mark.parametrize("typed", ["{0} {1}", "{0}-{1}", " {0}{1} "])
def test_blanks_in_a_code_make_no_difference(client, key, typed):
    text = code(key)
    sign_in(client, typed.format(text[:3], text[3:]))
    assert is_signed_in(client)


@pytest.mark.parametrize(("steps", "works"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(client, key, clock, steps, works):
    sign_in(client, code(key, steps=steps))
    assert is_signed_in(client) is works


def test_no_code_works_twice(key, alice, clock):
    first, second = Client(), Client()
    sign_in(first, code(key))
    page = sign_in(second, code(key))
    assert (is_signed_in(first), is_signed_in(second)) == (True, False)
    assert "was used already" in page.text
    page = sign_in(second, code(key, steps=-1))
    assert not is_signed_in(second), "nor one from before it"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_one_code_at_once_one_gets_in(alice):
    key, recovery = app_of(alice)
    now = timezone.now()
    for text in (code(key, now=now), recovery[0]):
        answers = at_once(*[partial(services.accepts, alice, text, now=now)] * 4)
        assert sorted(answers) == [False, False, False, True]


def test_a_recovery_code_opens_once(client, alice):
    _key, codes = app_of(alice)
    page = sign_in(client, codes[0].upper().replace("-", " "))
    assert page.status_code == 302
    assert "Unused ones: 9" in client.get("/accounts/factors/").text
    other = Client()
    assert sign_in(other, codes[0]).status_code == 422
    assert not is_signed_in(other)
    sign_in(other, codes[1])
    assert is_signed_in(other)
    assert FactorEvent.objects.filter(user=alice, kind="CODE_USED").count() == 2


def test_guessing_codes_ends_soon_and_a_right_one_forgets_the_wrong(client, key, settings, clock):
    sign_in(client)
    for _try in range(settings.TRIES["code"]["login"] - 1):
        assert client.post(SECOND, {"passcode": "000000"}).status_code == 422
    assert client.post(SECOND, {"passcode": code(key)}).status_code == 302
    other = Client()
    sign_in(other)
    for _try in range(settings.TRIES["code"]["login"]):
        assert other.post(SECOND, {"passcode": "000000"}).status_code == 422
    page = other.post(SECOND, {"passcode": code(key, steps=1)})
    assert page.status_code == 429
    assert int(page["Retry-After"]) > 0
    assert not is_signed_in(other)


def test_the_first_step_is_forgotten_after_ten_minutes(client, key, clock):
    sign_in(client)
    clock.passes(minutes=11)
    assert client.post(SECOND, {"passcode": code(key)})["Location"] == LOGIN
    assert not is_signed_in(client)


def test_a_new_password_undoes_the_first_step(client, key, alice):
    sign_in(client)
    alice.set_password("another-long-one")
    alice.save()
    assert client.post(SECOND, {"passcode": code(key)})["Location"] == LOGIN
    assert not is_signed_in(client)


def test_nobody_comes_to_the_second_step_first(client, key):
    assert client.get(SECOND + "?next=/bookings/")["Location"] == f"{LOGIN}?next=%2Fbookings%2F"
    wrong = client.post(LOGIN, {"username": "alice", "password": "wrong"})
    assert wrong.status_code == 422, "only the right password tells of a second step"


def test_nobody_elses_code_signs_in(client, key):
    other, _codes = app_of(UserFactory(username="bob"))
    sign_in(client, code(other))
    assert not is_signed_in(client)


# --- Programs


def token(client, **more):
    return post(client, "/api/v1/auth/token", {"username": "alice", "password": PASSWORD, **more})


def test_a_program_sends_the_code_too(client, key):
    refused = token(client)
    assert (refused.status_code, refused.json()["code"]) == (401, "passcode_needed")
    assert token(client, passcode="000000").status_code == 401
    passcode = code(key)
    assert token(client, passcode=passcode).status_code == 201
    assert token(client, passcode=passcode).status_code == 401


def test_a_token_from_before_keeps_working(alice):
    from accounts.tests.programs import issue, program

    text = issue(alice)[1]
    app_of(alice)
    assert program(text).get("/api/v1/bookings").status_code == 200


# --- Removing, renewing, losing it


@pytest.fixture
def owner(client, alice, key):
    sign_in(client, code(key))
    forget_use(alice)
    return client


def test_the_password_is_asked_for_before_anything_is_taken_away(owner, clock):
    clock.passes(minutes=11)
    for path in ("/accounts/factors/app/remove/", "/accounts/factors/codes/"):
        assert owner.post(path)["Location"].startswith("/accounts/sure/")
    assert Authenticator.objects.exists()
    page = owner.post("/accounts/sure/", {"password": "wrong", "next": "/accounts/factors/codes/"})
    assert page.status_code == 422
    page = owner.post("/accounts/sure/", {"password": PASSWORD, "next": "/accounts/factors/codes/"})
    assert page["Location"] == "/accounts/factors/codes/"
    page = owner.get(page["Location"], follow=True)
    assert "Make new codes" in page.text
    assert owner.post("/accounts/factors/codes/").status_code == 201


def test_new_codes_replace_the_old_ones(owner, alice):
    old = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert owner.post("/accounts/factors/codes/").status_code == 201
    new = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert len(new) == 10
    assert not old & new


def test_without_the_app_the_password_is_enough_again(owner, alice):
    owner.post("/accounts/factors/app/remove/")
    alice.refresh_from_db()
    assert alice.second_factor_at is None
    assert not RecoveryCode.objects.exists()
    client = Client()
    sign_in(client)
    assert is_signed_in(client)


def test_a_manager_keeps_the_last_one_that_the_site_asks_for(owner, alice, settings):
    settings.SECOND_FACTOR_REQUIRED_OF = "everybody"
    owner.post("/accounts/factors/app/remove/")
    assert Authenticator.objects.filter(user=alice).exists()
    assert "Your role needs a second factor" in owner.get("/accounts/factors/").text


def test_the_operator_lets_somebody_in_again(client, key, alice, capsys):
    Client().force_login(alice)  # whoever found the phone
    assert Session.objects.filter(user=alice).exists()
    call_command("reset_second_factor", "ALICE")
    assert not Session.objects.filter(user=alice).exists()
    sign_in(client)
    assert is_signed_in(client)
    event = FactorEvent.objects.filter(user=alice).latest("pk")
    assert (event.kind, event.actor) == ("RESET", None)
    assert "taken away" in client.get("/accounts/factors/").text
    call_command("reset_second_factor", "alice")
    assert "has no second factor" in capsys.readouterr().out
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody")


def test_an_erased_account_keeps_none_of_it(key, alice):
    people.erase(alice, now=timezone.now())
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert not FactorEvent.objects.exists()


def test_a_new_key_of_the_site_reads_what_the_old_one_sealed(key, alice, client, settings):
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "a-new-key-that-is-long-enough-for-everything-0123456789"
    sign_in(client, code(key))
    assert is_signed_in(client)
    settings.SECRET_KEY_FALLBACKS = []
    assert services.accepts(alice, code(key, steps=1), now=timezone.now()) is False


def test_what_was_sent_is_kept_while_the_page_asks_again(client, alice, clock):
    client.force_login(alice)
    clock.passes(minutes=11)
    sent = {"name": "Tablet", "scope": "READ", "lifetime": "90"}
    sent["request_key"] = "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"
    asked = client.post("/accounts/tokens/", sent, follow=True)
    assert asked.redirect_chain[-1][0].startswith("/accounts/sure/")
    assert "Tablet" in asked.text
    page = client.post(
        "/accounts/sure/", {"password": PASSWORD, "next": "/accounts/tokens/"}, follow=True
    )
    assert 'name="name" value="Tablet"' in page.text
    assert not alice.api_tokens.exists()
    assert client.post("/accounts/tokens/", sent).status_code == 201


def test_being_sure_ends_after_ten_minutes(client, alice, clock):
    client.force_login(alice)
    clock.now += timedelta(minutes=9, seconds=59)
    assert client.get(APP).status_code == 200
    clock.passes(seconds=2)
    assert client.get(APP)["Location"] == "/accounts/sure/?next=%2Faccounts%2Ffactors%2Fapp%2F"
