"""Bookings as iCalendar: invitations for mail, and calendars of many (RFC 5545, 5546).

All instants are in UTC. Local time couldn't distinguish the two readings of the hour that repeats
when summer time ends (RFC 5545, 3.3.5), and UTC needs no time zone rules sent along.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from icalendar import Calendar, Event, vCalAddress, vText

from bookings.models import BookingEvent
from bookings.states import State
from bookings.words.representation import BookingData, places_of

PRODUCT = "-//Mesto//Mesto//EN"
REFRESH = timedelta(minutes=15)

STATUSES = {
    State.AWAITING_APPROVAL: "TENTATIVE",
    State.OFFERED: "TENTATIVE",
    State.CONFIRMED: "CONFIRMED",
    State.CHECKED_IN: "CONFIRMED",
    State.COMPLETED: "CONFIRMED",
    State.NO_SHOW: "CONFIRMED",
    State.CANCELLED: "CANCELLED",
}
METHODS = {
    BookingEvent.Kind.CONFIRMED: "REQUEST",
    BookingEvent.Kind.MOVED: "REQUEST",
    BookingEvent.Kind.KEPT: "REQUEST",
    BookingEvent.Kind.UNDONE: "REQUEST",
    BookingEvent.Kind.CANCELLED: "CANCEL",
}
#: What some readers take for the end of a line, though RFC 5545 doesn't.
LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
#: What TEXT may not contain (RFC 5545, 3.1: CONTROL). Line ends are newlines by then.
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Invitation:
    """The attachment of a mail; `method` belongs in its Content-Type too (RFC 6047, 2.4)."""

    method: str
    content: bytes


@dataclass(frozen=True)
class Entry:
    """One booking in a calendar: everything that is written about it."""

    code: UUID
    sequence: int
    created_at: datetime
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    state: str
    summary: str
    location: str
    description: str
    url: str


def invitation(event: BookingEvent, *, organizer: str, attendee: str, url: str = "") -> Invitation:
    """Write an event as an invitation, or as a cancellation, in the active language.

    `organizer` and `attendee` are mail addresses as in a header, with or without a name; `url` is
    the attendee's page of it, the member's by default.
    Needs `event.booking.place.space`. Raises ValueError for a rejection, which invites nobody.
    """
    if event.kind not in METHODS:
        raise ValueError(f"no invitation about {event.kind}")
    method = METHODS[BookingEvent.Kind(event.kind)]
    written = _event(entry_of(event, url=url), organizer=organizer)
    guest = _person(attendee)
    guest.params.update(
        {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    )
    written.add("attendee", guest)
    calendar = _calendar(method)
    calendar.add_component(written)
    return Invitation(method, _bytes(calendar))


def publication(
    entries: Iterable[Entry], *, organizer: str, name: str = "", time_zone: str = ""
) -> bytes:
    """Write bookings as a calendar to read (METHOD:PUBLISH); one with a name gets polled."""
    calendar = _calendar("PUBLISH")
    if name:
        # The names from RFC 7986, and those that apps used before it.
        calendar.add("name", vText(printable(name)))
        calendar.add("x-wr-calname", vText(printable(name)))
        calendar.add("color", "teal")
        calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
        calendar.add("x-published-ttl", "PT15M")
    if time_zone:
        calendar.add("x-wr-timezone", time_zone)
    for entry in entries:
        calendar.add_component(_event(entry, organizer=organizer))
    return _bytes(calendar)


def entry_of(event: BookingEvent, *, what: str = "", url: str = "") -> Entry:
    """Return a booking as it was then, with the current names of places and spaces.

    `what` replaces the place and its space, `url` the member's page. Needs
    `event.booking.place.space`.
    """
    booking, data = event.booking, event.data
    space, state = booking.place.space, data["state"]
    contacts = [] if what else space.contacts  # with its own `what`, it is for the staff
    what = what or f"{_place_name(event)} · {space.name}"
    return Entry(
        code=booking.code,
        sequence=event.sequence,
        created_at=booking.created_at,
        changed_at=event.at,
        starts_at=datetime.fromisoformat(data["starts_at"]).astimezone(UTC),
        ends_at=datetime.fromisoformat(data["ends_at"]).astimezone(UTC),
        state=state,
        # In words too: not every app shows the status.
        summary=_("Cancelled: %(what)s") % {"what": what} if state == State.CANCELLED else what,
        location=", ".join(filter(None, [space.name, space.address])),
        description=_description(data, reason=event.reason, contacts=contacts),
        url=url or f"{settings.SITE_URL}{booking.get_absolute_url()}",
    )


def uid_of(code: UUID) -> str:
    """Return the permanent id of a booking in calendars.

    Without the site's host: the site may move to another, and entries already in calendars must
    still be found then. The code alone is globally unique (RFC 7986, 5.3).
    """
    return f"{code}@mesto"


def printable(text: str) -> str:
    """Keep what TEXT can contain; anything that ends a line becomes a newline."""
    return CONTROLS.sub("", LINE_ENDS.sub("\n", text))


def people(n: int) -> str:
    return ngettext("%(n)d person", "%(n)d people", n) % {"n": n}


def _place_name(event: BookingEvent) -> str:
    """Return the name of an event's place; the booking may have moved since."""
    place, remembered = event.booking.place, event.data["place"]
    if remembered["code"] == str(place.code):
        return str(place)
    # A place without bookings can be deleted.
    return str(places_of([event.data]).get(remembered["code"], remembered["name"]))


def _description(data: BookingData, *, reason: str, contacts: Sequence[str]) -> str:
    lines = [people(data["party_size"])]
    if reason:
        lines.append(_("Reason: %(reason)s") % {"reason": reason})
    if data["note"]:
        lines.append(_("Note: %(note)s") % {"note": data["note"]})
    if contacts:
        lines.append(_("Staff: %(contacts)s") % {"contacts": ", ".join(contacts)})
    return "\n".join(lines)


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    return calendar


def _bytes(calendar: Calendar) -> bytes:
    content: bytes = calendar.to_ical()
    return content


def _event(entry: Entry, *, organizer: str) -> Event:
    """Write one booking. DTSTAMP is when it changed, not now: unchanged bookings read the same."""
    status = STATUSES[State(entry.state)]
    event = Event()
    event.add("uid", uid_of(entry.code))
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("created", entry.created_at.astimezone(UTC))
    event.add("last-modified", entry.changed_at.astimezone(UTC))
    event.add("dtstart", entry.starts_at)
    event.add("dtend", entry.ends_at)
    event.add("summary", printable(entry.summary))
    event.add("location", printable(entry.location))
    event.add("description", printable(entry.description))
    event.add("url", entry.url)
    event.add("status", status)
    event.add("transp", "TRANSPARENT" if status == "CANCELLED" else "OPAQUE")
    event.add("class", "PRIVATE")
    event.add("organizer", _person(organizer))
    return event


def _person(address: str) -> vCalAddress:
    """Write a mail address as a URI (RFC 6068)."""
    name, mailbox = parseaddr(address)
    person = vCalAddress("mailto:" + quote(mailbox or address, safe="@!$'*+"))
    if name:
        person.params["CN"] = printable(name)
    return person
