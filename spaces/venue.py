"""A space as a booking sees it: its hours, closures, policies and composites, loaded at once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Self
from zoneinfo import ZoneInfo

from spaces.limits import Limits, PolicyValues, strictest
from spaces.models import Space
from spaces.slots import Hours, Period, day_period, hours_of_day, merge, starts, subtract


def leaves(parts: Mapping[int, Iterable[int]], place: int) -> frozenset[int]:
    """Return a place's innermost parts, or itself when it has none."""
    inner = parts.get(place)
    if not inner:
        return frozenset({place})
    return frozenset(leaf for part in inner for leaf in leaves(parts, part))


def neighbours(parts: Mapping[int, Iterable[int]], place: int) -> frozenset[int]:
    """Return the places whose bookings take slots of this one: itself, its parts, its wholes."""
    mine = leaves(parts, place)
    known = {place, *parts, *(part for inner in parts.values() for part in inner)}
    return frozenset(other for other in known if leaves(parts, other) & mine)


@dataclass(frozen=True)
class ClosedPeriod:
    """A closure of one place, or of the whole space when `place` is None."""

    place: int | None
    period: Period


@dataclass(frozen=True)
class Venue:
    """Everything that decides when a space can be booked. Immutable; doesn't know bookings."""

    zone: ZoneInfo
    hours: tuple[Hours, ...]
    closures: tuple[ClosedPeriod, ...] = ()
    policies: tuple[PolicyValues, ...] = ()
    parts: Mapping[int, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, space: Space) -> Self:
        """Build the venue from a space that was loaded `with_setup`."""
        parts: dict[int, tuple[int, ...]] = {}
        for whole, part in space.part_rows or ():  # type: ignore[attr-defined]
            parts[whole] = (*parts.get(whole, ()), part)
        return cls(
            zone=space.zone,
            hours=tuple(
                Hours(weekday, time.fromisoformat(opens_at), time.fromisoformat(closes_at))
                for weekday, opens_at, closes_at in space.hours_rows or ()  # type: ignore[attr-defined]
            ),
            closures=tuple(
                ClosedPeriod(
                    row["place"], Period(_instant(row["starts_at"]), _instant(row["ends_at"]))
                )
                for row in space.closure_rows or ()  # type: ignore[attr-defined]
            ),
            policies=tuple(
                PolicyValues(**row)
                for row in space.policy_rows or ()  # type: ignore[attr-defined]
            ),
            parts=parts,
        )

    def today(self, now: datetime) -> date:
        """Return the local date at the space."""
        return now.astimezone(self.zone).date()

    def limits(self, kind: str) -> Limits:
        if kind not in self._limits_by_kind:
            self._limits_by_kind[kind] = strictest(self.policies, kind=kind)
        return self._limits_by_kind[kind]

    @cached_property
    def _limits_by_kind(self) -> dict[str, Limits]:
        return {}

    def leaves(self, place: int) -> frozenset[int]:
        """Return the places whose slots a booking takes: the place, or its innermost parts."""
        return leaves(self.parts, place)

    @cached_property
    def _openings(self) -> dict[date, list[Period]]:
        return {}

    def openings(self, day: date) -> list[Period]:
        """Return the stretches that start on a local day by the weekly hours, ignoring closures.

        A night that runs into the next day's hours ends there: days never overlap.
        """
        if day not in self._openings:
            following = hours_of_day(self.hours, day + timedelta(days=1), self.zone)
            hours = hours_of_day(self.hours, day, self.zone)
            self._openings[day] = subtract(hours, following)
        return self._openings[day]

    def openings_around(self, period: Period) -> Iterator[Period]:
        """Yield the stretches of every local day that can touch a period."""
        day = period.starts_at.astimezone(self.zone).date() - timedelta(days=1)
        last = period.ends_at.astimezone(self.zone).date()
        while day <= last:
            yield from self.openings(day)
            day += timedelta(days=1)

    def closed(self, place: int) -> list[Period]:
        """Return when a place is closed: itself, its space, or one that shares leaves with it."""
        mine = self.leaves(place)
        return [
            closure.period
            for closure in self.closures
            if closure.place is None or mine & self.leaves(closure.place)
        ]

    def is_open(self, place: int, period: Period) -> bool:
        """Tell whether a period is within one unbroken stretch of opening time."""
        left = subtract(merge(self.openings_around(period)), self.closed(place))
        return any(stretch.contains(period) for stretch in left)

    def is_start(self, at: datetime, step: timedelta) -> bool:
        """Tell whether a booking may start at an instant: whole steps after an opening."""
        return any(
            stretch.starts_at <= at < stretch.ends_at
            and (at - stretch.starts_at) % step == timedelta(0)
            for stretch in self.openings_around(Period(at, at))
        )

    def starts(self, day: date, step: timedelta) -> list[datetime]:
        """Return every instant in a local day's opening hours at which a booking may start."""
        return [at for opening in self.openings(day) for at in starts(opening, step)]

    def calendar_day(self, day: date) -> Period:
        return day_period(day, self.zone)

    def day_of(self, at: datetime) -> date:
        """Return the local day whose opening hours contain an instant: 1:00 is the night before.

        Falls back to the calendar date if nothing is open then.
        """
        day = at.astimezone(self.zone).date()
        before = day - timedelta(days=1)
        in_the_night = any(o.starts_at <= at < o.ends_at for o in self.openings(before))
        return before if in_the_night else day

    def day_span(self, day: date) -> Period:
        """Return the calendar day, extended if its opening hours run past midnight."""
        whole = self.calendar_day(day)
        return Period(
            whole.starts_at, max([whole.ends_at, *(o.ends_at for o in self.openings(day))])
        )


def _instant(text: str) -> datetime:
    """Parse an instant from a JSON row; SQLite writes it naive, in UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
