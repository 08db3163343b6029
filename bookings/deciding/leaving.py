"""A member leaves: upcoming bookings are given back, past ones stay without a name."""

from datetime import datetime

from django.contrib.admin.models import LogEntry

from accounts.models import User
from accounts.personal import Traces, blank_entries
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
    forget_as_guest(member, now=now)
    erase(member, now=now)
    return len(cancelled)


def erase_bookings(traces: Traces, now: datetime) -> None:
    """Take out of a person's bookings, and of their events, whatever somebody wrote.

    What the staff gave as a reason may name them too.
    """
    theirs = Booking.objects.of(traces.user)
    keys = list(theirs.order_by().values_list("pk", flat=True))
    theirs.update(note="", request_key=None, guest_name="", guest_contact="")
    events = BookingEvent.objects.filter(booking__in=keys)
    events.update(reason="", contact_before={})
    for event in events.exclude(data__note=""):
        event.data["note"] = ""
        event.save(update_fields=["data"])
    log = LogEntry.objects.filter(content_type__app_label="bookings", content_type__model="booking")
    blank_entries(log.filter(object_id__in=list(map(str, keys))))
