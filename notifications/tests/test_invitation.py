"""Invitations in mail: complete (RFC 5546), with growing sequence, and read alike by everybody."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation
from hypothesis import example, given
from hypothesis import settings as trials
from hypothesis import strategies as st

from bookings.deciding import services
from bookings.deciding.wish import Wish
from bookings.tests.acts import TEN, book, hours, local, move
from notifications.calendars.ics import Entry, invitation, printable, publication
from notifications.tests.calendars import calendar, read
from spaces.codes import new_code
from spaces.factories import PlaceFactory, PolicyFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

#: RFC 5546, 3.2: what must occur once, and what must not occur.
REQUIRED = {
    "REQUEST": {"ATTENDEE", "DTSTAMP", "DTSTART", "ORGANIZER", "SEQUENCE", "SUMMARY", "UID"},
    "CANCEL": {"ATTENDEE", "DTSTAMP", "ORGANIZER", "SEQUENCE", "STATUS", "UID"},
    "PUBLISH": {"DTSTAMP", "DTSTART", "ORGANIZER", "SUMMARY", "UID"},
}
FORBIDDEN = {
    "REQUEST": {"REQUEST-STATUS"},
    "CANCEL": {"REQUEST-STATUS", "VALARM"},
    "PUBLISH": {"ATTENDEE", "REQUEST-STATUS"},
}


def invite(booking, attendee="alice@example.com"):
    """Return the invitation of each event that has one."""
    events = booking.events.select_related("booking__place__space").order_by("sequence")
    return [
        invitation(event, organizer="Mesto <desk@example.com>", attendee=attendee)
        for event in events
    ]


def the_life_of(booking, alice, now):
    """Move a booking, then cancel it."""
    move(booking, now, TEN + hours(3))
    services.cancel(booking, by=alice, now=now + hours(1), reason="Flood")
    return invite(booking)


# --- What is in one


def test_an_invitation_says_what_was_booked(desk, alice, now, settings):
    settings.SITE_URL = "https://mesto.example"
    desk.space.address = "1 Dock Road; London"
    desk.space.save()
    booking = book(desk, alice, now, note="By the window,\nplease", party_size=1)
    (found,) = invite(booking)
    assert found.method == "REQUEST"
    (event,) = read(found.content)
    assert event.uid == f"{booking.code}@mesto"
    assert (event.starts_at, event.ends_at) == (TEN, TEN + hours(2))
    assert (event.status, event.sequence) == ("CONFIRMED", 1)
    assert event.summary == "Desk 1 · Loft"
    assert event.location == "Loft, 1 Dock Road; London"
    assert event.description == "1 person\nNote: By the window,\nplease"
    raw = calendar(found.content).events[0]
    assert raw["URL"] == f"https://mesto.example/bookings/{booking.code}/"
    assert raw["DTSTAMP"].dt == now
    assert (raw["CLASS"], raw["TRANSP"]) == ("PRIVATE", "OPAQUE")


def test_the_member_has_already_accepted(desk, alice, now):
    (found,) = invite(book(desk, alice, now), '"Al, Ice" <al+ice%x@example.com>')
    event = calendar(found.content).events[0]
    assert event["ATTENDEE"] == "mailto:al+ice%25x@example.com"
    assert dict(event["ATTENDEE"].params) == {
        "CN": "Al, Ice",
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "ACCEPTED",
        "RSVP": "FALSE",
    }
    assert (event["ORGANIZER"], event["ORGANIZER"].params["CN"]) == (
        "mailto:desk@example.com",
        "Mesto",
    )


def test_it_is_in_the_active_language(desk, alice, now):
    booking = book(desk, alice, now)
    with translation.override("ru"):
        (found,) = invite(booking)
    assert read(found.content)[0].summary == "Стол 1 · Loft"


# --- Its life


def test_the_uid_stays_and_the_sequence_grows(desk, alice, now, settings):
    booking = book(desk, alice, now)
    found = the_life_of(booking, alice, now)
    assert [each.method for each in found] == ["REQUEST", "REQUEST", "CANCEL"]
    events = [read(each.content)[0] for each in found]
    assert {event.uid for event in events} == {f"{booking.code}@mesto"}
    assert [event.sequence for event in events] == [1, 2, 3]
    settings.SITE_URL = "https://moved.example"
    assert read(invite(booking)[0].content)[0].uid == events[0].uid


def test_each_shows_the_booking_as_it_was_then(desk, alice, now):
    first, moved, cancelled = (
        read(each.content)[0] for each in the_life_of(book(desk, alice, now), alice, now)
    )
    assert (first.starts_at, moved.starts_at) == (TEN, TEN + hours(3))
    assert cancelled.starts_at == moved.starts_at
    assert (moved.status, cancelled.status) == ("CONFIRMED", "CANCELLED")
    assert cancelled.summary == "Cancelled: Desk 1 · Loft"
    assert "Reason: Flood" in cancelled.description


def test_a_cancelled_booking_takes_no_time(desk, alice, now):
    *_, cancelled = the_life_of(book(desk, alice, now), alice, now)
    assert calendar(cancelled.content).events[0]["TRANSP"] == "TRANSPARENT"


def test_a_former_place_keeps_its_name_in_the_readers_language(desk, alice, now):
    other = PlaceFactory.create(space=desk.space, number=9)
    booking = book(other, alice, now)
    move(booking, now, TEN, place=desk)
    with translation.override("ru"):
        assert read(invite(booking)[0].content)[0].summary == "Стол 9 · Loft"
    booking.booked_slots.filter(place=other).delete()
    other.delete()
    assert read(invite(booking)[0].content)[0].summary == "Desk 9 · Loft"


def test_nobody_is_invited_to_a_refused_booking(desk, alice, bob, now):
    book(desk, alice, now)
    refused = book(desk, bob, now)
    with pytest.raises(ValueError, match="REJECTED"):
        invite(refused)


def test_the_same_event_is_the_same_invitation_whenever_it_is_written(desk, alice, now):
    booking = book(desk, alice, now)
    assert invite(booking) == invite(booking)


# --- Complete


def test_invitations_are_complete(desk, alice, now):
    for found in the_life_of(book(desk, alice, now), alice, now):
        whole = calendar(found.content)
        assert whole["METHOD"] == found.method
        assert {"PRODID", "VERSION"} <= whole.keys()
        (event,) = whole.events
        assert REQUIRED[found.method] <= event.keys()
        assert not FORBIDDEN[found.method] & event.keys()
        assert not [name for name, value in event.items() if isinstance(value, list)]


def test_lines_are_as_long_as_they_may_be(desk, alice, now):
    found = invite(book(desk, alice, now, note="🪑" * 400))[0]
    lines = found.content.split(b"\r\n")
    assert lines.pop() == b""
    assert not [line for line in lines if len(line) > 75 or b"\n" in line or b"\r" in line]
    assert [line.decode() for line in lines]  # no character is cut in two


# --- Time

BERLIN, KATHMANDU, LORD_HOWE = "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("zone", "starts_at", "ends_at", "utc", "minutes"),
    [
        # The autumn night has 2:00–3:00 twice.
        (BERLIN, "2026-10-25T01:00+02:00", "2026-10-25T04:00+01:00", "2026-10-24T23:00", 240),
        (BERLIN, "2026-10-25T02:15+02:00", "2026-10-25T02:15+01:00", "2026-10-25T00:15", 60),
        (BERLIN, "2026-10-25T02:15+01:00", "2026-10-25T02:45+01:00", "2026-10-25T01:15", 30),
        # The spring night doesn't have it.
        (BERLIN, "2027-03-28T01:00+01:00", "2027-03-28T04:00+02:00", "2027-03-28T00:00", 120),
        (BERLIN, "2027-03-27T22:00+01:00", "2027-03-28T03:00+02:00", "2027-03-27T21:00", 240),
        # Midnight, a zone off by quarter hours, and one that changes by half an hour.
        (KATHMANDU, "2026-12-31T23:00+05:45", "2027-01-01T01:00+05:45", "2026-12-31T17:15", 120),
        (LORD_HOWE, "2027-04-04T01:00+11:00", "2027-04-04T03:00+10:30", "2027-04-03T14:00", 150),
        (LORD_HOWE, "2026-10-04T01:30+10:30", "2026-10-04T03:30+11:00", "2026-10-03T15:00", 90),
    ],
)
def test_nights_when_clocks_change_are_right(alice, zone, starts_at, ends_at, utc, minutes):
    midnight = datetime.min.time()
    space = open_space(opens_at=midnight, closes_at=midnight, time_zone=zone)
    PolicyFactory.create(space=space, step_minutes=15)
    starts_at, ends_at = local(space, starts_at), local(space, ends_at)
    booking = services.book(
        Wish(
            place=space.places.get(number=1),
            member=alice,
            starts_at=starts_at,
            ends_at=ends_at,
            party_size=1,
        ),
        by=alice,
        now=starts_at - timedelta(days=2),
    )
    (event,) = read(invite(booking)[0].content)
    assert (event.starts_at, event.ends_at) == (starts_at, ends_at)
    assert event.starts_at == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert event.ends_at - event.starts_at == timedelta(minutes=minutes)
    written = invite(booking)[0].content
    assert b"TZID" not in written
    assert f"DTSTART:{event.starts_at:%Y%m%dT%H%M%SZ}".encode() in written


# --- Whatever people write

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


@trials(max_examples=60, deadline=None)
@given(summary=ANY, note=ANY, name=ANY)
@example(summary="a\\n\\,;b\\", note="1\r\n2\r3\u2028\x0b4\\;\n\n", name='"q"^n\\')
@example(summary="שלום ⁧עולם⁩ مرحبا", note="👩‍👩‍👧‍👦" * 30, name="; , : \t")
@example(summary="BEGIN:VEVENT\nEND:VCALENDAR", note="\x00\x1f\x7f\x85", name="=?utf-8?")
def test_whatever_is_written_reads_back_the_same(summary, note, name):
    at = datetime(2026, 11, 25, tzinfo=UTC)
    entry = Entry(
        new_code(), 1, at, at, at, at + hours(1), "CONFIRMED", summary, name, note, "https://m/"
    )
    content = publication([entry], organizer="m@example.com", name=name)
    (event,) = read(content)
    assert (event.summary, event.description) == (printable(summary), printable(note))
    assert event.location == printable(name)
    assert max(map(len, content.split(b"\r\n"))) <= 75
    assert len(content.decode().splitlines()) == content.count(b"\r\n")
