"""Sign-up, forgotten password and tokens: limited per hour, per address and per login."""

import re
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path

from accounts import tries
from accounts.factories import PASSWORD, UserFactory
from accounts.forgetting import forget_old_credentials
from accounts.models import Tally, User
from accounts.tests.programs import post
from accounts.tries import TooOften, spend
from bookings.tests.crowd import at_once

TOKEN = "/api/v1/auth/token"
FEW = {"address": 4, "login": 2}


@pytest.fixture(autouse=True)
def few(settings):
    settings.TRIES = {name: dict(FEW) for name in settings.TRIES}


# --- Counting


def test_an_address_and_a_login_have_limited_tries(db, now):
    for n in range(4):
        spend("sign-up", address="192.0.2.1", login=f"user{n}", now=now)
    with pytest.raises(TooOften):
        spend("sign-up", address="192.0.2.1", login="another", now=now)
    for n in range(2):
        spend("sign-up", address=f"192.0.2.{n + 2}", login="alice", now=now)
    with pytest.raises(TooOften) as stopped:
        spend("sign-up", address="192.0.2.4", login="ALICE ", now=now)
    assert stopped.value.seconds == 3600


def test_one_limit_used_up_leaves_others_alone(db, now):
    for _ in range(2):
        spend("sign-up", login="alice", now=now)
    spend("forgotten", login="alice", now=now)
    spend("sign-up", login="bob", now=now)


def test_after_an_hour_the_count_restarts_however_many_tries_there_were(db, now):
    spend("token", login="alice", now=now)
    for minute in range(1, 60):
        with suppress(TooOften):
            spend("token", login="alice", now=now + timedelta(minutes=minute))
    spend("token", login="alice", now=now + tries.WINDOW)


def test_who_it_was_is_hashed_and_a_worker_forgets_it(db, now):
    spend("token", address="192.0.2.1", login="alice", now=now)
    assert "alice" not in str(list(Tally.objects.values()))
    assert forget_old_credentials(now=now + timedelta(minutes=59)) == 0
    assert forget_old_credentials(now=now + tries.WINDOW) == 2
    assert not Tally.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_exactly_the_allowed_number_of_simultaneous_tries_get_through(now):
    def ask(n):
        return lambda: spend("token", address="192.0.2.1", login=f"user{n}", now=now)

    found = at_once(*(ask(n) for n in range(12)))
    assert found.count(None) == 4
    assert all(isinstance(error, TooOften) for error in found if error)


# --- The doors


def sign_up(login, client):
    return client.post(
        "/accounts/register/", {"username": login, "password1": PASSWORD, "password2": PASSWORD}
    )


def forgot(login, client):
    return client.post("/accounts/forgotten/", {"who": login})


def make_token(login, client):
    client.force_login(User.objects.get(username=login))
    fields = {"name": "x", "scope": "READ", "lifetime": "30", "request_key": uuid4()}
    return client.post("/accounts/tokens/", fields)


def token(login, client):
    return post(client, TOKEN, {"username": login, "password": PASSWORD})


def doors(*which):
    return pytest.mark.parametrize("door", which, ids=lambda door: door.__name__)


def statuses(door, pairs):
    """Each time with an empty cache, as in another process."""
    found = []
    for login, address in pairs:
        cache.clear()
        found.append(door(login, Client(REMOTE_ADDR=address)).status_code)
    return found


@pytest.fixture
def people(db):
    for n in range(6):
        UserFactory(username=f"user{n}", email=f"user{n}@example.org")


@pytest.mark.usefixtures("people")
@doors(sign_up, forgot, make_token, token)
def test_each_door_counts_per_address(door):
    asked = [(f"user{n}", "192.0.2.1") for n in range(6)]
    first, *others = statuses(door, asked)
    assert first != 429
    assert others == [first] * 3 + [429] * 2
    assert statuses(door, [("user5", "192.0.2.2")]) == [first]


@pytest.mark.usefixtures("people")
@doors(sign_up, forgot, make_token, token)
def test_each_door_counts_per_login(door):
    asked = [("user1", f"192.0.2.{n}") for n in range(4)]
    first, *others = statuses(door, asked)
    assert first != 429
    assert others == [first, 429, 429]


