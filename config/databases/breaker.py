"""Shares what one wait learnt with the process's next requests, so that they don't wait as long.

Otherwise twenty people in front of five processes would queue for one wait after another.
"""

import time

from accounts import watching

OPEN_SECONDS = 1.0  # how long nobody asks again


class Breaker:
    """Remembers that the database did not answer, until it does."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._tripped_at = -OPEN_SECONDS
        self.times = 0  # in a row

    def trip(self) -> None:
        self._tripped_at = time.monotonic()
        self.times += 1
        watching.tell("database_waits", what=self._what)

    def reset(self) -> None:
        self.times = 0

    @property
    def is_open(self) -> bool:
        """Tell whether that was so recent that asking again is pointless."""
        return self.times > 0 and time.monotonic() < self._tripped_at + OPEN_SECONDS
