"""`POST /api/v1/accounts`: signing up by API, under the page's rules."""

import json
import logging

import pytest
from django.test import Client

from accounts.api.idempotency import LEASE
from accounts.factories import PASSWORD, UserFactory
from accounts.models import IdempotencyKey, User
from accounts.tests.programs import post
from bookings.tests.crowd import at_once
from bookings.tests.programs import fields, kind

URL = "/api/v1/accounts"
BODY = {"username": "carol", "password": PASSWORD, "email": "carol@example.org"}


def join(key=None, address="192.0.2.1", language="en", **changes):
    headers = {"accept-language": language} | ({"idempotency-key": key} if key else {})
    return post(Client(REMOTE_ADDR=address), URL, {**BODY, **changes}, **headers)


# --- Works


def test_a_program_signs_somebody_up_who_can_sign_in(db):
    answer = join(username="Carol ")
    assert answer.status_code == 201
    assert answer.json() == {"username": "carol", "email": "carol@example.org"}
    user = User.objects.get()
    assert user.check_password(PASSWORD)
    assert {user.is_superuser, user.is_staff} == {False}
    assert not user.staff_roles.exists()
    token = post(Client(), "/api/v1/auth/token", {"username": "carol", "password": PASSWORD})
    assert token.status_code == 201


def test_the_email_may_be_left_out_and_the_language_is_kept(db):
    body = {"username": "carol", "password": PASSWORD}
    answer = post(Client(), URL, body, **{"accept-language": "ru"})
    assert answer.json() == {"username": "carol", "email": ""}
    assert User.objects.get().language == "ru"


def test_a_signed_in_person_may_sign_somebody_else_up(client, alice):
    client.force_login(alice)
    assert post(client, URL, BODY).status_code == 201
    assert client.get("/accounts/profile/").context["user"] == alice


# --- Refused, as on the page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "carol smith"),
        ("username", "c" * 151),
        ("username", "c\x00"),
        ("username", 1),
        ("password", "short"),
        ("password", "12345678901"),
        ("password", "password123"),
        ("password", "carol@example.org"),
        ("email", "nowhere"),
        ("email", f"{'c' * 250}@example.org"),
    ],
)
def test_what_the_page_refuses_is_refused_by_field(db, client, field, value):
    if isinstance(value, str) and len(value) < 150:
        page = {**BODY, "password1": PASSWORD, "password2": PASSWORD}
        page |= {"password1": value, "password2": value} if field == "password" else {field: value}
        assert client.post("/accounts/register/", page).status_code == 422
    answer = join(**{field: value})
    assert kind(answer) == (422, "invalid")
    assert set(fields(answer)) == {f"body.{field}"}
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("login", "code"),
    [
        ("alice", (409, "login_taken")),
        ("ＡＬＩＣＥ", (409, "login_taken")),
        ("a1ice", (409, "login_looks_taken")),
        ("mеmber", (422, "login_mixes_scripts")),
    ],
)
def test_a_login_that_nobody_can_have_gets_a_reason(alice, login, code):
    answer = join(username=login)
    assert kind(answer) == code
    assert fields(answer) == ["body.username"]
    assert User.objects.count() == 1


def test_an_unknown_field_is_refused(db):
    assert fields(join(is_superuser=True)) == ["body.is_superuser"]
    assert not User.objects.exists()


def test_sign_ups_are_counted_together_with_those_of_the_page(db, settings):
    settings.TRIES = {**settings.TRIES, "sign-up": {"address": 3, "login": 10}}
    page = {"password1": PASSWORD, "password2": PASSWORD}
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.post("/accounts/register/", {**page, "username": "one"})
    assert [join(username=name).status_code for name in ("two", "three")] == [201, 201]
    answer = join(username="four")
    assert kind(answer) == (429, "too_many_requests")
    assert 0 < int(answer["Retry-After"]) <= 3600
    refused = Client(REMOTE_ADDR="192.0.2.1").post(
        "/accounts/register/", {**page, "username": "four"}
    )
    assert refused.status_code == 429
    assert join(username="four", address="192.0.2.2").status_code == 201


# --- Sent again


def test_a_repeated_request_gets_the_same_answer_and_creates_nobody(db, settings):
    settings.TRIES = {**settings.TRIES, "sign-up": {"address": 1, "login": 1}}
    first, again = join(key="one"), join(key="one")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert User.objects.count() == 1


def test_knowing_login_and_key_but_not_the_password_reveals_nothing(db):
    join(key="one")
    assert kind(join(key="one", password=PASSWORD + "!")) == (409, "login_taken")
    assert kind(join(key="two")) == (409, "login_taken")
    assert kind(join()) == (409, "login_taken")


def test_a_key_belongs_to_one_account(db):
    assert [join(key="one", username=name).status_code for name in ("carol", "dave")] == [201, 201]


def test_an_invalid_key_creates_nobody(db):
    assert kind(join(key="half a key")) == (422, "invalid")
    assert not User.objects.exists()


def test_a_request_killed_before_its_answer_is_answered_on_repeat(db):
    join(key="one")
    row = IdempotencyKey.objects.get()
    IdempotencyKey.objects.update(status=None, body="", started_at=row.started_at - LEASE)
    answer = join(key="one")
    assert (answer.status_code, answer.json()["username"]) == (201, "carol")


@pytest.mark.django_db(transaction=True)
def test_sent_many_times_at_once_it_creates_one_person():
    answers = at_once(*[lambda: join(key="one")] * 4)
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses[0] == 201
    assert set(statuses) <= {201, 409}
    assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"still_running"}
    assert User.objects.count() == 1


# --- Secrets


def test_neither_the_log_nor_the_database_contains_the_password(db, caplog):
    caplog.set_level(logging.DEBUG)
    UserFactory.create(username="taken")
    for changes in ({"key": "one"}, {"username": "taken"}, {"email": "x"}, {"username": "a b"}):
        assert PASSWORD not in join(**changes).text
    assert PASSWORD not in caplog.text
    assert PASSWORD not in json.dumps(list(IdempotencyKey.objects.values()), default=str)


def test_other_methods_are_refused(db):
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        assert Client().generic(method, URL).status_code == 405
