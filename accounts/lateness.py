"""From when on nobody waits for an answer any more.

A request may be carried out long after whoever sent it has given up and asked again elsewhere: its
process was stopped for a while, or it stood in a queue. Meanwhile they may have moved the booking
once more, and the late request would undo that behind their back. So what was not committed in
time never is; who still waits gets 503, and may ask again.

`config.worker` says when a request arrived. Commands and workers of the queue take their time.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.db import OperationalError

_arrived: ContextVar[float | None] = ContextVar("arrived", default=None)


class Late(OperationalError):
    """It is too late to change anything. A 503, like a database that is away."""


def clock() -> float:
    """Return seconds that nobody can set back, and that go on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@contextmanager
def arrived(ago: float) -> Iterator[None]:
    """Let what happens inside be for a request that arrived so many seconds ago."""
    token = _arrived.set(clock() - ago)
    try:
        yield
    finally:
        _arrived.reset(token)


def require_in_time() -> None:
    """Raise Late if whoever sent the request has given up by now."""
    at = _arrived.get()
    if at is not None and clock() - at > settings.REQUEST_SECONDS:
        raise Late(f"This request is older than {settings.REQUEST_SECONDS:g} s.")
