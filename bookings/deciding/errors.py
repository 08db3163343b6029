"""What a service may answer instead of a booking: a code for programs, a sentence for people."""

from collections.abc import Sequence

from bookings.deciding.rules import Problem
from bookings.models import Booking


class BookingError(Exception):
    """A booking service refused; nothing was changed."""

    code = "refused"


class Refused(BookingError):
    """Rules forbid it: `problems` says all of them."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = list(problems)


class SlotTaken(BookingError):
    """Somebody else has the place for a part of that time."""

    code = "slot_taken"


class RequestKeyReused(BookingError):
    """The same request key came with other content."""

    code = "request_key_reused"


class WrongState(BookingError):
    """The booking is past what was asked of it, for example cancelled already."""

    code = "wrong_state"


class TooLate(BookingError):
    """The deadline for this change has passed."""

    code = "too_late"


class BookingsInTheWay(BookingError):
    """A closure falls on bookings; `bookings` lists them."""

    code = "bookings_in_the_way"

    def __init__(self, message: str, bookings: Sequence[Booking]) -> None:
        super().__init__(message)
        self.bookings = list(bookings)
