"""One day at a space as its staff see it: who has which place when. One statement for the day."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from itertools import zip_longest
from typing import NamedTuple

from django.db.models import Max

from bookings.models import Booking
from bookings.states import State
from spaces.models import Place
from spaces.quarters import Quarters, highest, lowest, runs
from spaces.setups import Setup
from spaces.slots import SLOT, Period
from spaces.venue import Venue


class Is(StrEnum):
    """What a cell of the staff's timeline is."""

    FREE = "free"
    CLOSED = "closed"
    HELD = "held"  # a booking of this place
    PART = "shared"  # taken by a booking of another place that shares a part with this one


class Cell(NamedTuple):
    """One unbroken stretch of a row, in quarter hours of the day."""

    is_: Is
    start: int
    end: int
    booking: Booking | None = None


class Row(NamedTuple):
    place: Place
    cells: list[Cell]


@dataclass(frozen=True)
class Timeline:
    """A day's bookings by place; times are UTC, templates show them in the space's zone."""

    setup: Setup
    venue: Venue
    day: date
    now: datetime
    bookings: Sequence[Booking]

    @cached_property
    def quarters(self) -> Quarters:
        return Quarters(self.venue.day_span(self.day))

    @cached_property
    def _edges(self) -> tuple[int, int]:
        """The first quarter hour that is shown and the one after the last: open, or booked."""
        open_ = self.quarters.within(self.venue.openings(self.day))
        for booking in self.bookings:
            open_ |= self.quarters.stretch(*self._stretch(booking))
        return (lowest(open_), highest(open_) + 1) if open_ else (0, 0)

    @property
    def window(self) -> Period | None:
        start, end = self._edges
        return self.quarters.period(start, end) if start < end else None

    @property
    def starts(self) -> list[datetime]:
        """Every quarter hour that is shown, and the end of the last."""
        start, end = self._edges
        return [self.quarters.at(n) for n in range(start, end + 1)]

    def step(self, booking: Booking) -> int:
        """In how many quarter hours a booking moves. See `bookings.deciding.services`."""
        if booking.channel == Booking.Channel.WALK_IN or booking.has_started(self.now):
            return 1
        return self.venue.limits(booking.place.kind).step // SLOT

    def rows(self) -> list[Row]:
        """Return the places that can be booked, or are, each with its cells."""
        used = {booking.place_id for booking in self.bookings}
        places = [p for p in self.setup.places if p.is_bookable or p.pk in used]
        return [Row(place, self._cells(place)) for place in places]

    def _cells(self, place: Place) -> list[Cell]:
        leaves = self.venue.leaves(place.pk)
        held, part = [], 0
        for booking in self.bookings:
            start, end = self._stretch(booking)
            if booking.place_id == place.pk:
                held.append(Cell(Is.HELD, start, end, booking))
            elif booking.occupies and self.venue.leaves(booking.place_id) & leaves:
                part |= self.quarters.stretch(start, end)
        first, last = self._edges
        open_ = self.quarters.within(self.venue.openings(self.day))
        open_ &= ~self.quarters.touched(self.venue.closed(place.pk))
        shown = self.quarters.stretch(first, last)
        cells = [*held, *(Cell(Is.PART, *run) for run in runs(part))]
        taken = part
        for cell in held:
            taken |= self.quarters.stretch(cell.start, cell.end)
        cells += [Cell(Is.FREE, *run) for run in runs(shown & open_ & ~taken)]
        cells += [Cell(Is.CLOSED, *run) for run in runs(shown & ~open_ & ~taken)]
        return self._tiled(cells)

    def _tiled(self, cells: Iterable[Cell]) -> list[Cell]:
        """Return cells in order, without overlaps: what was left early gives way to who came."""
        first, last = self._edges
        at, tiled = first, []
        ordered = sorted(cells, key=lambda cell: (cell.start, cell.end))
        for cell, following in zip_longest(ordered, ordered[1:]):
            is_over = cell.booking is not None and not cell.booking.occupies
            gives_way_at = following.start if is_over and following else last
            start, end = max(cell.start, at), min(cell.end, gives_way_at)
            if start < end:
                tiled.append(cell._replace(start=start - first, end=end - first))
                at = end
        return tiled

    def _stretch(self, booking: Booking) -> tuple[int, int]:
        """Return a booking's quarter hours within the day."""
        start = max(0, self.quarters.floor(booking.starts_at))
        return start, min(self.quarters.count, self.quarters.ceil(booking.ends_at))


#: Of who never came, or cancelled, the place shows nothing: it may be somebody else's by now.
SHOWN = (State.AWAITING_APPROVAL, State.OFFERED, State.CONFIRMED, State.CHECKED_IN, State.COMPLETED)


def of(setup: Setup, day: date, *, now: datetime) -> Timeline:
    """Return a day's timeline: who holds a place, and who left it again."""
    venue = setup.venue((), now)
    here = Booking.objects.at_places([place.pk for place in setup.places])
    shown = here.in_states(SHOWN).overlapping(venue.day_span(day)).with_person()
    found = shown.annotate(seen=Max("events__sequence")).order_by("starts_at", "pk")
    openings = venue.openings(day)
    bookings = [
        booking
        for booking in found
        if venue.day_of(booking.starts_at) == day
        or any(opening.overlaps(booking.period) for opening in openings)
    ]
    return Timeline(setup, venue, day, now, bookings)