@pytest.mark.usefixtures("people")
def test_pages_and_programs_share_a_count():
    assert statuses(make_token, [("user1", "192.0.2.1")] * 2) == [201, 201]
    assert statuses(token, [("user1", "192.0.2.2")]) == [429]


@pytest.mark.usefixtures("people")
@doors(sign_up, forgot)
def test_an_unknown_login_is_counted_the_same(door):
    asked = [("nobody", f"192.0.2.{n}") for n in range(4)]
    assert statuses(door, asked)[2:] == [429, 429]


@pytest.mark.usefixtures("people")
def test_strangers_wrong_passwords_do_not_use_up_a_login():
    for n in range(3):
        client = Client(REMOTE_ADDR=f"192.0.2.{n}")
        assert post(client, TOKEN, {"username": "user1", "password": "wrong"}).status_code == 401
    assert statuses(token, [("user1", "192.0.2.9")]) == [201]


@pytest.mark.usefixtures("people")
@doors(sign_up, forgot, make_token)
def test_a_page_says_when_and_keeps_what_was_typed(door):
    for n in range(2):
        door("user1", Client(REMOTE_ADDR=f"192.0.2.{n}"))
    stopped = door("user1", Client(REMOTE_ADDR="192.0.2.9"))
    assert 3590 <= int(stopped["Retry-After"]) <= 3600
    assert "Try again in 60 minutes." in stopped.text
    assert 'value="user1"' in stopped.text or 'value="x"' in stopped.text


@pytest.mark.usefixtures("people")
def test_a_program_is_told_when():
    statuses(token, [("user1", "192.0.2.1")] * 2)
    stopped = token("user1", Client(REMOTE_ADDR="192.0.2.2"))
    assert stopped.json()["code"] == "too_many_requests"
    assert "Try again in" in stopped.json()["detail"]
    assert 3590 <= int(stopped["Retry-After"]) <= 3600


# --- Asking never reveals who has an account


@pytest.mark.usefixtures("people")
def test_a_known_and_an_unknown_login_take_the_same_statements(settings):
    settings.TRIES["forgotten"] = {"address": 100, "login": 100}

    def statements(who):
        with CaptureQueriesContext(connection) as found:
            forgot(who, Client())
        return [re.sub(r"'[^']*'|\d+", "?", query["sql"]) for query in found]

    nobody = statements("nobody")
    for who in ["user1", "user1@example.org", "nobody@example.org", "USER2"]:
        assert statements(who) == nobody


@pytest.mark.usefixtures("people")
def test_signing_up_with_an_address_that_somebody_has_is_like_with_any_other():
    def statements(login, email):
        fields = {"username": login, "password1": PASSWORD, "password2": PASSWORD, "email": email}
        with CaptureQueriesContext(connection) as found:
            answer = Client().post("/accounts/register/", fields)
        assert answer.status_code == 302
        return len(found)

    free = statements("carol", "carol@example.org")
    assert statements("dave", "user1@example.org") == free


# --- The password once more, of somebody who is signed in


def asking_for_it(client):
    """Walk the pages that a member can open; yield those with a form that asks for the password."""
    for pattern in urlpatterns_of_people():
        if "<" in str(pattern.pattern):
            continue
        path = f"/accounts/{pattern.pattern}"
        page = client.get(path)
        main = page.text.partition("<main")[2] if page.status_code == 200 else ""
        if 'autocomplete="current-password"' in main:
            yield path


def urlpatterns_of_people():
    from accounts.urls import urlpatterns as own
    from bookings.urls import urlpatterns as more

    prefix = "accounts/"
    yield from own
    for pattern in more:
        if str(pattern.pattern).startswith(prefix):
            yield path(str(pattern.pattern).removeprefix(prefix), pattern.callback)


def test_an_open_session_is_no_place_to_guess_the_password(client, alice, settings):
    settings.TRIES["password"] = {"login": 3}
    client.force_login(alice)
    pages = list(asking_for_it(client))
    assert pages == [
        "/accounts/password/",
        "/accounts/email/",
        "/accounts/sure/",
        "/accounts/delete/",
    ]
    wrong = {"old_password": "wrong", "password": "wrong", "email": "a@example.org"}
    for page in pages:
        Tally.objects.all().delete()
        found = [client.post(page, wrong).status_code for _ in range(4)]
        assert found == [422, 422, 422, 429]
        assert client.post(page, wrong | {"password": PASSWORD}).status_code == 429
