"""What happened to a booking in words: each change with what was there before."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding import pacing, rules
from bookings.deciding.details import CONTACT
from bookings.models import Booking, BookingEvent
from bookings.words import words
from bookings.words.representation import places_of, stays_put
from spaces.models import Place
from spaces.slots import Period

#: What somebody saw and wrote down, rather than did.
NOTED = {
    BookingEvent.Kind.CHECKED_IN,
    BookingEvent.Kind.SEATED,
    BookingEvent.Kind.COMPLETED,
    BookingEvent.Kind.NO_SHOW,
}

#: What the staff didn't mind is nothing for the person to worry about.
LET_IN: Mapping[str, Collection[str]] = {
    BookingEvent.Kind.CONFIRMED: rules.REASONS,
    BookingEvent.Kind.MOVED: {pacing.FULL},
}
NOTHING: Mapping[str, Collection[str]] = {}


@dataclass(frozen=True)
class Change:
    """One value before and after, in words; empty when there was, or is, none."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class EventLine:
    """One event in words; `was` is the place and time before a move."""

    kind: str
    title: str
    at: datetime
    by_words: str
    reason: str
    was: str = ""
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True)
class _Said:
    """What an event remembers, and the places that all of them name."""

    data: Mapping[str, Any]
    places: Mapping[str, Place]

    @property
    def place(self) -> str:
        code = self.data["place"]["code"]
        return str(self.places.get(code) or self.data["place"]["name"])

    @property
    def period(self) -> Period:
        start, end = (datetime.fromisoformat(self.data[n]) for n in ("starts_at", "ends_at"))
        return Period(start, end)


def to_member(booking: Booking, *, reader: int | None, now: datetime) -> list[EventLine]:
    """Return what happened, for its member or (None) its guest: without names of the staff."""
    lines = []
    for earlier, event, places in _told(booking):
        was, changes = "", []
        if earlier is not None and not rules.is_of_zone(event["data"]):
            before, after = _Said(earlier["data"], places), _Said(event["data"], places)
            changes = list(_of_details(before, after))
            if (before.place, before.period) != (after.place, after.period):
                when = words.when(before.period, booking.place.space.zone, now)
                was = f"{before.place}, {when}"
        title = _title(event, earlier)
        lines.append(_line(event, title, _who(event, reader), was, changes, hidden=LET_IN))
    return lines


def to_staff(booking: Booking, *, now: datetime) -> list[EventLine]:
    """Return what happened, as the staff read it: who did it, and every value that changed."""
    told = list(_told(booking))
    actors = User.objects.in_bulk({event["actor_id"] for _earlier, event, _places in told})
    contacts = _contacts(booking, [event for _earlier, event, _places in told])
    lines = []
    for n, (earlier, event, places) in enumerate(told):
        changes: list[Change] = []
        if earlier is not None:
            before, after = _Said(earlier["data"], places), _Said(event["data"], places)
            changes += _of_place_and_time(before, after, booking, now)
            changes += _of_details(before, after)
            changes += _of_contact(contacts[n], contacts[n + 1])
        actor = actors.get(event["actor_id"])
        by_words = _("by %(name)s") % {"name": actor.get_short_name()} if actor else ""
        if event["by_guest"]:
            by_words = _("by the guest")
        lines.append(_line(event, _title(event, earlier), by_words, "", changes))
    return lines


def _told(
    booking: Booking,
) -> Iterator[tuple[Mapping[str, Any] | None, Mapping[str, Any], Mapping[str, Place]]]:
    """Yield each event with the one before it."""
    events = list(booking.events.order_by("sequence").values())
    places = places_of(event["data"] for event in events)
    for earlier, event in pairwise([None, *events]):
        assert event is not None
        yield earlier, event, places


def _contacts(booking: Booking, events: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the contact before each event, and as it is: worked out backwards from now."""
    contact = {name: getattr(booking, name) for name in CONTACT}
    found = [contact]
    for event in reversed(events):
        contact = {**contact, **event["contact_before"]}
        found.append(contact)
    return found[::-1]


def _of_place_and_time(
    before: _Said, after: _Said, booking: Booking, now: datetime
) -> Iterator[Change]:
    zone = booking.place.space.zone
    if before.place != after.place:
        yield Change(_("Place"), before.place, after.place)
    if before.period != after.period:
        was, is_ = (words.when(said.period, zone, now) for said in (before, after))
        yield Change(_("Time"), was, is_)


def _of_details(before: _Said, after: _Said) -> Iterator[Change]:
    for name, label in (
        ("party_size", _("People")),
        ("note", _("Note")),
    ):
        was, is_ = (str(said.data.get(name, "")) for said in (before, after))
        if was != is_:
            yield Change(label, was, is_)


def _of_contact(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for name, label in (("guest_name", _("Guest")), ("guest_contact", _("Contact"))):
        if before[name] != after[name]:
            yield Change(label, before[name], after[name])


def _line(
    event: Mapping[str, Any],
    title: str,
    by_words: str,
    was: str,
    changes: Sequence[Change],
    *,
    hidden: Mapping[str, Collection[str]] = NOTHING,
) -> EventLine:
    return EventLine(
        kind=event["kind"],
        title=title,
        at=event["at"],
        by_words=by_words,
        reason=event["reason"] or _why(event, hidden.get(event["kind"], ())),
        was=was,
        changes=list(changes),
    )


def _who(event: Mapping[str, Any], reader: int | None) -> str:
    if event["kind"] == BookingEvent.Kind.REJECTED:
        return ""
    is_noted = event["kind"] in NOTED
    if event["by_guest"]:
        if is_noted:
            return _("(noted by the guest)") if reader else _("(noted by you)")
        return _("by the guest") if reader else _("by you")
    if not event["actor_id"]:
        return ""
    is_own = event["actor_id"] == reader
    if is_noted:
        return _("(noted by you)") if is_own else _("(noted by the staff)")
    return _("by you") if is_own else _("by the staff")


def _title(event: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> str:
    kind = BookingEvent.Kind(event["kind"])
    if kind == BookingEvent.Kind.MOVED and earlier and stays_put(earlier["data"], event["data"]):
        kind = BookingEvent.Kind.AMENDED  # to who reads it; programs are told of a move
    title = str(kind.label)
    undone = event["data"].get("undone")
    return f"{title}: {BookingEvent.Kind(undone).label}" if undone else title


def _why(event: Mapping[str, Any], hidden: Collection[str]) -> str:
    """Say what changed in the set-up, or what the staff didn't mind.

    The reasons for a refusal are shown above.
    """
    if event["kind"] == BookingEvent.Kind.REJECTED:
        return ""
    problems = event["data"].get("problems", ())
    return " ".join(rules.reason(code) for code in problems if code not in hidden)
