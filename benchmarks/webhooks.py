"""How many webhooks per second one worker delivers to a receiver on the same machine.

    python -m benchmarks --webhooks [--engine sqlite]

Starts a throwaway database that writes to the disk, books with the service, then starts a worker
process as production does and counts what a receiver in another process received and verified.
"""

import json
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.report import head, line
from benchmarks.site import LOG, ROOT, in_this_process

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLACES = 100
EVENTS = 3000
AN_HOUR = timedelta(hours=1)


def main(asked: Namespace) -> None:
    # The receiver is on this machine.
    with in_this_process(asked.engine, WEBHOOK_ALLOW_PRIVATE="true") as title:
        print(title)
        print(
            head(("endpoints", "answer takes", "deliveries", "seconds", "deliveries/s", "verified"))
        )
        for endpoints, pause in [(1, 0.0), (4, 0.0), (20, 0.0), (4, 0.05), (20, 0.05)]:
            print(measured(endpoints, pause, EVENTS), flush=True)


def measured(endpoints: int, pause: float, events: int) -> str:
    """Book, start the worker, and wait until everything has arrived; from the first arrival on."""
    from django.db import connections

    from notifications.models import Delivery, Endpoint

    Endpoint.objects.all().delete()
    with receiver(pause) as port:
        prepare(endpoints, events // endpoints, port)
        connections.close_all()
        with worker():
            deadline = time.monotonic() + 300
            while Delivery.objects.filter(endpoint__channel="WEBHOOK").pending().exists():
                assert time.monotonic() < deadline, "it takes too long"
                time.sleep(0.2)
        heard = ask(port)
    count, seconds = heard["count"], heard["last"] - heard["first"]
    rate = (count - 1) / seconds
    cells = (endpoints, f"{pause * 1000:.0f} ms", count, f"{seconds:.1f}", f"{rate:.0f}")
    return line(map(str, (*cells, heard["good"])))


def prepare(endpoints: int, each: int, port: int) -> None:
    """Make spaces with a webhook each, and bookings whose events are waiting to be sent."""
    from notifications import relay
    from notifications.models import Endpoint

    for n in range(endpoints):
        Endpoint.objects.create(
            channel="WEBHOOK",
            space=booked_space(each),
            url=f"http://127.0.0.1:{port}/{n}",
            secret=SECRET,
            created_at=datetime.now(UTC),
        )
    while relay.fan_out(now=datetime.now(UTC)):
        pass


def booked_space(bookings: int) -> Any:
    """Make a space with this many bookings, each with its event in the log."""
    from bookings.deciding import services
    from bookings.deciding.wish import Wish
    from spaces.factories import open_space

    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    slug = f"s{time.monotonic_ns()}"
    space = open_space(slug=slug, name=slug, places=PLACES)
    places = list(space.places.order_by("number"))
    for k in range(bookings):
        day = now + timedelta(days=1 + k // (PLACES * 10))
        starts_at = day.replace(hour=9) + AN_HOUR * (k // PLACES % 10)
        services.book(
            Wish(
                place=places[k % PLACES],
                member=member(),
                starts_at=starts_at,
                ends_at=starts_at + AN_HOUR,
                party_size=1,
            ),
            by=member(),
            now=now,
        )
    return space


def member() -> Any:
    from accounts.models import User

    return User.objects.get_or_create(username="benchmark")[0]


# --- The receiver ---------------------------------------------------------------------------------


@contextmanager
def receiver(pause: float) -> Iterator[int]:
    command = [sys.executable, str(ROOT / "benchmarks/webhook_receiver.py"), str(pause), SECRET]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def ask(port: int) -> dict[str, float]:
    from urllib.request import urlopen

    with urlopen(f"http://127.0.0.1:{port}/") as answer:
        found: dict[str, float] = json.load(answer)
    return found


@contextmanager
def worker() -> Iterator[None]:
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "worker"], cwd=ROOT, stdout=log, stderr=log
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait()
