"""`POST /api/v1/auth/token`: signing in by API."""

from datetime import datetime, timedelta

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.factories import PASSWORD
from accounts.models import ApiToken, IdempotencyKey
from accounts.tests.programs import issue, post, program
from bookings.tests.crowd import at_once

pytestmark = pytest.mark.any_database

URL = "/api/v1/auth/token"
BOOKINGS = "/api/v1/bookings"


@pytest.fixture
def sign_in(alice):
    """Ask for a token from a fresh program, as another web process would see it."""

    def send(key=None, address="192.0.2.1", **changes):
        body = {"username": "alice", "password": PASSWORD, **changes}
        headers = {"idempotency-key": key} if key else {}
        return post(Client(REMOTE_ADDR=address), URL, body, **headers)

    return send


@pytest.fixture
def limits(settings):
    settings.AXES_FAILURE_LIMIT = 3


def page(username="alice", password="wrong"):
    """Try the login page."""
    return Client(REMOTE_ADDR="192.0.2.1").post(
        "/accounts/login/", {"username": username, "password": password}
    )


def codes(*answers):
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


# --- Works


def test_login_and_password_give_a_token_that_works(sign_in, alice):
    answer = sign_in()
    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    token = answer.json()
    assert (token["token_type"], token["scope"]) == ("Bearer", "WRITE")
    assert program(token["token"]).get(BOOKINGS).status_code == 200
    assert tokens.find(token["token"], now=timezone.now()).user == alice


def test_the_token_is_listed_on_the_page_by_name(sign_in, client, alice):
    sign_in(name="Door tablet")
    client.force_login(alice)
    assert "Door tablet" in client.get("/accounts/tokens/").text


@pytest.mark.parametrize("login", ["ALICE", "ａlice"])
def test_a_login_is_the_same_in_different_case(sign_in, login):
    assert sign_in(username=login).status_code == 201


@pytest.mark.parametrize("scope", ["READ", "WRITE"])
def test_the_scope_is_as_requested(sign_in, scope):
    assert sign_in(scope=scope).json()["scope"] == scope
    assert ApiToken.objects.get().scope == scope


@pytest.mark.parametrize("days", [1, 365])
def test_it_expires_after_the_requested_days(clock, sign_in, days):
    ends = datetime.fromisoformat(sign_in(days=days).json()["expires_at"])
    assert ends == clock.now + timedelta(days=days)


def test_signing_in_is_recorded(clock, sign_in, alice):
    sign_in()
    alice.refresh_from_db()
    assert alice.last_login == clock.now


def test_no_session_is_started(sign_in):
    assert not sign_in().cookies


# --- Refused


@pytest.mark.parametrize(
    "changes", [{"password": "wrong"}, {"username": "nobody"}, {"password": ""}, {"username": ""}]
)
def test_wrong_credentials_are_401(sign_in, changes):
    answer = sign_in(**changes)
    assert codes(answer) == [(401, "wrong_credentials")]
    assert answer["WWW-Authenticate"] == 'Bearer realm="Mesto"'
    assert not ApiToken.objects.exists()


def test_a_closed_account_gets_no_token(sign_in, alice):
    get_user_model().objects.update(is_active=False)
    assert codes(sign_in()) == [(401, "wrong_credentials")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "a\x00"),
        ("username", "a" * 151),
        ("username", 1),
        ("username", "\ud800"),
        ("password", "p" * 4097),
        ("password", None),
        ("name", ""),
        ("name", "n" * 61),
        ("scope", "ADMIN"),
        ("days", 0),
        ("days", 366),
        ("days", "soon"),
        ("expires", "never"),
    ],
)
def test_a_wrong_value_is_named(sign_in, field, value):
    answer = sign_in(**{field: value})
    assert codes(answer) == [(422, "invalid")]
    assert [error["field"] for error in answer.json()["errors"]] == [f"body.{field}"]
    assert not ApiToken.objects.exists()


def test_a_member_with_fifty_tokens_gets_no_more(sign_in, alice):
    for _ in range(tokens.MOST):
        issue(alice)
    assert codes(*[sign_in(key="again") for _ in range(2)]) == [(409, "too_many_tokens")] * 2
    assert "You have 50 tokens." in sign_in().json()["detail"]


