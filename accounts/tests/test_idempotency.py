"""`Idempotency-Key`: a repeated request is carried out once and gets the same answer."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.db.models import F
from django.http import HttpResponse, JsonResponse
from django.urls import path
from ninja import Body

from accounts.api import idempotency
from accounts.api.auth import SIGNED_IN
from accounts.api.problems import ApiProblem
from accounts.models import IdempotencyKey
from accounts.tests.programs import issue, post, program
from bookings.tests.crowd import at_once
from config.api import MestoAPI, problem
from config.urls import handler500

__all__ = ["handler500"]

pytestmark = [pytest.mark.urls(__name__), pytest.mark.django_db]

URL = "/api/trial/work"

api = MestoAPI(urls_namespace="trial", docs_url=None, openapi_url=None)
api.exception_handler(ApiProblem)(problem)

carried_out = []  # each one's key for a service
statuses = []  # of the next answers; 201 when empty


@api.post("/work", auth=SIGNED_IN)
@idempotency.idempotent
def work(request, body: Body[dict]) -> HttpResponse:
    carried_out.append(idempotency.request_key(request))
    status = statuses.pop(0) if statuses else 201
    if status == 500:
        raise RuntimeError("broken on purpose")
    headers = {"Location": f"/api/trial/{len(carried_out)}", "X-Other": "1"}
    return JsonResponse({"n": len(carried_out), **body}, status=status, headers=headers)


urls = api.urls
for pattern in urls[0]:
    pattern.callback.login_required = False
urlpatterns = [path("api/trial/", urls)]


@pytest.fixture(autouse=True)
def nothing_done():
    carried_out.clear()
    statuses.clear()


@pytest.fixture
def send(alice, clock):
    """Send a request as Alice, or with the token of somebody else."""
    _, alices = issue(alice)

    def do(key="one", text=alices, **body):
        sender = program(text)
        sender.raise_request_exception = False
        return post(sender, URL, body, **({} if key is None else {"idempotency-key": key}))

    return do


def codes(*answers):
    return [(answer.status_code, answer.json()["code"]) for answer in answers]


def time_passes(**passed):
    then = timedelta(**passed)
    IdempotencyKey.objects.update(
        created_at=F("created_at") - then, started_at=F("started_at") - then
    )


def first_still_runs():
    IdempotencyKey.objects.update(status=None, body="", headers={})


# --- Replay


def test_without_a_key_each_request_is_carried_out(send):
    assert [send(key=None).json()["n"] for _ in range(2)] == [1, 2]
    assert carried_out == [None, None]
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("status", [201, 202, 404, 409, 422])
def test_the_same_key_gets_the_same_answer(send, status):
    statuses.append(status)
    first, again = send(word="a"), send(word="a")
    assert (first.status_code, again.status_code) == (status, status)
    assert first.json() == again.json() == {"n": 1, "word": "a"}
    assert again["Location"] == "/api/trial/1"
    assert again["Content-Type"] == "application/json"
    assert len(carried_out) == 1


def test_a_replay_says_that_it_is_one(send):
    first, again = send(), send()
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert "no-store" in again["Cache-Control"]


def test_different_keys_are_different_requests(send):
    assert [send(key=key).json()["n"] for key in ("one", "two", "One", "one")] == [1, 2, 3, 1]
    assert len(set(carried_out)) == 3


def test_a_key_may_be_quoted(send):
    assert [send(key=key).json()["n"] for key in ("one", '"one"', " one ")] == [1, 1, 1]


def test_everyone_has_keys_of_their_own(send, bob):
    _, bobs = issue(bob)
    assert [send().json()["n"], send(text=bobs).json()["n"]] == [1, 2]


def test_two_tokens_of_a_person_share_their_keys(send, alice):
    _, other = issue(alice)
    assert [send().json()["n"], send(text=other).json()["n"]] == [1, 1]


@pytest.mark.parametrize("key", ["", " ", "a b", "ключ", "\x7f", "k" * 256])
def test_an_invalid_key_is_refused(send, key):
    answer = send(key=key.encode().decode("latin-1"))
    assert codes(answer) == [(422, "invalid")]
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert not carried_out


@pytest.mark.parametrize("key", ["k" * 255, "~", '"', "8e03978e-40d5-43dd-bc93-6894a57f9324"])
def test_a_key_is_any_visible_ascii(send, key):
    assert [send(key=key).json()["n"] for _ in range(2)] == [1, 1]


# --- Other content


def test_the_same_key_with_other_content_is_refused(send):
    send(word="a")
    assert codes(send(word="b")) == [(422, "idempotency_key_reused")]
    assert len(carried_out) == 1


def test_the_order_of_members_does_not_matter(send):
    assert send(a=1, b=2).json()["n"] == send(b=2, a=1).json()["n"]


def test_content_is_not_stored_legibly(send):
    send(word="a secret", n="")
    assert "a secret" not in IdempotencyKey.objects.get().fingerprint


# --- While the first is running, and after it has died


def test_while_the_first_is_running_the_second_waits(send):
    send()
    first_still_runs()
    time_passes(seconds=9)
    answer = send()
    assert codes(answer) == [(409, "still_running")]
    assert answer["Retry-After"] == "1"
    assert len(carried_out) == 1


def test_other_content_is_refused_even_while_the_first_is_running(send):
    send()
    first_still_runs()
    assert codes(send(word="b")) == [(422, "idempotency_key_reused")]


def test_a_request_whose_process_died_is_taken_over_with_its_code(send):
    send()
    first_still_runs()
    time_passes(seconds=11)
    assert send().json()["n"] == 2
    assert len(set(carried_out)) == 1  # by which a service finds what was committed
    assert carried_out[0].startswith("api:")
    assert send().json()["n"] == 2


@pytest.mark.django_db(transaction=True)
def test_only_one_of_many_takes_over(send):
    send()
    first_still_runs()
    time_passes(seconds=11)
    answers = at_once(*[send] * 8)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(carried_out) == 2


def test_a_failed_answer_lets_the_next_one_try_at_once(send):
    statuses.extend([500, 500])
    assert [send().status_code for _ in range(4)] == [500, 500, 201, 201]
    assert len(carried_out) == 3
    assert len(set(carried_out)) == 1


@pytest.mark.parametrize("status", [401, 403, 429])
def test_an_answer_not_about_the_request_is_not_stored(send, status):
    statuses.append(status)
    assert [send().status_code for _ in range(3)] == [status, 201, 201]
    assert len(carried_out) == 2


def test_a_body_that_is_not_json_claims_no_key(send, alice):
    _, text = issue(alice)
    headers = {"idempotency-key": "one"}
    answer = program(text).post(URL, "{", "application/json", headers=headers)
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert not IdempotencyKey.objects.exists()


# --- A day later


def test_a_key_lives_for_a_day(send):
    send()
    time_passes(hours=23, minutes=59)
    assert send().json()["n"] == 1


def test_yesterdays_key_is_a_new_one(send):
    send(word="a")
    time_passes(hours=24)
    assert send(word="b").json()["n"] == 2
    assert len(set(carried_out)) == 2
    assert IdempotencyKey.objects.count() == 1


# --- At once


@pytest.mark.django_db(transaction=True)
def test_sent_twenty_times_at_once_it_is_carried_out_once(send):
    answers = at_once(*[send] * 20)
    assert len(carried_out) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["n"] for answer in answers if answer.status_code == 201} == {1}
    assert {answer["Retry-After"] for answer in answers if answer.status_code == 409} <= {"1"}
    assert send().json()["n"] == 1


@pytest.mark.django_db(transaction=True)
def test_yesterdays_key_sent_many_times_at_once_is_carried_out_once(send):
    send()
    time_passes(days=2)
    answers = at_once(*[send] * 8)
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len(carried_out) == 2
