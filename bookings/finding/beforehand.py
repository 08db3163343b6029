"""What a board tells a member before they press: limits that hang on their own bookings.

Nothing is read where no rule of the space asks for it; else one statement for each kind of rule.
"""

from collections.abc import Iterable
from datetime import datetime

from accounts.models import User
from bookings.deciding import daily, rules
from bookings.deciding.attendance import too_many_no_shows
from bookings.deciding.steps import missed_by, upcoming_of
from bookings.finding.search import Search
from bookings.models import Booking
from spaces.limits import Limits
from spaces.models import Space
from spaces.setups import Setup
from spaces.slots import Period
from spaces.venue import Venue


def said(
    setup: Setup,
    venue: Venue,
    search: Search,
    *,
    member: User | None,
    now: datetime,
    moving: Booking | None = None,
) -> tuple[str, ...]:
    """Return what a member may not book, or only so much of, in the words of the refusal."""
    if member is None:
        return ()
    limits = [venue.limits(kind) for kind in sorted({place.kind for place in setup.bookable})]
    found = [] if moving else _of_no_shows(setup.space, venue, limits, member, now)
    quotas = tuple(dict.fromkeys(quota for each in limits for quota in each.quotas))
    if quotas and not moving:
        upcoming = upcoming_of(member, setup.space.pk, now)
        found += [problem.message for problem in rules.of_quotas(quotas, upcoming)]
    if any(each.daily for each in limits):
        found += _of_hours(setup.space, venue, limits, search, member, now, moving)
    return tuple(dict.fromkeys(found))


def _of_no_shows(
    space: Space, venue: Venue, limits: Iterable[Limits], member: User, now: datetime
) -> list[str]:
    strikes = dict.fromkeys(rule for each in limits for rule in each.strikes)
    if not strikes:
        return []
    missed = missed_by(member, space.pk, strikes, now)
    return [problem.message for problem in too_many_no_shows(venue, strikes, missed, now)]


def _of_hours(
    space: Space,
    venue: Venue,
    limits: Iterable[Limits],
    search: Search,
    member: User,
    now: datetime,
    moving: Booking | None,
) -> list[str]:
    day = venue.calendar_day(search.day)
    period = search.period or day
    span = Period(min(period.starts_at, day.starts_at), max(period.ends_at, day.ends_at))
    held = daily.held_by(member, space.pk, venue, span, but=moving)
    found: list[str] = []
    for each in limits:
        too_many = daily.exceeded(venue, each, period, held, now=now) if search.period else []
        found += [problem.message for problem in too_many]
        found += [] if too_many else daily.said_of_day(venue, each, search.day, held, now)
    return found
