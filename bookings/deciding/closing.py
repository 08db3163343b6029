"""Close a space or a place for a time, and deal with the bookings there."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.utils.translation import ngettext

from accounts.models import User
from bookings.deciding.errors import BookingsInTheWay
from bookings.deciding.stranding import Choice
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import cancel_all, keep_all
from bookings.models import Booking
from spaces import setups
from spaces.models import Closure, Place, Space
from spaces.services import lock_places
from spaces.slots import Period
from spaces.venue import Venue


def bookings_in(space: Space, place: Place | None, period: Period, now: datetime) -> list[Booking]:
    """Return the bookings that a closure would overlap, soonest first."""
    found = (
        Booking.objects.in_space(space)
        .upcoming(now)
        .overlapping(period)
        .with_place()
        .select_related("member")
    )
    if place is None:
        return list(found)
    venue = setups.current(space.pk).venue((), now)
    leaves = venue.leaves(place.pk)
    return [booking for booking in found if leaves & venue.leaves(booking.place_id)]


def whole_days(venue: Venue, first: date, last: date) -> Period:
    """Return what "closed on Friday" means: Friday's night is included, Thursday's isn't."""
    day = venue.day_span(first)
    night_before = max((o.ends_at for o in venue.openings(first - timedelta(days=1))), default=None)
    starts_at = day.starts_at if night_before is None else max(day.starts_at, night_before)
    return Period(starts_at, venue.day_span(last).ends_at)


@transactional
def close(
    space: Space,
    *,
    place: Place | None,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    choice: Choice | None,
    shown: Collection[UUID] | None = None,
    by: User | None,
    now: datetime,
) -> tuple[Closure, list[Booking]]:
    """Close a space (or one place), and keep or cancel the bookings in the way or refuse for them.

    Returns the closure and the bookings that were kept or cancelled. Raises BookingsInTheWay and
    changes nothing when there are bookings and no `choice`, or when one of them is not among the
    codes that a person was `shown` (None: whatever is there).
    """
    lock_places(space)
    affected = bookings_in(space, place, Period(starts_at, ends_at), now)
    unseen = shown is not None and {booking.code for booking in affected} - set(shown)
    if affected and (unseen or choice is None):
        raise BookingsInTheWay(
            ngettext(
                "%(n)d booking falls in that time.",
                "%(n)d bookings fall in that time.",
                len(affected),
            )
            % {"n": len(affected)},
            affected,
        )
    closure = Closure.objects.create(
        space=space, place=place, starts_at=starts_at, ends_at=ends_at, reason=reason
    )
    if choice == Choice.KEEP:
        return closure, keep_all(affected, problems=["closed"], by=by, now=now)
    return closure, cancel_all(affected, by=by, now=now, reason=reason)
