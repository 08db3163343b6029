"""What one wait learnt, the next requests of the process know: they don't wait as long again.

Twenty people before five processes would otherwise queue for one wait after another.
"""

import time

OPEN_SECONDS = 1.0  # how long nobody asks again


class Breaker:
    """Remembers that the database did not answer, until it does."""

    def __init__(self) -> None:
        self._tripped_at: float | None = None

    def trip(self) -> None:
        self._tripped_at = time.monotonic()

    def reset(self) -> None:
        self._tripped_at = None

    @property
    def is_suspect(self) -> bool:
        """Tell whether the last answer failed to come."""
        return self._tripped_at is not None

    @property
    def is_open(self) -> bool:
        """Tell whether that was so lately that asking again is of no use."""
        tripped_at = self._tripped_at
        return tripped_at is not None and time.monotonic() < tripped_at + OPEN_SECONDS
