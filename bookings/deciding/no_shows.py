"""Those who never come: their places are given back, and the staff may forgive them."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding import attendance, rules
from bookings.deciding.errors import Refused, WrongState
from bookings.deciding.steps import lock_booking
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import change, record
from bookings.deciding.visits import limits_of, locked_for, miss
from bookings.models import Booking, BookingEvent
from bookings.states import State
from spaces import setups
from spaces.setups import Setup

#: How many releases make one unit of a worker's work.
BATCH = 20


def release_unclaimed(*, now: datetime) -> int:
    """Release some of the bookings that nobody checked in for in time; return how many.

    Workers may run this side by side. What has begun and isn't released yet is read each time:
    those are at most as many as there are places.
    """
    released = 0
    for booking in Booking.objects.to_release(now).with_person():
        setup = setups.current(booking.place.space_id)
        if released < BATCH and _is_unclaimed(booking, setup, now):
            released += _release(booking, now=now)
    return released


def _is_unclaimed(booking: Booking, setup: Setup, now: datetime) -> bool:
    window = attendance.check_in(limits_of(booking, setup, now), booking)
    return window is not None and window.is_lost(now)


@transactional
def _release(booking: Booking, *, now: datetime) -> bool:
    booking, setup = lock_booking(booking)
    # They checked in, moved or cancelled meanwhile, or the space asks for something else now.
    if booking.state != State.CONFIRMED or not _is_unclaimed(booking, setup, now):
        return False
    miss(booking, by=None, now=now)
    return True


@transactional
def forgive(booking: Booking, *, reason: str, by: User, now: datetime) -> Booking:
    """Let a no-show count no more; the staff say why. Raises NotStaff, Refused and WrongState."""
    booking = locked_for(booking, by=by)
    if booking.state != State.NO_SHOW or booking.forgiven_at:
        raise WrongState(_("There is no no-show to forgive."))
    if not reason.strip():
        raise Refused([rules.Problem("invalid", _("Say why."))])
    changes = {"forgiven_at": now}
    change(booking, [State.NO_SHOW], expected={"forgiven_at": None}, changes=changes)
    record(BookingEvent.Kind.FORGIVEN, booking, by=by, now=now, reason=reason.strip())
    return booking
