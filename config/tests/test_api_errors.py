"""Errors as programs get them, from the server's edge to its core: all are problem documents.

People get pages for the same errors.
"""

import pytest
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import Client
from django.urls import path, re_path

from accounts.tests.programs import issue, program
from config.urls import handler400, handler403, handler404, handler500
from config.urls import urlpatterns as site

__all__ = ["handler400", "handler403", "handler404", "handler500"]

pytestmark = [pytest.mark.any_database, pytest.mark.urls(__name__), pytest.mark.django_db]

TOKEN = "/api/v1/auth/token"
BOOKINGS = "/api/v1/bookings"
RAISED = {
    "broken": RuntimeError("a secret of the code"),
    "unreachable": OperationalError("no database, on purpose"),
    "cut": InterfaceError("connection already closed"),
    "missing": Http404("a secret of the code"),
    "denied": PermissionDenied("a secret of the code"),
    "garbled": BadRequest("a secret of the code"),
}


@login_not_required
def fail(request, how):
    raise RAISED[how]


urlpatterns = [
    re_path(r"^api/fail/(?P<how>\w+)$", fail),
    path("fail/<str:how>", fail),
    *site,
]


@pytest.fixture
def client(db):
    return Client(raise_request_exception=False)


def problem(answer):
    """Return its kind, after checking what all problem documents promise (RFC 9457)."""
    found = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    assert found["status"] == answer.status_code
    assert found["type"] == f"/api/v1/problems#{found['code']}"
    assert found["title"]
    assert found["detail"]
    assert "secret" not in answer.text
    return answer.status_code, found["code"]


def is_page(answer):
    return answer["Content-Type"] == "text/html; charset=utf-8" and "<!doctype html>" in answer.text


# --- Whatever goes wrong


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("broken", (500, "server_error")),
        ("unreachable", (503, "unavailable")),
        ("cut", (503, "unavailable")),
        ("missing", (404, "not_found")),
        ("denied", (403, "forbidden")),
        ("garbled", (400, "malformed")),
    ],
)
def test_a_failure_is_a_problem_for_programs_and_a_page_for_people(client, how, expected):
    assert problem(client.get(f"/api/fail/{how}")) == expected
    page = client.get(f"/fail/{how}")
    assert (page.status_code, is_page(page)) == (expected[0], True)
    assert "secret" not in page.text


def test_while_the_database_is_down_the_answer_says_when_to_retry(client):
    assert client.get("/api/fail/unreachable")["Retry-After"] == "5"
    assert "Retry-After" not in client.get("/api/fail/broken")


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
@pytest.mark.parametrize("address", ["/api/", "/api/nothing", "/api/v1/", "/api/v2/bookings"])
def test_an_unknown_url_is_404(client, method, address):
    assert problem(getattr(client, method)(address)) == (404, "not_found")


@pytest.mark.parametrize("address", ["/api", "/apiary/", "/nothing/api/"])
def test_urls_that_only_look_like_the_apis_get_pages(client, address):
    page = client.get(address)
    assert page.status_code == 404
    assert is_page(page)


@pytest.mark.parametrize("code", ["1", "booking", "00000000-0000-0000-0000-00000000000g"])
def test_a_broken_code_names_nothing(alice, code):
    reader = program(issue(alice)[1])
    assert problem(reader.get(f"{BOOKINGS}/{code}")) in {(404, "not_found"), (422, "invalid")}


# --- Methods


@pytest.mark.parametrize(
    ("method", "address", "allowed"),
    [
        ("GET", TOKEN, "POST"),
        ("HEAD", TOKEN, "POST"),
        ("DELETE", BOOKINGS, "GET, POST"),
        ("OPTIONS", BOOKINGS, "GET, POST"),
        ("BREW", BOOKINGS, "GET, POST"),
    ],
)
def test_a_wrong_method_gets_a_list_of_the_right_ones(client, method, address, allowed):
    answer = client.generic(method, address)
    assert answer.status_code == 405
    assert sorted(answer["Allow"].split(", ")) == allowed.split(", ")
    if method != "HEAD":
        assert problem(answer) == (405, "method_not_allowed")


def test_head_answers_as_get_does(client, db):
    got, headed = client.get("/api/v1/spaces"), client.head("/api/v1/spaces")
    assert (headed.status_code, headed["ETag"]) == (200, got["ETag"])


def test_a_wrong_method_on_a_page_is_a_page(client):
    assert is_page(client.get("/accounts/language/"))


# --- What can't be read


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"username=alice&password=x",
        b'{"username": "alice", "username": "bob"}',
        b'{"days": NaN}',
        b"[" * 100_000,
        b'{"days": ' + b"9" * 5000 + b"}",
        '{"username": "alice"}'.encode("utf-16"),
    ],
)
def test_a_body_that_is_not_json_is_malformed(client, body):
    answer = client.generic("POST", TOKEN, body, "application/json")
    assert problem(answer) in {(400, "malformed"), (422, "invalid")}
    assert answer.status_code == (400 if body else 422)


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"alice"'])
def test_json_that_is_not_an_object_is_invalid(client, body):
    assert problem(client.generic("POST", TOKEN, body, "application/json")) == (422, "invalid")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-16",
        "application/json; charset=hex",
        "text/plain; charset=cp1251",
    ],
)
def test_another_encoding_is_malformed(client, content_type):
    assert problem(client.generic("POST", TOKEN, b"{}", content_type)) == (400, "malformed")


def test_the_content_type_of_the_body_makes_no_difference(client):
    answer = client.generic("POST", TOKEN, b"{}", "text/plain")
    assert problem(answer) == (422, "invalid")


def test_a_body_that_is_too_large_is_refused(client):
    body = b'{"username": "' + b"a" * 2_700_000 + b'"}'
    assert problem(client.generic("POST", TOKEN, body, "application/json")) == (413, "too_large")


def test_a_host_that_is_not_ours_is_refused(client):
    assert problem(client.get("/api/v1/spaces", headers={"host": "evil.example"})) == (
        400,
        "malformed",
    )
    assert is_page(client.get("/", headers={"host": "evil.example"}))


# --- Language and headers


def test_a_problem_is_in_the_readers_language(client):
    answer = client.get("/api/nothing", headers={"accept-language": "ru"})
    assert answer["Content-Language"] == "ru"
    assert answer.json()["code"] == "not_found"


@pytest.mark.parametrize("address", ["/api/nothing", "/api/fail/broken", "/api/v1/spaces"])
def test_the_sites_security_headers_are_on_the_apis_answers(client, address):
    answer = client.get(address)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert "default-src 'self'" in answer["Content-Security-Policy"]
