"""What somebody just did on the staff's page of a day, in words, with the way back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import pgettext_lazy

from accounts.models import User
from bookings.deciding import undoing, visits
from bookings.models import BookingEvent
from bookings.words import words
from spaces.models import Space

#: Afterwards an address that still names it, such as a bookmark, says nothing.
TOLD_FOR = timedelta(minutes=1)

#: What the page says afterwards.
SAID = {
    BookingEvent.Kind.CHECKED_IN: pgettext_lazy("what just happened", "Arrived: %(who)s."),
    BookingEvent.Kind.SEATED: pgettext_lazy("what just happened", "Seated: %(who)s."),
    BookingEvent.Kind.COMPLETED: pgettext_lazy("what just happened", "Left: %(who)s."),
    BookingEvent.Kind.NO_SHOW: pgettext_lazy("what just happened", "No-show: %(who)s."),
    BookingEvent.Kind.EXTENDED: pgettext_lazy("what just happened", "%(who)s: until %(until)s."),
    BookingEvent.Kind.CANCELLED: pgettext_lazy("what just happened", "Cancelled: %(who)s."),
    BookingEvent.Kind.MOVED: pgettext_lazy("what just happened", "Moved: %(who)s."),
    BookingEvent.Kind.UNDONE: pgettext_lazy("what just happened", "Taken back: %(who)s."),
}


@dataclass(frozen=True)
class Done:
    """What somebody just did to a booking, and how long it can still be taken back."""

    words: str
    undo: str = ""  # the value of the button; empty when it can't be
    seconds: int = 0


def done_of(value: str, space: Space, by: User, now: datetime) -> Done | None:
    """Read from an address what this person just did; None for anything else."""
    code, _dot, number = value.partition(".")
    try:
        key = UUID(code)
    except ValueError:
        return None
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        return None
    events = BookingEvent.objects.of_booking(key).select_related("booking__member")
    event = events.filter(sequence=int(number), actor=by, booking__place__space=space).first()
    if event is None or event.kind not in SAID or now > event.at + TOLD_FOR:
        return None
    booking = event.booking
    member = booking.member
    who = booking.guest_name or (member.get_full_name() if member else "")
    said = SAID[BookingEvent.Kind(event.kind)] % {
        "who": who,
        "until": words.clock(booking.ends_at, space.zone),
    }
    left = (event.at + visits.UNDO_FOR - now).total_seconds()
    can_undo = event.kind in undoing.UNDOABLE and left > 0
    return Done(said, undo=value if can_undo else "", seconds=max(1, int(left)) if can_undo else 5)
