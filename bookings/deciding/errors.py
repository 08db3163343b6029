"""What a service may raise instead of booking: a code for programs, a sentence for people."""

from collections.abc import Sequence

from bookings.deciding.rules import Problem
from bookings.models import Booking


class BookingError(Exception):
    """A booking service refused; nothing was changed."""

    code = "refused"


class Refused(BookingError):
    """Rules forbid it: `problems` lists all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = list(problems)


class SlotTaken(BookingError):
    """Somebody else has the place for part of that time."""

    code = "slot_taken"


class RequestKeyReused(BookingError):
    """The same request key was used with other content."""

    code = "request_key_reused"


class WrongState(BookingError):
    """The booking's state doesn't allow it, for example because it is already cancelled."""

    code = "wrong_state"


class NotStaff(BookingError):
    """Only somebody else may do this: the staff of the space, or whoever did what it undoes."""

    code = "not_staff"


class TooLate(BookingError):
    """The deadline for this change has passed."""

    code = "too_late"


class BookingsInTheWay(BookingError):
    """A closure overlaps bookings; `bookings` lists them."""

    code = "bookings_in_the_way"

    def __init__(self, message: str, bookings: Sequence[Booking]) -> None:
        super().__init__(message)
        self.bookings = list(bookings)
