"""A member leaves: upcoming bookings are given back, past ones stay without a name."""

from datetime import datetime

from accounts.models import User
from accounts.services import erase
from bookings.deciding.forgetting import forget_as_guest
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import cancel_all
from bookings.models import Booking, BookingEvent


@transactional
def leave(member: User, *, by: User, now: datetime) -> int:
    """Delete an account: cancel its upcoming bookings, erase everything that names the person.

    Rows and events stay, linked to a person without name, login or address. Returns the number of
    cancelled bookings.
    """
    member = User.objects.select_for_update(no_key=True).get(pk=member.pk)
    upcoming = list(Booking.objects.of(member).upcoming(now).with_place())
    cancelled = cancel_all(upcoming, by=by, now=now)
    Booking.objects.of(member).exclude(note="").update(note="")
    events = BookingEvent.objects.filter(booking__member=member).exclude(data__note="")
    for event in events:
        event.data["note"] = ""
        event.save(update_fields=["data"])
    forget_as_guest(member, now=now)
    erase(member, now=now)
    return len(cancelled)
