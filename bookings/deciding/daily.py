"""Hours a day: how much time of one local day a member may have in a space.

A member's bookings are counted under the lock of the member's row, which every way of booking and
moving takes. What is held counts, and what is over: by the local days on which it was, so that a
booking over midnight is in both. What was cancelled, or nobody came to, isn't counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, DateTimeField
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.prepared import prepared
from bookings.deciding.rules import Problem, last_day
from bookings.models import Booking
from bookings.querysets import LONGEST_HELD
from bookings.states import OCCUPYING, State
from bookings.words import words
from spaces.limits import Daily, Limits
from spaces.models import Place
from spaces.slots import Period, day_period
from spaces.venue import Venue, is_in_calendar

#: States of bookings whose time is, or was, the member's.
COUNTED = sorted({*OCCUPYING, State.COMPLETED})

#: For so many days a refusal looks for one on which the wish would fit.
DAYS_AHEAD = 14


@dataclass(frozen=True)
class Held:
    """Time that a member has at a place of some kind."""

    kind: str
    starts_at: datetime
    ends_at: datetime

    @property
    def period(self) -> Period:
        return Period(self.starts_at, self.ends_at)


_HELD = prepared(
    lambda space, member, starts_at, ends_at, but: (
        Booking.objects.of(member)
        .in_space(space)
        .in_states(COUNTED)
        .held_after(starts_at)
        .beginning_before(ends_at)
        .exclude(pk=but)
        .order_by("starts_at", "pk")
        .values_list("place__kind", "starts_at", "ends_at")
    ),
    space=BigIntegerField(),
    member=BigIntegerField(),
    starts_at=DateTimeField(),
    ends_at=DateTimeField(),
    but=BigIntegerField(),
)


def held_by(
    member: User, space: int, venue: Venue, period: Period, *, but: Booking | None = None
) -> list[Held]:
    """Return what a member has on the local days of a period, and on those that may be advised."""
    days = list(_days(venue, period))
    rows = _HELD.rows(
        space=space,
        member=member.pk,
        starts_at=venue.calendar_day(days[0]).starts_at,
        ends_at=venue.calendar_day(days[-1] + timedelta(days=DAYS_AHEAD)).ends_at,
        but=0 if but is None else but.pk or 0,
    )
    return [Held(*row) for row in rows]


def problems(
    venue: Venue,
    place: Place,
    period: Period,
    *,
    member: User | None,
    now: datetime,
    but: Booking | None = None,
) -> list[Problem]:
    """Return what forbids a member so much time on these days: at most one problem.

    The member is locked. The booking `but` isn't counted, and may keep what it has: a limit that
    came later doesn't forbid to move it without taking more.
    """
    limits = venue.limits(place.kind)
    if member is None or not limits.daily or not _is_sane(period):
        return []
    held = held_by(member, place.space_id, venue, period, but=but)
    had = [Held(but.place.kind, but.starts_at, but.ends_at)] if but and _is_counted(but) else []
    return exceeded(venue, limits, period, held, had=had, now=now)


def exceeded(
    venue: Venue,
    limits: Limits,
    period: Period,
    held: list[Held],
    *,
    now: datetime,
    had: Iterable[Held] = (),
) -> list[Problem]:
    """Return what forbids a period to somebody who holds these, and had those instead of it."""
    if not _is_sane(period):
        return []
    had = list(had)
    for rule in limits.daily:
        for day in _days(venue, period):
            wanted = _on(venue, day, period)
            left = _left(venue, rule, day, held)
            if wanted > max(left, _used(venue, rule, day, had)):
                return [_too_many(venue, limits, rule, period, day, left, held, now)]
    return []


def said_of_day(
    venue: Venue, limits: Limits, day: date, held: Iterable[Held], now: datetime
) -> list[str]:
    """Say what a member has left on a day on which they have booked something."""
    held, name = list(held), words.day(day, venue.today(now))
    return [
        f"{said_of(rule)} {_rest(_left(venue, rule, day, held), name)}"
        for rule in limits.daily
        if _used(venue, rule, day, held)
    ]


def _is_counted(booking: Booking) -> bool:
    return booking.state in COUNTED


def _is_sane(period: Period) -> bool:
    """Tell whether this can be a booking at all; if not, other rules say so."""
    both = (period.starts_at, period.ends_at)
    return timedelta(0) < period.duration <= LONGEST_HELD and all(map(is_in_calendar, both))


def _days(venue: Venue, period: Period) -> Iterator[date]:
    """Yield the local days of a period, the earliest first."""
    day = period.starts_at.astimezone(venue.zone).date()
    while venue.calendar_day(day).starts_at < period.ends_at:
        yield day
        day += timedelta(days=1)


def _on(venue: Venue, day: date, period: Period) -> timedelta:
    """Return how much of a period is on a local day, which may have 23 or 25 hours."""
    whole = venue.calendar_day(day)
    shared = min(period.ends_at, whole.ends_at) - max(period.starts_at, whole.starts_at)
    return max(shared, timedelta(0))


def _used(venue: Venue, rule: Daily, day: date, held: Iterable[Held]) -> timedelta:
    counted = (_on(venue, day, each.period) for each in held if rule.kind in ("", each.kind))
    return sum(counted, timedelta(0))


def _left(venue: Venue, rule: Daily, day: date, held: Iterable[Held]) -> timedelta:
    return max(rule.most - _used(venue, rule, day, held), timedelta(0))


def _too_many(
    venue: Venue,
    limits: Limits,
    rule: Daily,
    period: Period,
    day: date,
    left: timedelta,
    held: list[Held],
    now: datetime,
) -> Problem:
    today = venue.today(now)
    said = [said_of(rule), _rest(left, words.day(day, today))]
    other = _next_day(venue, limits, period, held, now)
    if other is not None:
        said.append(_("It would fit on %(day)s.") % {"day": words.day(other, today)})
    return Problem("too_many_hours", " ".join(said))


def said_of(rule: Daily) -> str:
    """Say a rule as it is."""
    named = {"most": words.duration(rule.most)}
    if not rule.kind:
        return _("A member may book up to %(most)s a day here.") % named
    named["kind"] = str(Place.Kind(rule.kind).label)
    return _("A member may book up to %(most)s a day here (%(kind)s).") % named


def _rest(left: timedelta, day: str) -> str:
    if not left:
        return _("Nothing is left on %(day)s.") % {"day": day}
    return _("Left on %(day)s: %(time)s.") % {"day": day, "time": words.duration(left)}


def _next_day(
    venue: Venue, limits: Limits, period: Period, held: list[Held], now: datetime
) -> date | None:
    """Return the next local day on which the same hours would exceed nothing; None if none soon."""
    first = period.starts_at.astimezone(venue.zone)
    last = last_day(venue, limits, now)
    for n in range(1, DAYS_AHEAD + 1):
        day = first.date() + timedelta(days=n)
        if day > last:
            return None
        starts_at = (first + timedelta(days=n)).astimezone(UTC)
        moved = Period(starts_at, starts_at + period.duration)
        is_open = any(opening.contains(moved) for opening in venue.openings_around(moved))
        if is_open and all(
            _on(venue, each, moved) <= _left(venue, rule, each, held)
            for rule in limits.daily
            for each in _days(venue, moved)
        ):
            return day
    return None


def totals(
    zone: ZoneInfo, held: Iterable[tuple[int, datetime, datetime]]
) -> dict[tuple[int, date], timedelta]:
    """Add up who has how much of which local day, from members with starts and ends."""
    found: dict[tuple[int, date], timedelta] = {}
    for member, starts_at, ends_at in held:
        day = starts_at.astimezone(zone).date()
        while (whole := day_period(day, zone)).starts_at < ends_at:
            shared = min(ends_at, whole.ends_at) - max(starts_at, whole.starts_at)
            found[member, day] = found.get((member, day), timedelta(0)) + shared
            day += timedelta(days=1)
    return found
