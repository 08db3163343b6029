"""A booking's details besides place and time: a note, and who the guest is."""

from dataclasses import asdict, dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from bookings.deciding import knowing, links
from bookings.deciding.errors import WrongState
from bookings.deciding.steps import lock_member
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import change, record
from bookings.guests import Actor
from bookings.models import Booking, BookingEvent
from bookings.states import OCCUPYING


@dataclass(frozen=True, kw_only=True)
class Details:
    """The new values; None leaves one as it is."""

    note: str | None = None
    guest_name: str | None = None
    guest_contact: str | None = None

    def changes(self, booking: Booking) -> dict[str, str]:
        """Return what has to be written: nothing if the booking already says so."""
        said = {name: text for name, text in asdict(self).items() if text is not None}
        return {name: text for name, text in said.items() if text != getattr(booking, name)}


UNCHANGED = Details()


@transactional
def amend(booking: Booking, details: Details, *, by: Actor, now: datetime) -> Booking:
    """Change a booking's details. No deadline: nobody else's plans depend on them.

    Raises WrongState, and Refused when the account is closed: its notes are erased.
    """
    if booking.member is not None:
        lock_member(booking.member)
    Booking.objects.select_for_update(no_key=True).get(pk=booking.pk)  # after a running move
    booking = Booking.objects.with_person().get(pk=booking.pk)
    write(booking, details, by=by, now=now)
    return booking


def write(booking: Booking, details: Details, *, by: Actor, now: datetime) -> None:
    """Change the locked row and record the event, if there is anything to change.

    Raises WrongState.
    """
    changes = details.changes(booking)
    if not changes:
        return
    if booking.is_undecided:
        raise WrongState(_("This booking is not decided yet. Look again in a moment."))
    if not booking.is_upcoming(now):
        raise WrongState(_("This booking is over: its details can't be changed any more."))
    change(booking, sorted(OCCUPYING), expected={}, changes=changes)
    if "guest_contact" in changes:
        relink(booking, now=now)
    record(BookingEvent.Kind.AMENDED, booking, by=by, now=now)


def relink(booking: Booking, *, now: datetime) -> None:
    """Find out who the guest is, now that the contact is another; stop links at the old one."""
    links.revoke(booking, now=now)
    guest = knowing.guest_of(booking, now=now, learn=True)
    if guest != booking.guest:
        change(booking, sorted(OCCUPYING), expected={}, changes={"guest": guest})
