"""The API's query parameters: unknown ones are refused, naming the nearest known one."""

from datetime import timedelta

import pytest

from bookings.tests.acts import book
from bookings.tests.programs import fields, kind, program
from config.api import api

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

WRONG = ["x", "", "X" * 300, "utm_source", "page[size]", "sort[]", "\x00", "\ud800", "名前"]


def misspellings(name):
    return {name.upper(), name.title(), name.replace("_", "-"), f"{name}s", name[:-1]}


@pytest.fixture
def ask(alice, desk, soon):
    """Send a request as alice, with the path filled in."""
    booking = book(desk, alice, soon, soon + timedelta(hours=1))
    send = program(alice).send
    filled = {"{code}": str(booking.code), "{slug}": "loft"}

    def ask(method, path, query, body=None):
        for name, value in filled.items():
            path = path.replace(name, value)
        path = path.removeprefix("/api/v1")
        return send(method, f"{path}?{query}", body or ({} if method != "GET" else None))

    return ask


def operations():
    """Yield each operation: its method, its path, and its query parameters."""
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, operation in methods.items():
            taken = [p["name"] for p in operation["parameters"] if p["in"] == "query"]
            yield method.upper(), path, taken


def escaped(name):
    return "".join(f"%{byte:02x}" for byte in name.encode(errors="surrogatepass"))


def test_every_operation_refuses_what_it_does_not_know(ask):
    assert len(list(operations())) >= 12
    for method, path, taken in operations():
        for wrong in WRONG:
            answer = ask(method, path, f"{escaped(wrong)}=1")
            assert kind(answer) == (422, "invalid"), (method, path, wrong)
            (error,) = answer.json()["errors"]
            assert error["field"].startswith("query."), (method, path, wrong)
            assert all(name in error["message"] for name in taken), (method, path, wrong)


def test_every_misspelling_suggests_the_right_parameter(ask):
    tried = 0
    for method, path, taken in operations():
        for name in taken:
            for misspelt in misspellings(name) - set(taken):
                answer = ask(method, path, f"{misspelt}=1")
                assert f"Did you mean “{name}”?" in answer.json()["detail"], (path, misspelt)
                assert fields(answer) == [f"query.{misspelt}"]
                tried += 1
    assert tried > 40


def test_every_operation_accepts_its_own_parameters(ask):
    for method, path, taken in operations():
        answer = ask(method, path, "&".join(f"{name}=%00" for name in taken))
        if answer.status_code == 422:
            assert "is unknown" not in answer.text, (method, path)


def test_a_visitor_is_told_to_sign_in_first(db):
    assert kind(program(None).get("/bookings?stat=1")) == (401, "unauthenticated")


def test_a_wrong_parameter_changes_nothing(ask, alice):
    answer = ask("DELETE", "/bookings/{code}", "raeson=Rain")
    assert "Did you mean “reason”?" in answer.json()["detail"]
    assert alice.bookings.get().state == "CONFIRMED"


def test_many_wrong_names_get_a_short_answer(ask):
    answer = ask("GET", "/bookings", "&".join(f"{n:x}" * 30 + "=1" for n in range(900)))
    assert answer.status_code == 422
    assert len(answer.content) < 10_000


def test_a_body_where_none_is_taken_is_refused_so_that_nothing_in_it_is_lost(ask, alice):
    tried = 0
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                continue
            answer = ask(method.upper(), path, "", {"reason": "Rain"})
            assert (kind(answer), fields(answer)) == ((422, "invalid"), ["body"]), (method, path)
            assert "takes no body" in answer.json()["detail"]
            tried += 1
    assert tried > 6
    assert alice.bookings.get().state == "CONFIRMED"


def test_the_place_for_what_was_in_the_body_is_named(ask):
    answer = ask("DELETE", "/bookings/{code}", "", {"reason": "Rain"})
    assert "Its parameters belong in the URL: reason." in answer.json()["detail"]


@pytest.mark.parametrize("body", ["", "{}", " {}\n", "[]", "null"])
def test_programs_that_always_send_a_body_may(alice, body):
    assert program(alice).send_raw("GET", "/bookings", body.encode()).status_code == 200


@pytest.mark.parametrize(
    ("change", "message"),
    [({"note": "x" * 501}, "String should have at most 500 characters, not 501"),
     ({"guest_name": "x" * 151}, "String should have at most 150 characters, not 151")],
)  # fmt: skip
def test_a_text_that_is_too_long_is_counted_in_characters(alice, desk, soon, change, message):
    booking = book(desk, alice, soon, soon + timedelta(hours=1))
    (error,) = program(alice).patch(f"/bookings/{booking.code}", change).json()["errors"]
    assert error["message"] == message


def test_a_parameter_with_one_value_is_refused_twice(ask):
    """Otherwise the last would win, and nobody would know."""
    tried = {True: 0, False: 0}
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                if parameter["in"] != "query":
                    continue
                name, is_list = parameter["name"], parameter["schema"].get("type") == "array"
                answer = ask(method.upper(), path, f"{name}=1&{name}=1")
                refused = f"“{name}” has one value: give it once."
                assert (answer.json()["detail"] == refused) is not is_list, (method, path, name)
                tried[is_list] += 1
    assert tried[True] >= 3
    assert tried[False] > 15
