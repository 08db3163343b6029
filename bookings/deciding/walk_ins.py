"""People who came without a booking: seated at the best place that is free, or not at all.

A place that somebody takes meanwhile is decided by its slots, as everywhere; the next best is
tried. Each try is a transaction of its own and leaves nothing behind when it fails.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding import visits
from bookings.deciding.counting import counted
from bookings.deciding.errors import (
    BookingError,
    NotStaff,
    Refused,
    RequestKeyReused,
    SlotTaken,
    TooLate,
    WrongState,
)
from bookings.deciding.statements import EARLIER_OF_GUEST
from bookings.deciding.steps import REUSED, lock_booking
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import change, move_to, record
from bookings.deciding.visits import UNDO_ACCEPTED_FOR
from bookings.models import Booking, BookingEvent
from bookings.refusals import Door
from bookings.states import State
from spaces.models import Place, Space


@dataclass(frozen=True)
class Seat:
    """A place where somebody could sit now, and until when."""

    place: Place
    ends_at: datetime


@counted(lambda _seats, *, space=None, now, **_: space and (space, now, Door.WALK_IN))
def seat_one_of(
    seats: Iterable[Seat],
    *,
    space: Space | None = None,
    people: int,
    by: User,
    now: datetime,
    name: str = "",
    request_key: str | None = None,
    over_pacing: bool = False,
) -> Booking:
    """Seat a party at the first of these that is still free; see also `visits.walk_in`.

    A refusal is counted in `space`. The same request key returns the visit that it began, wherever
    that is. Raises NotStaff, RequestKeyReused, and when none is free what the last try met:
    SlotTaken or Refused.
    """
    if request_key and (earlier := EARLIER_OF_GUEST.first(key=request_key)):
        if (earlier.channel, earlier.party_size) != (Booking.Channel.WALK_IN, people):
            raise RequestKeyReused(str(REUSED))
        return earlier
    met: BookingError = SlotTaken(_("Nothing is free for so many people now."))
    for seat in seats:
        try:
            return visits.walk_in(
                seat.place,
                party_size=people,
                ends_at=seat.ends_at,
                by=by,
                now=now,
                guest_name=name,
                request_key=request_key,
                over_pacing=over_pacing,
            )
        except (SlotTaken, Refused) as error:
            met = error
    raise met


def undo_now(booking: Booking, *, by: User, now: datetime) -> Booking:
    """Take back that somebody was seated, seconds ago: nobody is there, the place is free.

    Once more is once. Raises NotStaff, TooLate and WrongState.
    """
    booking, setup = lock_booking(booking)
    if not Space.objects.run_by(by).filter(pk=setup.space.pk).exists():
        raise NotStaff(_("Only the staff of that space may do that."))
    last = booking.events.latest("sequence")
    if booking.state == State.CANCELLED and last.sequence == LAST_OF_UNDONE:
        return booking
    is_just_seated = last.sequence == LAST_OF_SEATED and last.kind == BookingEvent.Kind.SEATED
    if booking.channel != Booking.Channel.WALK_IN or not is_just_seated:
        raise WrongState(_("Something else has happened to this booking since."))
    if now > last.at + UNDO_ACCEPTED_FOR:
        raise TooLate(_("It is too late to undo this."))
    changes = {"state": State.CONFIRMED, "checked_in_at": None, "seated_at": None}
    change(booking, [State.CHECKED_IN], expected={}, changes=changes)
    record(BookingEvent.Kind.UNDONE, booking, by=by, now=now, undone=last.kind)
    move_to(State.CANCELLED, booking, by=by, now=now)
    return booking


#: In a transaction of its own.
undo = transactional(undo_now)


#: A walk-in's events: booked, seated; and undone, cancelled.
LAST_OF_SEATED, LAST_OF_UNDONE = 2, 4
