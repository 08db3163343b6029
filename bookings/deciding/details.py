"""A booking's details besides place and time: a note, and who the guest is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from bookings.deciding import knowing, links
from bookings.deciding.errors import WrongState
from bookings.deciding.statements import LAST_SEQUENCE
from bookings.deciding.steps import lock_member, require_name
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

#: What names a guest, and how to reach one.
CONTACT = ("guest_name", "guest_contact")


def contact_before(booking: Booking, changes: Mapping[str, str]) -> dict[str, str]:
    """Return what the guest's name and contact are before these changes, of those that change."""
    return {name: getattr(booking, name) for name in CONTACT if name in changes}


def require_known(booking: Booking, seen: int | None) -> None:
    """Raise WrongState if more has happened to a locked booking than whoever asks has `seen`.

    Or a form that was opened before would put back what somebody else changed meanwhile.
    """
    if seen is not None and LAST_SEQUENCE.first(booking=booking.pk) != seen:
        raise WrongState(_("This booking was changed a moment ago. Look at it again."))


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

    Raises WrongState, and Refused for a guest without a name.
    """
    changes = details.changes(booking)
    if not changes:
        return
    if booking.is_undecided:
        raise WrongState(_("This booking is not decided yet. Look again in a moment."))
    if not booking.is_upcoming(now):
        raise WrongState(_("This booking is over: its details can’t be changed any more."))
    if "guest_name" in changes:
        require_name(changes["guest_name"])
    contact = contact_before(booking, changes)
    change(booking, sorted(OCCUPYING), expected={}, changes=changes)
    if "guest_contact" in changes:
        relink(booking, now=now)
    record(BookingEvent.Kind.AMENDED, booking, by=by, now=now, contact=contact)


def relink(booking: Booking, *, now: datetime) -> None:
    """Find out who the guest is, now that the contact is another; stop links at the old one."""
    links.revoke(booking, now=now)
    guest = knowing.guest_of(booking, now=now, learn=True)
    if guest != booking.guest:
        change(booking, sorted(OCCUPYING), expected={}, changes={"guest": guest})
