"""Public identifiers."""

import os
import time
from uuid import UUID


def new_code() -> UUID:
    """Return a UUIDv7 (RFC 9562 §5.7): unguessable, sorted by the millisecond it was made in."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    number = milliseconds << 80 | random
    number = number & ~(0xF << 76) | 0x7 << 76  # version
    number = number & ~(0x3 << 62) | 0x2 << 62  # variant
    return UUID(int=number)
