"""What two independent programs read in a calendar, for tests."""

from dataclasses import dataclass
from datetime import datetime

import icalendar
from ical.calendar_stream import IcsCalendarStream

from bookings.tests.acts import TEN
from notifications.calendars import feeds


@dataclass(frozen=True)
class Read:
    """One event of a calendar."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    status: str
    sequence: int
    summary: str
    location: str
    description: str


def read(content):
    """Read a calendar with two parsers that share no code; they must agree on every event."""
    found, others = _by_icalendar(content), _by_ical(content)
    assert found == others
    return found


def calendar(content):
    """Parse a calendar for its properties."""
    found = icalendar.Calendar.from_ical(content)
    assert not found.errors
    assert not [event.errors for event in found.events if event.errors]
    return found


def _by_icalendar(content):
    return [
        Read(
            str(event["UID"]),
            event.start,
            event.end,
            str(event["STATUS"]),
            int(event["SEQUENCE"]),
            *(str(event[name]) for name in ("SUMMARY", "LOCATION", "DESCRIPTION")),
        )
        for event in calendar(content).events
    ]


def _by_ical(content):
    return [
        Read(
            event.uid,
            event.dtstart,
            event.dtend,
            event.status.value,
            event.sequence,
            event.summary,
            event.location,
            event.description,
        )
        for event in IcsCalendarStream.calendar_from_ics(content.decode()).events
    ]


def address(feed):
    return f"/calendars/{feeds.token_of(feed)}.ics"


def made(user, space=None, place=None):
    return feeds.make(user, space=space, place=place, now=TEN)
