"""A space as a booking sees it: its hours, closures, policies and composites.

See `spaces.setups` for where it comes from.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from spaces.limits import Limits, PolicyValues, strictest
from spaces.seating import Seating, ShiftValues, Turn, seatings_of, turn_of
from spaces.slots import Hours, Period, day_period, hours_of_day, merge, starts, subtract

#: How many days' opening hours a venue remembers: it may live for months.
MOST_DAYS = 100


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


def is_in_calendar(at: datetime) -> bool:
    """Tell whether the days around an instant exist in every zone."""
    return 1 < at.year < 9999


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
    turns: tuple[Turn, ...] = ()
    shifts: tuple[ShiftValues, ...] = ()

    def today(self, now: datetime) -> date:
        """Return the local date at the space."""
        return now.astimezone(self.zone).date()

    def limits(self, kind: str, at: datetime | None = None) -> Limits:
        """Return the limits of a kind of place, with those of the shift in which `at` is."""
        during = self._shifts_at(at) if at is not None and self.has_limited_shifts else ()
        known = self._limits.get((kind, during))
        if known is None:
            known = strictest(self.policies, kind=kind, shifts=during)
            self._limits[kind, during] = known
        return known

    @cached_property
    def _limits(self) -> dict[tuple[str, tuple[int, ...]], Limits]:
        return {}

    @cached_property
    def has_limited_shifts(self) -> bool:
        return any(policy.shift is not None for policy in self.policies)

    def _shifts_at(self, at: datetime) -> tuple[int, ...]:
        return tuple(sorted(seating.shift.pk for seating in self.seatings_at(at)))

    def seatings(self, day: date) -> list[Seating]:
        """Return the shifts of a local day, the earliest first."""
        if not self.shifts:
            return []
        known = self._seatings.get(day)
        if known is None:
            if len(self._seatings) >= MOST_DAYS:
                self._seatings.clear()
            known = self._seatings[day] = seatings_of(self.shifts, day, self.zone)
        return known

    @cached_property
    def _seatings(self) -> dict[date, list[Seating]]:
        return {}

    def seatings_at(self, at: datetime) -> list[Seating]:
        """Return the shifts in which a booking that starts at an instant is seated."""
        if not self.shifts or not is_in_calendar(at):
            return []
        day = at.astimezone(self.zone).date()
        both = (day - timedelta(days=1), day)
        return [each for one in both for each in self.seatings(one) if each.has(at)]

    def is_seated(self, at: datetime) -> bool:
        """Tell whether the shifts allow a start: on a day without any, the hours alone count."""
        if not self.shifts or not is_in_calendar(at):
            return True
        return not self.seatings(self.day_of(at)) or bool(self.seatings_at(at))

    def pacing(self, at: datetime, *, in_house: bool) -> int | None:
        """Return how many people may begin at an instant; None if any number may."""
        limits = [each.shift.covers(in_house=in_house) for each in self.seatings_at(at)]
        return min((limit for limit in limits if limit is not None), default=None)

    def turn(self, kind: str, starts_at: datetime, party_size: int) -> timedelta | None:
        """Return for how long a party gets a place of a kind; None if the house doesn't say.

        In whole steps, no shorter or longer than allowed, and no longer than the house is open.
        """
        turn = turn_of(self.turns, party_size)
        if turn is None or not is_in_calendar(starts_at):
            return turn
        limits = self.limits(kind, starts_at)
        turn = max(limits.shortest, min(-(-turn // limits.step) * limits.step, limits.longest))
        for opening in merge(self.openings_around(Period(starts_at, starts_at))):
            if opening.starts_at <= starts_at < opening.ends_at:
                until_closing = (opening.ends_at - starts_at) // limits.step * limits.step
                return min(turn, until_closing) if until_closing >= limits.shortest else turn
        return turn

    def leaves(self, place: int) -> frozenset[int]:
        """Return the places whose slots a booking takes: the place, or its innermost parts."""
        return self._leaves.get(place) or frozenset({place})

    @cached_property
    def _leaves(self) -> dict[int, frozenset[int]]:
        return {whole: leaves(self.parts, whole) for whole in self.parts}

    @cached_property
    def _openings(self) -> dict[date, list[Period]]:
        return {}

    def openings(self, day: date) -> list[Period]:
        """Return the stretches that start on a local day by the weekly hours, ignoring closures.

        A night that runs into the next day's hours ends there: days never overlap.
        """
        known = self._openings.get(day)
        if known is None:
            following = hours_of_day(self.hours, day + timedelta(days=1), self.zone)
            hours = hours_of_day(self.hours, day, self.zone)
            if len(self._openings) >= MOST_DAYS:
                self._openings.clear()
            known = self._openings[day] = subtract(hours, following)
        return known

    def openings_around(self, period: Period) -> Iterator[Period]:
        """Yield the stretches of every local day that can touch a period."""
        day = period.starts_at.astimezone(self.zone).date() - timedelta(days=1)
        last = period.ends_at.astimezone(self.zone).date()
        while day <= last:
            yield from self.openings(day)
            day += timedelta(days=1)

    def closed(self, place: int) -> list[Period]:
        """Return when a place is closed: itself, its space, or one that shares leaves with it."""
        found = set(self._closures_by_leaf[None])
        for leaf in self.leaves(place):
            found.update(self._closures_by_leaf.get(leaf, ()))
        return [self.closures[n].period for n in sorted(found)]

    @cached_property
    def _closures_by_leaf(self) -> dict[int | None, list[int]]:
        """The positions of the closures of each leaf; None has those of the whole space."""
        found: dict[int | None, list[int]] = {None: []}
        for n, closure in enumerate(self.closures):
            closed = (None,) if closure.place is None else self.leaves(closure.place)
            for leaf in closed:
                found.setdefault(leaf, []).append(n)
        return found

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
        """Return every instant in a local day's hours and shifts at which a booking may start."""
        found = self.steps(day, step)
        return [at for at in found if self.is_seated(at)] if self.shifts else found

    def steps(self, day: date, step: timedelta) -> list[datetime]:
        """Return the starts of every whole step in a local day's hours, whatever its shifts."""
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
