"""The `Prefer` header (RFC 7240): `respond-async` and `wait=n`, and the waiting itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from fcntl import LOCK_EX, LOCK_NB, flock
from typing import Annotated

from django.conf import settings
from django.http import HttpRequest
from ninja import Header

from bookings.models import Booking
from bookings.states import UNDECIDED

LONGEST = timedelta(seconds=20)
PAUSE = 0.1  # seconds between checks

Async = Annotated[
    str,
    Header(
        "",
        alias="Prefer",
        description="`respond-async`: answer 202 at once and decide afterwards (RFC 7240).",
        examples=["respond-async"],
    ),
]
Wait = Annotated[
    str,
    Header(
        "",
        alias="Prefer",
        description="`wait=n`: wait up to n seconds, 20 at most, while it is undecided (RFC 7240).",
        examples=["wait=10"],
    ),
]


def preferences(request: HttpRequest) -> dict[str, str]:
    """Parse the header; the first of a repeated preference counts, parameters are ignored."""
    found: dict[str, str] = {}
    for part in request.headers.get("Prefer", "").split(","):
        name, _equals, value = part.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def wants_async(request: HttpRequest) -> bool:
    return "respond-async" in preferences(request)


def seconds_to_wait(request: HttpRequest) -> int:
    """Return how many seconds the client will wait; 0 when it says nothing sensible."""
    value = preferences(request).get("wait", "")
    if not (value.isascii() and value.isdigit()):
        return 0
    return min(int(value[:9]), int(LONGEST.total_seconds()))


def wait_for_decision(booking: Booking, seconds: int) -> bool:
    """Poll until a booking is decided; tell whether we waited at all.

    A waiting request occupies a web process, so only some requests may wait.
    """
    with _seat() as is_free:
        if not is_free:
            return False
        until = time.monotonic() + seconds
        while booking.state in UNDECIDED and time.monotonic() < until:
            time.sleep(PAUSE)
            booking.refresh_from_db(from_queryset=Booking.objects.with_person())
    return True


@contextmanager
def _seat() -> Iterator[bool]:
    """Take one of the few seats for waiting, if one is free.

    A file lock: all processes on this machine see it, and a killed one releases it.
    """
    settings.VAR_DIR.mkdir(exist_ok=True)
    for number in range(settings.API_WAITERS):
        with open(settings.VAR_DIR / f"waiting-{number}.lock", "w") as seat:
            try:
                flock(seat, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                continue
            yield True
            return
    yield False
