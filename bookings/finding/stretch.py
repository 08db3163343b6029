"""Which of a space's days somebody asks about: this week, last month, or any others."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from bookings.words.local_time import LocalTimeError, read_day
from spaces.slots import Period, day_period

#: More is answered by asking twice: what is read and drawn grows with the days.
MOST_DAYS = 366


@dataclass(frozen=True)
class Days:
    """A stretch of local calendar days, both ends included."""

    first: date
    last: date

    def __iter__(self) -> Iterator[date]:
        for n in range(len(self)):
            yield self.first + timedelta(days=n)

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def span(self, zone: ZoneInfo) -> Period:
        """Return the instants: as many hours as the clocks make of these days."""
        first, last = day_period(self.first, zone), day_period(self.last, zone)
        return Period(first.starts_at, last.ends_at)


def _week(day: date) -> Days:
    monday = day - timedelta(days=day.weekday())
    return Days(monday, monday + timedelta(days=6))


def _month(day: date) -> Days:
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Days(first, following - timedelta(days=1))


#: What can be chosen by name, from today at the space.
NAMED: Mapping[str, tuple[str | Promise, Callable[[date], Days]]] = {
    "this-week": (gettext_lazy("This week"), _week),
    "last-week": (gettext_lazy("Last week"), lambda day: _week(day - timedelta(days=7))),
    "this-month": (gettext_lazy("This month"), _month),
    "last-month": (
        gettext_lazy("Last month"),
        lambda day: _month(day.replace(day=1) - timedelta(days=1)),
    ),
    "last-90-days": (
        pgettext_lazy("a stretch of time", "Last 90 days"),
        lambda day: Days(day - timedelta(days=89), day),
    ),
}
USUAL = "this-week"


@dataclass(frozen=True)
class Asked:
    """What the address asks for; `errors` say what it should have said instead."""

    days: Days
    name: str = ""  # empty: days of one's own
    errors: tuple[str, ...] = ()


def asked(query: Mapping[str, str], today: date) -> Asked:
    """Read `?period=last-week` or `?from=2026-11-01&to=2026-11-30`; this week without either."""
    name = query.get("period", "")
    if not query.get("from") and not query.get("to"):
        known = name in NAMED
        chosen = name if known else USUAL
        errors = () if known or not name else (_("There is no such period."),)
        return Asked(NAMED[chosen][1](today), chosen, errors)
    try:
        first, last = _own(query.get("from", ""), query.get("to", ""), today)
    except LocalTimeError as error:
        return Asked(NAMED[USUAL][1](today), USUAL, (str(error),))
    days = Days(first, last)
    named = (name for name, (_words, of) in NAMED.items() if of(today) == days)
    return Asked(days, next(named, ""))


def _own(first: str, last: str, today: date) -> tuple[date, date]:
    """Parse two days, of which one may be left out. Raises LocalTimeError."""
    start = read_day(first) if first else None
    end = read_day(last) if last else max(start or today, today)
    start = start or end
    if end < start:
        raise LocalTimeError(_("The end must be later than the start."))
    if (end - start).days >= MOST_DAYS:
        raise LocalTimeError(_("Choose a year at most."))
    return start, end
