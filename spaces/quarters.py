"""Sets of quarter hours as integers: one operation tells what is open and not taken.

Bit n of a set is the n-th quarter hour since the start of a span. Pure, as `spaces.slots`.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from spaces.slots import SLOT, Period

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def lowest(bits: int) -> int:
    """Return the first member of a set that is not empty."""
    return (bits & -bits).bit_length() - 1


def highest(bits: int) -> int:
    return bits.bit_length() - 1


def from_on(first: int) -> int:
    """Return the set of a quarter hour and all later ones."""
    return -1 << max(first, 0)


def end_of_run(bits: int, start: int) -> int:
    """Return the first quarter hour after `start` that is not in the set."""
    rest = ~(bits >> start)
    return start + lowest(rest)


def runs(bits: int) -> Iterator[tuple[int, int]]:
    """Yield the unbroken stretches of a set, each as its start and its end."""
    while bits:
        low = bits & -bits
        carried = bits + low  # the carry goes through the first stretch and stops after it
        yield low.bit_length() - 1, (carried & ~bits).bit_length() - 1
        bits &= carried


def members(bits: int) -> Iterator[int]:
    while bits:
        yield lowest(bits)
        bits &= bits - 1


def with_room(bits: int, length: int) -> int:
    """Return where `length` quarter hours in a row begin that are all in the set."""
    known = 1
    while known < length:
        more = min(known, length - known)
        bits &= bits >> more
        known += more
    return bits


class Quarters:
    """The quarter hours of a span of time, counted from its start.

    Periods that are not on the grid, as only a set-up changed by hand can have them, are rounded:
    what is open to what is certainly open, what is closed to whatever it touches.
    """

    def __init__(self, span: Period) -> None:
        #: Since 1970: the database counts so.
        self.first = (span.starts_at - EPOCH) // SLOT
        self.count = -((EPOCH - span.ends_at) // SLOT) - self.first

    def floor(self, at: datetime) -> int:
        """Return the quarter hour that contains an instant; it may be outside the span."""
        return (at - EPOCH) // SLOT - self.first

    def ceil(self, at: datetime) -> int:
        """Return the first quarter hour that does not begin before an instant."""
        return -((EPOCH - at) // SLOT) - self.first

    def at(self, quarter: int) -> datetime:
        return EPOCH + (self.first + quarter) * SLOT

    def period(self, start: int, end: int) -> Period:
        return Period(self.at(start), self.at(end))

    def stretch(self, start: int, end: int) -> int:
        """Return the set from a start until before an end, as far as it is in the span."""
        start, end = max(start, 0), min(end, self.count)
        return (1 << end) - (1 << start) if start < end else 0

    def within(self, periods: Iterable[Period]) -> int:
        """Return the quarter hours that these periods contain."""
        bits = 0
        for period in periods:
            bits |= self.stretch(self.ceil(period.starts_at), self.floor(period.ends_at))
        return bits

    def touched(self, periods: Iterable[Period]) -> int:
        """Return the quarter hours that these periods overlap."""
        bits = 0
        for period in periods:
            bits |= self.stretch(self.floor(period.starts_at), self.ceil(period.ends_at))
        return bits
