"""How long to wait, given what was waited for in vain: a process serves one request at a time.

Requests queued behind a wait wait too. So what was waited for in vain is not waited for again
right away, and each such failure quarters the patience for others: however many people are
queueing, their waits add up to less than four thirds of the longest one.
"""

import time
from collections.abc import Hashable, Iterable

from config.databases.breaker import OPEN_SECONDS

KNOWN_SECONDS = 10.0  # after which it may have changed
LEAST = 0.02  # seconds that are always allowed
MANY = 8  # failures after which no patience is left; a long outage has thousands


class Patience[Thing: Hashable]:
    """Remembers what was waited for in vain, until it is available or was long ago."""

    def __init__(self) -> None:
        self._in_vain: dict[Thing, float] = {}

    def lose(self, thing: Thing) -> None:
        self._in_vain[thing] = time.monotonic()

    def regain(self, things: Iterable[Thing]) -> None:
        for thing in things:
            self._in_vain.pop(thing, None)

    def known(self) -> list[Thing]:
        """Return what was waited for in vain."""
        oldest = time.monotonic() - KNOWN_SECONDS
        known = [thing for thing, at in self._in_vain.items() if at > oldest]
        if len(known) < len(self._in_vain):
            self.regain(set(self._in_vain).difference(known))
        return known

    def is_lost(self, thing: Thing) -> bool:
        """Tell whether that was so recent that waiting again is pointless."""
        return time.monotonic() < self._in_vain.get(thing, -OPEN_SECONDS) + OPEN_SECONDS


def quartered(longest: float, times: int) -> float:
    """Return how many seconds to wait after this many waits in vain."""
    return max(longest / 4.0 ** min(times, MANY), LEAST)
