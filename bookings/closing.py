"""Closing a space or a place for a time, and what becomes of the bookings there."""

from datetime import datetime

from django.utils.translation import ngettext

from accounts.models import User
from bookings.errors import BookingsInTheWay
from bookings.models import Booking
from bookings.transactions import transactional
from bookings.transitions import cancel_all
from spaces.models import Closure, Place, Space
from spaces.services import lock_places
from spaces.slots import Period
from spaces.venue import Venue


def bookings_in(space: Space, place: Place | None, period: Period, now: datetime) -> list[Booking]:
    """Return the bookings that a closure would fall on, soonest first."""
    found = (
        Booking.objects.in_space(space)
        .upcoming(now)
        .overlapping(period)
        .with_place()
        .select_related("member")
    )
    if place is None:
        return list(found)
    venue = Venue.of(Space.objects.with_setup(since=now, member=None).get(pk=space.pk))
    leaves = venue.leaves(place.pk)
    return [booking for booking in found if leaves & venue.leaves(booking.place_id)]


@transactional
def close(
    space: Space,
    *,
    place: Place | None,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    cancel_bookings: bool,
    by: User,
    now: datetime,
) -> tuple[Closure, list[Booking]]:
    """Close a space (or one place), cancelling what falls in it, or refusing because of it.

    Returns the closure and the cancelled bookings. Raises BookingsInTheWay, nothing changed, when
    there are bookings and `cancel_bookings` is false.
    """
    lock_places(space)
    affected = bookings_in(space, place, Period(starts_at, ends_at), now)
    if affected and not cancel_bookings:
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
    return closure, cancel_all(affected, by=by, now=now, reason=reason)
