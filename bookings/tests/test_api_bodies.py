"""Bodies that aren't bookings: a clear answer, no 500, nothing written."""

import json

import pytest

from bookings.models import Booking
from bookings.tests.programs import fields, kind, program, wish

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def alices(alice):
    return program(alice)


@pytest.fixture
def hosts(host):
    return program(host)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("note", "a\x00b"),
        ("note", "\ud800"),
        ("note", "x" * 501),
        ("note", None),
        ("note", 7),
        ("member", "\x00"),
        ("member", "\udfff"),
        ("guest_name", "\x00"),
        ("guest_name", "\ud83d"),
        ("guest_contact", "x" * 151),
        ("party_size", 0),
        ("party_size", -1),
        ("party_size", 2**31),
        ("party_size", 2**63),
        ("party_size", 10**400),
        ("party_size", 1.5),
        ("party_size", "many"),
        ("party_size", "2"),
        ("party_size", True),
        ("party_size", None),
        ("place", "1"),
        ("place", 1),
        ("place", {"code": "1"}),
        ("place", "\x00" * 36),
        ("colour", "red"),
        ("starts at", "red"),
    ],
)
def test_a_wrong_value_is_named(hosts, desk, soon, field, value):
    answer = hosts.post("/bookings", {**wish(desk, soon), field: value})
    assert (kind(answer), fields(answer)) == ((422, "invalid"), [f"body.{field}"])
    assert not Booking.objects.exists()


def test_every_wrong_value_is_named(alices):
    answer = alices.post("/bookings", {"party_size": 0, "note": 1})
    assert kind(answer) == (422, "invalid")
    assert sorted(fields(answer)) == [
        "body.note",
        "body.party_size",
        "body.starts_at",
    ]


def test_a_booking_is_of_a_place_or_the_house_chooses(alices, desk, soon):
    for missing in ({"place": None}, {"space": "loft"}):  # neither, and both
        answer = alices.post("/bookings", {**wish(desk, soon), **missing})
        assert (kind(answer), fields(answer)) == ((422, "invalid"), ["body"])
        assert "place or a space" in answer.text
    assert not Booking.objects.exists()


@pytest.mark.parametrize("body", [[], "booking", 1, True, [[]], {}, [{"place": 1}], {"\udead": 1}])
def test_a_body_of_another_shape_is_refused(alices, body):
    assert kind(alices.post("/bookings", body)) == (422, "invalid")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{",
        b"not json",
        b"\xff\xfe",
        b"\x00",
        b'{"note": "\xe9"}',
        '{"note": "€"}'.encode("utf-16"),
        b'{"party_size": ' + b"9" * 5000 + b"}",
        b'{"party_size": NaN}',
        b'{"party_size": Infinity}',
        b'{"party_size": 1e999}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"place=1&starts_at=2",
    ],
)
def test_what_is_not_json_is_refused(alices, content):
    answer = alices.send_raw("POST", "/bookings", content)
    assert kind(answer) in [(400, "malformed"), (422, "invalid")]
    again = alices.send_raw("POST", "/bookings", content, idempotency_key="again")
    assert kind(again) == kind(answer)


def test_a_duplicate_name_is_refused(alices, desk, soon):
    """Two parsers must not read one body differently (RFC 8259, section 4)."""
    content = '{"note": "once", ' + json.dumps(wish(desk, soon, note="twice"))[1:]
    answer = alices.send_raw("POST", "/bookings", content.encode())
    assert kind(answer) == (400, "malformed")


def test_a_body_can_be_too_large(alices):
    answer = alices.send_raw("POST", "/bookings", b" " * 3_000_000)
    assert kind(answer) == (413, "too_large")


def test_text_comes_back_as_it_was(alices, desk, soon):
    note = "\u202e\U0001f468\u200d\U0001f469 <b>'\"%s{{x}}\\ \x7f\r\n\ufffe"
    answer = alices.post("/bookings", wish(desk, soon, note=note))
    assert (answer.status_code, answer.json()["note"]) == (201, note)


def test_a_flood_of_names_is_not_answered_one_by_one(alices, desk, soon):
    content = {**wish(desk, soon), **{f"n{n}": 1 for n in range(10_000)}}
    answer = alices.post("/bookings", content)
    assert kind(answer) == (400, "malformed")
    assert len(answer.content) < 1_000
