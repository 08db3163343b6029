"""Time arithmetic: turns opening hours, closures, a day and a zone into open periods and slots.

Pure: dataclasses and the standard library only. Every instant is an aware datetime in UTC, every
period half-open, `[starts_at, ends_at)`. See also `bookings.finding.availability`, which
overlays bookings on these periods.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SLOT = timedelta(minutes=15)


@dataclass(frozen=True, order=True)
class Period:
    """A half-open stretch of time, `[starts_at, ends_at)`, in UTC."""

    starts_at: datetime
    ends_at: datetime

    @property
    def duration(self) -> timedelta:
        return self.ends_at - self.starts_at

    def overlaps(self, other: "Period") -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: "Period") -> bool:
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at


@dataclass(frozen=True)
class Hours:
    """One stretch of one weekday (0: Monday), local. `closes_at <= opens_at` ends the next day."""

    weekday: int
    opens_at: time
    closes_at: time


def instant(day: date, at: time, zone: ZoneInfo, *, closing: bool = False) -> datetime:
    """Return the UTC instant of a local wall-clock time.

    A time that a spring night skips is the instant the clocks jump; for one that an autumn night
    has twice, an opening takes the first and a closing the second (PEP 495 `fold`).
    """
    local = datetime.combine(day, at, zone).replace(fold=int(closing))
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    found = local.replace(fold=1).astimezone(UTC)  # skipped: this reading is before the jump
    before = found.astimezone(zone).utcoffset()
    while found.astimezone(zone).utcoffset() == before:
        found += SLOT
    return found


def day_period(day: date, zone: ZoneInfo) -> Period:
    """Return the local calendar day: 23 to 25 hours, or empty where a zone skipped the day."""
    return Period(instant(day, time.min, zone), instant(day + timedelta(days=1), time.min, zone))


def hours_of_day(hours: Iterable[Hours], day: date, zone: ZoneInfo) -> list[Period]:
    """Return the stretches that start on `day`, merged; the last may end on the next day."""
    periods = []
    for stretch in hours:
        if stretch.weekday != day.weekday():
            continue
        past_midnight = stretch.closes_at <= stretch.opens_at
        starts_at = instant(day, stretch.opens_at, zone)
        last_day = day + timedelta(days=past_midnight)
        ends_at = instant(last_day, stretch.closes_at, zone, closing=True)
        periods.append(Period(starts_at, ends_at))
    return merge(periods)


def merge(periods: Iterable[Period]) -> list[Period]:
    """Return the same time as sorted, non-empty periods that neither overlap nor touch."""
    merged: list[Period] = []
    for period in sorted(p for p in periods if p.starts_at < p.ends_at):
        if merged and period.starts_at <= merged[-1].ends_at:
            last = merged.pop()
            period = Period(last.starts_at, max(last.ends_at, period.ends_at))
        merged.append(period)
    return merged


def subtract(periods: Iterable[Period], holes: Iterable[Period]) -> list[Period]:
    """Return what is left of `periods` without `holes`, sorted."""
    left = []
    cuts = merge(holes)
    for period in merge(periods):
        start = period.starts_at
        for cut in cuts:
            if cut.ends_at <= start or cut.starts_at >= period.ends_at:
                continue
            if start < cut.starts_at:
                left.append(Period(start, cut.starts_at))
            start = max(start, cut.ends_at)
        if start < period.ends_at:
            left.append(Period(start, period.ends_at))
    return left


def clock(at: time | datetime) -> str:
    """Write a local time of day as people do: "9:00"."""
    return f"{at.hour}:{at:%M}"


def slots(period: Period) -> Iterator[datetime]:
    """Yield the starts of the quarter hours that a period covers, in order."""
    at = period.starts_at
    while at < period.ends_at:
        yield at
        at += SLOT


def floor(at: datetime) -> datetime:
    """Return the start of the quarter hour that an instant is in."""
    return at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)


def is_on_grid(at: datetime) -> bool:
    """Tell whether an instant is a UTC quarter hour."""
    return at.minute % 15 == 0 and at.second == 0 and at.microsecond == 0


def starts(opening: Period, step: timedelta) -> Iterator[datetime]:
    """Yield the instants at which a booking may start: whole steps of elapsed time."""
    at = opening.starts_at
    while at + step <= opening.ends_at:
        yield at
        at += step
