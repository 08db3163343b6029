"""Turn times and shifts as values. Pure: no ORM, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from spaces.slots import Period, instant


@dataclass(frozen=True, order=True)
class Turn:
    """How long parties from a size on keep their table."""

    from_party: int
    minutes: int


@dataclass(frozen=True, order=True)
class ShiftValues:
    """One shift as stored: local times. `last` earlier than `first` is in the night after.

    Covers are people whose booking begins in one quarter hour; None limits nothing.
    """

    first: time
    last: time
    name: str
    weekdays: str
    pk: int
    covers_online: int | None = None
    covers_in_house: int | None = None

    def covers(self, *, in_house: bool) -> int | None:
        return self.covers_in_house if in_house else self.covers_online


@dataclass(frozen=True)
class Seating:
    """One shift on one day: bookings may start from its first to its last instant, inclusive."""

    shift: ShiftValues
    first_at: datetime
    last_at: datetime

    @property
    def period(self) -> Period:
        """From the first to the last seating, for writing it."""
        return Period(self.first_at, self.last_at)

    def has(self, at: datetime) -> bool:
        return self.first_at <= at <= self.last_at


def turn_of(turns: Iterable[Turn], party_size: int) -> timedelta | None:
    """Return how long a party keeps its table; None if the house doesn't say."""
    found = [turn for turn in turns if turn.from_party <= party_size]
    return timedelta(minutes=max(found).minutes) if found else None


def seatings_of(shifts: Iterable[ShiftValues], day: date, zone: ZoneInfo) -> list[Seating]:
    """Return the shifts of a local day, the earliest first."""
    found = []
    for shift in shifts:
        if str(day.weekday()) in shift.weekdays:
            first_at = instant(day, shift.first, zone)
            night = timedelta(days=shift.last < shift.first)
            last_at = instant(day + night, shift.last, zone, closing=True)
            found.append(Seating(shift, first_at, last_at))
    return sorted(found, key=lambda seating: seating.first_at)
