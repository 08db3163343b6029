"""Through the real sign-in page: password guessing is stopped, per login and per address."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.conf import settings as configured
from django.db.models import F
from django.test import Client, RequestFactory

from accounts.addresses import address_of
from accounts.factories import PASSWORD, UserFactory

URL = "/accounts/login/"


@pytest.fixture
def limits(settings, clock):
    settings.AXES_FAILURE_LIMIT = 3
    settings.ADDRESS_FAILURE_LIMIT = 7


def attempt(username="alice", password="wrong", address="192.0.2.1", agent="a browser"):
    """Try to sign in from a fresh browser, as another web process would see it."""
    client = Client(REMOTE_ADDR=address, headers={"user-agent": agent})
    return client.post(URL, {"username": username, "password": password})


def statuses(*attempts):
    return [attempt(**each).status_code for each in attempts]


def minutes_pass(minutes, seconds=0):
    """Move all attempts into the past."""
    passed = timedelta(minutes=minutes, seconds=seconds)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - passed)


def test_ten_failures_lock_a_login_and_a_hundred_an_address():
    assert configured.AXES_FAILURE_LIMIT == 10
    assert configured.ADDRESS_FAILURE_LIMIT == 100
    assert timedelta(minutes=15) == configured.AXES_COOLOFF_TIME


def test_a_login_is_locked_at_the_limit(alice, limits):
    assert statuses(*[{}] * 4) == [422, 422, 429, 429]


def test_a_correct_password_is_refused_while_the_login_is_locked(alice, limits):
    statuses(*[{}] * 3)
    assert attempt(password=PASSWORD).status_code == 429


def test_the_page_says_when_to_try_again(alice, limits):
    statuses(*[{}] * 3)
    minutes_pass(5)
    page = attempt()
    assert 9 * 60 < int(page.headers["Retry-After"]) <= 10 * 60
    assert "Try again in 10 minutes." in page.content.decode()
    minutes_pass(9)
    assert "Try again in 1 minute." in attempt().content.decode()


def test_trying_while_locked_does_not_extend_the_lock(alice, limits):
    statuses(*[{}] * 3)
    minutes_pass(14, seconds=50)
    assert attempt(password=PASSWORD).status_code == 429
    minutes_pass(0, seconds=11)
    assert attempt(password=PASSWORD).status_code == 302


def test_it_opens_again_after_the_cool_off(alice, limits):
    statuses(*[{}] * 3)
    minutes_pass(15, seconds=1)
    assert statuses({}, {"password": PASSWORD}) == [422, 302]


def test_other_addresses_and_browsers_count_for_the_same_login(alice, limits):
    assert statuses(
        {"address": "192.0.2.1"}, {"address": "192.0.2.2"}, {"agent": "another"}
    ) == [422, 422, 429]  # fmt: skip


@pytest.mark.parametrize("other", ["ALICE", "ａlice", " alice "])
def test_a_login_written_differently_is_the_same_login(alice, limits, other):
    assert statuses({}, {"username": other}, {}) == [422, 422, 429]


def test_an_unknown_login_is_locked_just_the_same(db, limits):
    assert statuses(*[{"username": "nobody"}] * 3) == [422, 422, 429]


def test_a_locked_login_leaves_others_at_the_address_open(alice, bob, limits):
    statuses(*[{}] * 3)
    assert attempt("bob", PASSWORD).status_code == 302


def test_alternating_logins_lock_the_address_at_its_limit(alice, bob, limits):
    guesses = [{"username": f"guess{number}"} for number in range(7)]
    assert statuses(*guesses) == [422] * 6 + [429]
    assert attempt("bob", PASSWORD).status_code == 429
    assert attempt("bob", PASSWORD, address="192.0.2.2").status_code == 302


def test_a_locked_address_opens_after_the_cool_off(bob, limits):
    statuses(*[{"username": f"guess{number}"} for number in range(7)])
    assert 14 * 60 < int(attempt("bob").headers["Retry-After"]) <= 15 * 60
    minutes_pass(15, seconds=1)
    assert attempt("bob", PASSWORD).status_code == 302


def test_the_time_named_is_when_the_oldest_failures_are_forgotten(db, limits):
    statuses(*[{"username": f"early{number}"} for number in range(3)])
    minutes_pass(10)
    statuses(*[{"username": f"late{number}"} for number in range(4)])
    assert 4 * 60 < int(attempt("bob").headers["Retry-After"]) <= 5 * 60


def test_signing_in_forgets_earlier_typos(alice, limits):
    assert statuses({}, {}, {"password": PASSWORD}, {}, {}) == [422, 422, 302, 422, 422]


def test_signing_in_with_your_own_account_does_not_allow_more_guesses(alice, bob, limits):
    own = {"username": "bob", "password": PASSWORD}
    assert statuses({}, {}, own, {}) == [422, 422, 302, 429]


def test_signing_in_with_your_own_account_does_not_unlock_the_address(bob, limits):
    guesses = [{"username": f"guess{number}"} for number in range(6)]
    assert statuses(*guesses, {"username": "bob", "password": PASSWORD}) == [422] * 6 + [302]
    assert attempt("one-more").status_code == 429


def test_the_whole_hundred_counts_for_an_address(db):
    guesses = [{"username": f"guess{number}"} for number in range(100)]
    assert statuses(*guesses) == [422] * 99 + [429]


def test_a_login_too_long_for_the_count_is_counted(db, limits):
    assert statuses(*[{"username": "ﷺ" * 150}] * 3) == [422, 422, 429]


def test_a_signed_in_person_stays_signed_in_while_their_login_is_locked(client, alice, limits):
    client.force_login(alice)
    statuses(*[{}] * 3)
    assert client.get("/accounts/profile/").status_code == 200


@pytest.mark.parametrize(
    ("remote", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("", None),
        ("192.0.2.1:8000", None),
    ],
)
def test_an_address_is_a_machine_or_an_ipv6_network(remote, counted):
    assert address_of(RequestFactory().get("/", REMOTE_ADDR=remote)) == counted


def test_clients_without_an_address_do_not_lock_each_other_out(bob, limits):
    guesses = [{"username": f"guess{number}", "address": ""} for number in range(8)]
    assert statuses(*guesses) == [422] * 8
    assert attempt("bob", PASSWORD, address="").status_code == 302


def test_a_superuser_unlocks_a_login_in_the_admin(client, alice, limits):
    statuses(*[{}] * 3)
    client.force_login(UserFactory(is_superuser=True))
    page = "/admin/axes/accessattempt/"
    assert "alice" in client.get(page).content.decode()
    chosen = {"action": "delete_selected", "_selected_action": AccessAttempt.objects.get().pk}
    client.post(page, {**chosen, "post": "yes"})
    assert attempt(password=PASSWORD).status_code == 302


def test_the_page_leads_back_to_where_the_person_wanted_to_go(alice, limits):
    statuses(*[{}] * 3)
    page = Client().post(f"{URL}?next=/bookings/", {"username": "alice", "password": PASSWORD})
    assert page.status_code == 429
    assert f'href="{URL}?next=%2Fbookings%2F"' in page.text