def test_other_methods_are_refused(client, db):
    answer = client.get(URL)
    assert codes(answer) == [(405, "method_not_allowed")]
    assert answer["Allow"] == "POST"


# --- Guessing


def test_ten_wrong_passwords_lock_the_login(sign_in):
    answers = [sign_in(password=f"guess{number}") for number in range(11)]
    wrong, closed = (401, "wrong_credentials"), (429, "login_locked")
    assert codes(*answers) == [wrong] * 9 + [closed] * 2
    assert 14 * 60 < int(answers[-1]["Retry-After"]) <= 15 * 60


def test_wrong_passwords_from_programs_lock_the_login_page(sign_in, limits):
    for _ in range(3):
        sign_in(username="ALICE", password="wrong")
    assert page(password=PASSWORD).status_code == 429
    assert codes(sign_in()) == [(429, "login_locked")]


def test_wrong_passwords_on_the_login_page_lock_programs_out(sign_in, limits):
    for _ in range(3):
        page()
    assert codes(sign_in()) == [(429, "login_locked")]


def test_signing_in_forgets_earlier_typos(sign_in, limits):
    wrong = {"password": "wrong"}
    tries = [sign_in(**changes).status_code for changes in (wrong, wrong, {}, wrong, wrong)]
    assert tries == [401, 401, 201, 401, 401]


def test_signing_in_with_your_own_account_does_not_unlock_anothers(sign_in, bob, limits):
    own = {"username": "bob"}
    wrong = {"password": "wrong"}
    tries = [sign_in(**changes).status_code for changes in (wrong, wrong, own, wrong)]
    assert tries == [401, 401, 201, 429]


# --- The same request again


def everything_stored():
    """Return all columns of all tables as one text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            found.append(str(cursor.fetchall()))
    return "\n".join(found)


def test_the_same_key_gets_the_same_token(sign_in):
    first, again = (sign_in(key="one") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again["Idempotency-Replayed"] == "true"
    assert ApiToken.objects.count() == 1


def test_the_text_of_a_token_is_in_no_table(sign_in):
    text = sign_in(key="one").json()["token"]
    plain = sign_in().json()["token"]
    stored = everything_stored()
    assert IdempotencyKey.objects.get().body in stored  # so we are looking in the right place
    assert tokens.digest(text) in stored
    for found in (text, plain, text.removeprefix(tokens.PREFIX), PASSWORD):
        assert found not in stored


def test_the_search_goes_through_every_table(db):
    with connection.cursor() as cursor:
        names = set(connection.introspection.table_names(cursor))
    assert {model._meta.db_table for model in apps.get_models()} <= names


def test_each_key_gets_a_token_of_its_own(sign_in):
    texts = {sign_in(key=key).json()["token"] for key in ("one", "two", "one", None)}
    assert len(texts) == ApiToken.objects.count() == 3


def test_the_same_key_with_other_content_is_refused(sign_in):
    sign_in(key="one")
    assert codes(sign_in(key="one", days=7)) == [(422, "idempotency_key_reused")]


def test_the_same_key_from_another_person_is_a_different_key(sign_in, bob):
    mine, theirs = sign_in(key="one"), sign_in(key="one", username="bob")
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["token"] != theirs.json()["token"]


def test_a_used_key_opens_nothing_without_the_password(sign_in):
    sign_in(key="one")
    assert codes(sign_in(key="one", password="wrong")) == [(401, "wrong_credentials")]


def test_a_request_that_died_before_its_answer_gets_its_token(sign_in):
    """The token is committed, but the answer was never stored."""
    first = sign_in(key="one").json()
    long_ago = timezone.now() - timedelta(minutes=2)
    IdempotencyKey.objects.update(status=None, body="", headers={}, started_at=long_ago)
    again = sign_in(key="one")
    assert (again.status_code, again.json()) == (201, first)
    assert ApiToken.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_sent_many_times_at_once_it_makes_one_token(sign_in):
    answers = at_once(*[lambda: sign_in(key="one")] * 8)
    assert {answer.status_code for answer in answers} <= {201, 409}
    texts = {answer.json()["token"] for answer in answers if answer.status_code == 201}
    assert len(texts) == ApiToken.objects.count() == 1
