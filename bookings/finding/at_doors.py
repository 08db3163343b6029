"""What a screen at a door shows: each of its places now, until when, and who comes next."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from bookings.deciding import at_doors
from bookings.deciding.pacing import is_in_house
from bookings.doors import DoorView
from bookings.finding.availability import Availability
from bookings.finding.occupancy import Occupancy
from bookings.models import Booking
from bookings.states import State
from spaces.models import Place, Space
from spaces.quarters import EPOCH, end_of_run, lowest
from spaces.setups import Setup
from spaces.slots import SLOT, Period, floor

#: How many of those who come later one place's screen lists.
NEXT = 4


class Is(StrEnum):
    FREE = "free"
    TAKEN = "taken"
    CLOSED = "closed"


@dataclass(frozen=True)
class Visit:
    """A booking as a screen shows it; `who` is empty if the screen shows no names."""

    code: UUID
    place: int
    period: Period
    who: str
    is_here: bool
    can_check_in: bool
    people: int
    is_in_house: bool


@dataclass(frozen=True)
class Line:
    """One place now. `until` is None when nothing changes any more today."""

    place: Place
    is_: Is
    until: datetime | None
    now: Visit | None = None
    next: list[Visit] = field(default_factory=list)
    #: Until when it may be taken here and now.
    use_until: datetime | None = None


@dataclass(frozen=True)
class Screen:
    """Everything that a screen shows at an instant."""

    space: Space
    lines: list[Line]
    #: When the first of the lines will no longer be right.
    valid_until: datetime

    @property
    def free(self) -> int:
        return sum(line.is_ == Is.FREE for line in self.lines)


def screen(door: DoorView, setup: Setup, *, now: datetime) -> Screen:
    """Find out what a screen shows, in one statement."""
    venue = setup.venue((), now)
    today = venue.day_of(now)
    tonight = max(venue.day_span(today).ends_at, floor(now) + SLOT)
    span = Period(floor(now), max(tonight, venue.day_span(today + timedelta(days=1)).ends_at))
    places = [place for place in setup.bookable if door.shows(place)]
    visits = _visits(door, setup, span, now)
    rows = [
        Occupancy(
            visit.place,
            _quarter(visit.period.starts_at),
            _quarter(visit.period.ends_at),
            None,
            "",
            -visit.people if visit.is_in_house else visit.people,
        )
        for visit in visits
    ]
    known = Availability(setup.space, venue, span, places=places, rows=rows, in_house=True)
    lines = [_line(door, known, place, visits, tonight=tonight, now=now) for place in places]
    changes = [line.until for line in lines if line.until is not None and line.until > now]
    return Screen(setup.space, lines, min([*changes, tonight], default=tonight))


def _quarter(at: datetime) -> int:
    return (at - EPOCH) // SLOT


def _visits(door: DoorView, setup: Setup, span: Period, now: datetime) -> list[Visit]:
    """Return what is booked in the space, soonest first: also what shares parts with a place."""
    rows = (
        Booking.objects.in_space(setup.space)
        .occupying()
        .overlapping(span)
        .order_by("starts_at", "pk")
        .values_list(
            "code",
            "place_id",
            "place__kind",
            "starts_at",
            "ends_at",
            "state",
            "guest_name",
            "member__name",
            "member__username",
            "party_size",
            "channel",
            named=True,
        )
    )
    venue = setup.venue((), now)
    return [
        Visit(
            code=row.code,
            place=row.place_id,
            period=Period(row.starts_at, row.ends_at),
            who=(row.guest_name or row.member__name or row.member__username or "")
            if door.shows_names
            else "",
            is_here=row.state == State.CHECKED_IN,
            can_check_in=door.may_check_in
            and row.state == State.CONFIRMED
            and at_doors.opens_at(venue, row.place__kind, row.starts_at) <= now < row.ends_at,
            people=row.party_size,
            is_in_house=is_in_house(row.channel),
        )
        for row in rows
    ]


def _line(
    door: DoorView,
    known: Availability,
    place: Place,
    visits: Iterable[Visit],
    *,
    tonight: datetime,
    now: datetime,
) -> Line:
    leaves = known.leaves(place.pk)
    here = [visit for visit in visits if leaves & known.leaves(visit.place)]
    current = next((visit for visit in here if visit.period.starts_at <= now), None)
    later = [
        visit for visit in here if now < visit.period.starts_at < tonight and visit is not current
    ][:NEXT]
    free, taken = known.free(place.pk), known.taken(place.pk)
    if taken & 1:
        return Line(place, Is.TAKEN, _at(known, end_of_run(taken, 0), tonight), current, later)
    if not free & 1:
        return Line(
            place, Is.CLOSED, known.quarters.at(lowest(free)) if free else None, None, later
        )
    end = known.quarters.at(end_of_run(free, 0))
    may_use = door.may_walk_in and not known.full(1) & 1
    use_until = min(end, at_doors.latest_end(now)) if may_use else None
    return Line(place, Is.FREE, end if end <= tonight else None, None, later, use_until)


def _at(known: Availability, quarter: int, tonight: datetime) -> datetime | None:
    at = known.quarters.at(quarter)
    return at if at <= tonight else None
