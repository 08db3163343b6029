"""How many webhooks per second one worker delivers to a receiver on the same machine.

    python -m benchmarks.webhooks [--engine sqlite]

Starts a throwaway database that writes to the disk, books with the service, then starts a worker
process as production does and counts what a receiver in another process received and verified.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

from scripts import postgres

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "var/benchmark.log"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PLACES = 100
AN_HOUR = timedelta(hours=1)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--events", type=int, default=3000)
    asked = parser.parse_args()
    # The receiver is on this machine.
    with site(asked.engine, WEBHOOK_ALLOW_PRIVATE="true"):
        print(machine())
        print("| endpoints | answer takes | deliveries | seconds | deliveries/s | verified |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: |")
        for endpoints, pause in [(1, 0.0), (4, 0.0), (20, 0.0), (4, 0.05), (20, 0.05)]:
            print(measured(endpoints, pause, asked.events), flush=True)


@contextmanager
def site(engine: str, **environment: str) -> Iterator[None]:
    """Give this process and those it starts an empty database."""
    with database(engine) as url:
        os.environ |= {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": "a-key-for-benchmarks-that-signs-nothing-which-matters-0123456789",
            "DEBUG": "false",
            "ALLOWED_HOSTS": "127.0.0.1",
            **environment,
        }
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True
        )
        django.setup()
        yield


@contextmanager
def database(engine: str) -> Iterator[str]:
    if engine == "postgresql":
        with postgres.server(durable=True) as url:
            yield url
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/mesto.sqlite3"


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
    answer = f"{pause * 1000:.0f} ms"
    return f"| {endpoints} | {answer} | {count} | {seconds:.1f} | {rate:.0f} | {heard['good']} |"


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


def machine() -> str:
    from django.db import connection

    load = " ".join(f"{number:.1f}" for number in os.getloadavg())
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version")
            engine = f"PostgreSQL {cursor.fetchone()[0].split()[0]} (fsync on)"
        else:
            cursor.execute("SELECT sqlite_version()")
            engine = f"SQLite {cursor.fetchone()[0]} (WAL)"
    return (
        f"{' '.join(sys.orig_argv[1:])}\n"
        f"{os.cpu_count()} cores, shared with receiver and database; load average at the start "
        f"{load}.\nPython {platform.python_version()}, Django {django.__version__}, {engine}.\n"
    )


if __name__ == "__main__":
    main()
