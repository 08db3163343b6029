"""Coming at the last moment: python -m chaos unclaimed [--rounds N] [--engine postgresql|sqlite]

Rounds in which three things happen to one booking at the same moment: its member checks in, a
worker releases it because nobody has, and somebody else books part of its time. Each engine gets a
throwaway database that writes to the disk. Exits with 1 unless of check-in and release exactly one
won each time, everybody was told the truth, and nobody else got a place that somebody had claimed.
"""

import os
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.site import in_this_process
from chaos.contested import ENGINES, PATIENCE

PLACES = 25
HELD = timedelta(minutes=20)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Round:
    """What the three were told, and what is stored."""

    came: str
    released: str
    booked: str
    state: str
    kinds: tuple[str, ...]
    slots: int

    @property
    def wrong(self) -> str:
        """Say what can't be; empty if one of the two has won."""
        if self.state not in ("CHECKED_IN", "NO_SHOW"):
            return "nobody won"
        if self.kinds != ("CONFIRMED", self.state):
            return "the events tell something else"
        is_here = self.state == "CHECKED_IN"
        if (self.came == "CHECKED_IN") != is_here:
            return "the member was told something else"
        if (self.released == "1") == is_here:
            return "the worker was told something else"
        if self.slots != (4 if is_here else 0):
            return "the slots are not those of the state"
        if self.booked not in ("CONFIRMED", "REJECTED"):
            return "whoever booked had no answer"
        if self.booked == "CONFIRMED" and is_here:
            return "somebody got a place that was claimed"
        return ""


def main(arguments: Sequence[str]) -> int:
    """Play on each engine; return the exit code."""
    parser = ArgumentParser(
        prog="python -m chaos unclaimed",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--engine", choices=ENGINES, help="one of them; otherwise both")
    asked = parser.parse_args(arguments)
    if asked.rounds < 1:
        parser.error("a game takes at least one round")
    if not asked.engine:
        # A process each: Django is set up once in a process.
        again = [sys.executable, "-m", "chaos", "unclaimed", *arguments, "--engine"]
        return max([subprocess.run([*again, engine]).returncode for engine in ENGINES])
    with in_this_process(asked.engine, CACHE_URL="locmemcache://") as heading:
        print(heading, flush=True)
        began = time.monotonic()
        rounds = play(asked.rounds)
        report(rounds, asked.engine, time.monotonic() - began)
    return int(any(each.wrong for each in rounds))


def play(rounds: int) -> list[Round]:
    """Play rounds one after the other, in a Django that is set up."""
    from accounts.factories import UserFactory
    from spaces.factories import PolicyFactory, open_space

    run = f"{os.getpid()}-{time.time_ns()}"
    space = open_space(slug=f"unclaimed-{run}", places=PLACES, time_zone="UTC")
    minutes = HELD // timedelta(minutes=1)
    PolicyFactory.create(space=space, step_minutes=15, release_after_minutes=minutes)
    alice, bob = (UserFactory.create(username=f"{name}-{run}") for name in ("alice", "bob"))
    places = list(space.places.order_by("number"))
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    with ThreadPoolExecutor(3) as pool:
        found = [
            _round(pool, places[n % PLACES], noon + timedelta(days=2 + n // PLACES), alice, bob)
            for n in range(rounds)
        ]
        at_once(pool, [close] * 3)
    return found


def _round(pool: ThreadPoolExecutor, place: Any, at: datetime, alice: Any, bob: Any) -> Round:
    from bookings.deciding import services, visits
    from bookings.deciding.no_shows import release_unclaimed
    from bookings.deciding.wish import Wish

    mine = Wish(place=place, member=alice, starts_at=at, ends_at=at + HOUR)
    booking = services.book(mine, by=alice, now=at - HOUR)
    theirs = Wish(place=place, member=bob, starts_at=at + HOUR / 2, ends_at=at + HOUR)
    now = at + HELD
    came, released, booked = at_once(
        pool,
        [
            lambda: visits.check_in(booking, by=alice, now=now).state,
            lambda: release_unclaimed(now=now),
            lambda: services.book(theirs, by=bob, now=now).state,
        ],
    )
    booking.refresh_from_db()
    return Round(
        came,
        released,
        booked,
        str(booking.state),
        tuple(booking.events.order_by("sequence").values_list("kind", flat=True)),
        booking.booked_slots.count(),
    )


def at_once(pool: ThreadPoolExecutor, calls: Sequence[Callable[[], object]]) -> list[str]:
    """Do all of these at the same moment; return what each led to, or the name of its error."""
    from django.db import connection

    start = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> str:
        connection.ensure_connection()  # opening one takes longer than the race
        start.wait(PATIENCE)
        try:
            return str(call())
        except Exception as error:  # the round is judged by it
            return type(error).__name__

    return list(pool.map(run, calls))


def close() -> None:
    from django.db import connection

    connection.close()


def report(rounds: Sequence[Round], engine: str, seconds: float) -> None:
    told = Counter(each.state for each in rounds)
    booked = sum(each.booked == "CONFIRMED" for each in rounds)
    wrong = [each for each in rounds if each.wrong]
    lines = {
        "engine": engine,
        "rounds": f"{len(rounds):,}",
        "checked in": f"{told['CHECKED_IN']:,}",
        "released": f"{told['NO_SHOW']:,}",
        "booked at once": f"{booked:,}",
        "wrong rounds": f"{len(wrong):,}",
        "duration": f"{seconds:.1f} s",
    }
    print(*(f"  {name:16}{value}" for name, value in lines.items()), "", sep="\n", flush=True)
    for each in wrong[:5]:
        print(f"  {each.wrong}: {each}")
