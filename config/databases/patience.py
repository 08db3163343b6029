"""How long to wait, by what was waited for in vain: a process serves one request at a time.

Whoever comes behind a wait waits too. So what somebody waited for in vain is not waited for again
at once, and each such thing quarters the patience for others: however many people stand in a queue,
their waits together stay under four thirds of the longest one.
"""

import time
from collections.abc import Hashable, Iterable

from config.databases.breaker import OPEN_SECONDS

KNOWN_SECONDS = 10.0  # after which nobody can tell any more
LEAST = 0.02  # seconds that there are always


class Patience[Thing: Hashable]:
    """Remembers what was waited for in vain, until it could be had or was long ago."""

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
        """Tell whether that was so lately that waiting again is of no use."""
        return time.monotonic() < self._in_vain.get(thing, -OPEN_SECONDS) + OPEN_SECONDS


def quartered(longest: float, times: int) -> float:
    """Return how many seconds to wait after so many things were waited for in vain."""
    return max(longest / 4.0**times, LEAST)
