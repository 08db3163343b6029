"""Many parties at one moment: python -m chaos parties [--rounds N] [--engine postgresql|sqlite]

Two games in a restaurant, each round on another evening. In the first, 32 parties of all sizes
want one of 12 places, three of which are combinations: none may be given twice, and nobody may be
refused while a place that would have fitted was left empty. In the second, 100 requests come at
once for a quarter hour in which 25 people may begin. Each engine gets a throwaway database that
writes to the disk. Exits with 1 if anything was wrong.
"""

import os
import random
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from benchmarks.site import in_this_process
from chaos.contested import ENGINES, PATIENCE

PARTIES, REQUESTS = 32, 100
#: Who wants a table, a few of them larger than any.
SIZES = [1, 2, 2, 3, 4, 5, 6, 8, 10]
TABLES = [2, 2, 2, 2, 4, 4, 4, 8, 8]
#: Which tables, counted from the first, are pushed together.
TOGETHER = [(0, 1), (1, 4), (5, 6)]
COVERS, COUPLE = 25, 2
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Round:
    """What became of those who asked at once."""

    refused: int
    #: Who waited longer for the others than the database lets anybody wait.
    unanswered: int
    #: What can't be, in words.
    wrong: tuple[str, ...]


@dataclass(frozen=True)
class Choice(Round):
    """One round of the first game."""

    seated: int


@dataclass(frozen=True)
class Arrivals(Round):
    """One round of the second: how many people may come."""

    people: int


def main(arguments: Sequence[str]) -> int:
    """Play on each engine; return the exit code."""
    parser = ArgumentParser(
        prog="python -m chaos parties",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=30, help="of the first game; a sixth of it")
    parser.add_argument("--engine", choices=ENGINES, help="one of them; otherwise both")
    asked = parser.parse_args(arguments)
    if asked.rounds < 1:
        parser.error("a game takes at least one round")
    if not asked.engine:
        # A process each: Django is set up once in a process.
        again = [sys.executable, "-m", "chaos", "parties", *arguments, "--engine"]
        return max([subprocess.run([*again, engine]).returncode for engine in ENGINES])
    with in_this_process(asked.engine, CACHE_URL="locmemcache://") as heading:
        print(heading, flush=True)
        began = time.monotonic()
        choices = choose(asked.rounds)
        arrivals = arrive(max(1, asked.rounds // 6))
        report(choices, arrivals, asked.engine, time.monotonic() - began)
    rounds: list[Round] = [*choices, *arrivals]
    return int(any(each.wrong for each in rounds))


def choose(rounds: int, *, parties: int = PARTIES) -> list[Choice]:
    """Let parties choose at once, round after round, in a Django that is set up."""
    from bookings.deciding.choosing import book_party

    space, members = _inn(parties), _people(parties)
    dice, threads = random.Random(3), _Threads(parties)
    found = []
    for n in range(rounds):
        at = _evening(n)
        calls = [
            partial(book_party, _wish(space, member, at, dice), by=member, now=datetime.now(UTC))
            for member in members
        ]
        found.append(_judged(space, at, threads.at_once(*calls)))
    threads.close()
    return found


def arrive(rounds: int, *, requests: int = REQUESTS) -> list[Arrivals]:
    """Let couples ask for one quarter hour at once, by three doors in turn."""
    from bookings.models import Booking
    from spaces.factories import PlaceFactory, ShiftFactory

    space, members = _inn(requests), _people(requests)
    PlaceFactory.create_batch(COVERS, space=space, kind="TABLE", capacity=COUPLE)
    evening = {"first_seating": _evening(0).time(), "last_seating": (_evening(0) + HOUR).time()}
    ShiftFactory.create(space=space, covers_online=COVERS, **evening)
    places = list(space.places.filter(capacity=COUPLE).order_by("pk"))
    threads, found = _Threads(requests), []
    for n in range(rounds):
        at = _evening(n)
        calls = [_asking(space, places, m, at, k) for k, m in enumerate(members)]
        told = threads.at_once(*calls)
        _decide_all()
        there = Booking.objects.occupying().filter(place__space=space, starts_at=at)
        people = sum(there.values_list("party_size", flat=True))
        odd, unanswered = _errors(told)
        if people > COVERS or (people < COVERS // COUPLE * COUPLE and not unanswered):
            odd.append(f"{people} people may come, and {COVERS} might have")
        refused = len(told) - there.count() - unanswered
        found.append(Arrivals(refused, unanswered, (*odd, *_violations()), people))
    threads.close()
    return found


def _asking(space: Any, places: Sequence[Any], member: Any, at: datetime, n: int) -> Any:
    """Return what one couple does: by the house's choice, by hand, or in the queue."""
    from bookings.deciding import choosing, services
    from bookings.deciding.errors import Refused
    from bookings.deciding.queueing import decide_next
    from bookings.deciding.wish import PartyWish, Wish

    shared = {"member": member, "starts_at": at, "ends_at": at + HOUR, "party_size": COUPLE}
    wish = Wish(place=places[n % len(places)], **shared)

    def ask() -> object:
        now = datetime.now(UTC)
        try:
            if n % 3 == 0:
                party = PartyWish(space=space, **shared)
                return choosing.book_party(party, by=member, now=now)
            if n % 3 == 1:
                return services.book(wish, by=member, now=now)
            services.request(wish, by=member, now=now)
            return decide_next(now=now)
        except Refused as refused:
            return [problem.code for problem in refused.problems]

    return ask


def _decide_all() -> None:
    from bookings.deciding.queueing import decide_next

    while decide_next(now=datetime.now(UTC)):
        pass


def _inn(people: int) -> Any:
    """Open a restaurant of nine tables and three combinations that share some of them."""
    from spaces.factories import PlaceFactory, PolicyFactory, open_space

    slug = f"inn-{people}-{os.getpid()}-{time.time_ns()}"
    space = open_space(slug=slug, name="Inn", kind="RESTAURANT", places=0, time_zone="UTC")
    PolicyFactory.create(space=space, step_minutes=15, max_days_ahead=3_000)
    tables = [
        PlaceFactory.create(space=space, number=n, kind="TABLE", capacity=size)
        for n, size in enumerate(TABLES, 1)
    ]
    for n, parts in enumerate(TOGETHER):
        seats = sum(tables[part].capacity for part in parts)
        whole = PlaceFactory.create(space=space, number=20 + n, kind="TABLE", capacity=seats + 2)
        whole.parts.set(tables[part] for part in parts)
    return space


def _people(count: int) -> list[Any]:
    from accounts.factories import UserFactory

    run = time.time_ns()
    return [UserFactory.create(username=f"party{n}-{run}") for n in range(count)]


def _evening(n: int) -> datetime:
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return noon + timedelta(days=2 + n)


def _wish(space: Any, member: Any, at: datetime, dice: random.Random) -> Any:
    from bookings.deciding.wish import PartyWish

    starts_at = at + dice.choice([0, 1, 2]) * HOUR / 4
    ends_at = starts_at + 2 * HOUR
    size = dice.choice(SIZES)
    return PartyWish(
        space=space, member=member, starts_at=starts_at, ends_at=ends_at, party_size=size
    )


def _judged(space: Any, at: datetime, told: Sequence[object]) -> Choice:
    """Say what is wrong with what the parties were told: looked at afterwards, nobody left."""
    from bookings.models import Booking

    bookings = [each for each in told if isinstance(each, Booking)]
    refused = [booking for booking in bookings if not booking.occupies]
    odd, unanswered = _errors(told)
    for booking in refused:
        if left := _left_for(space, booking):
            odd.append(f"{booking.party_size} people got nothing, and {left[0]} was left empty")
    wrong = (*odd, *_violations())
    return Choice(len(refused), unanswered, wrong, len(bookings) - len(refused))


def _errors(told: Sequence[object]) -> tuple[list[str], int]:
    """Return what went wrong, and how many waited too long: a page would ask them to try again."""
    from django.db import OperationalError

    errors = [each for each in told if isinstance(each, Exception)]
    odd = [repr(each) for each in errors if not isinstance(each, OperationalError)]
    return odd, len(errors) - len(odd)


def _left_for(space: Any, booking: Any) -> list[Any]:
    """Return the places that are free now and would have suited a refused party."""
    from bookings.deciding.choosing import suits
    from bookings.models import BookedSlot
    from spaces import setups

    setup = setups.current(space.pk)
    venue = setup.venue((), datetime.now(UTC))
    slots = BookedSlot.objects.filter(slot__gte=booking.starts_at, slot__lt=booking.ends_at)
    taken = set(slots.values_list("place", flat=True))
    return [
        place
        for place in setup.bookable
        if suits(place, booking.party_size) and not venue.leaves(place.pk) & taken
    ]


def _violations() -> list[str]:
    from bookings.deciding.invariants import violations

    return [str(each) for each in violations(now=datetime.now(UTC))]


class _Threads:
    """Threads that each keep their connection from one round to the next."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.pool = ThreadPoolExecutor(size)

    def at_once(self, *calls: Callable[[], object]) -> list[object]:
        from django.db import connection

        start = threading.Barrier(len(calls))

        def run(call: Callable[[], object]) -> object:
            connection.ensure_connection()  # opening one takes longer than the race
            start.wait(PATIENCE)
            try:
                return call()
            except Exception as error:  # the round is judged by it
                return error

        return list(self.pool.map(run, calls))

    def close(self) -> None:
        from django.db import connections

        self.at_once(*[connections.close_all] * self.size)
        self.pool.shutdown()


def report(
    choices: Sequence[Choice], arrivals: Sequence[Arrivals], engine: str, seconds: float
) -> None:
    rounds: list[Round] = [*choices, *arrivals]
    wrong = [words for each in rounds for words in each.wrong]
    people = sorted({each.people for each in arrivals})
    lines = {
        "engine": engine,
        "rounds of choosing": f"{len(choices):,}",
        "seated": f"{sum(each.seated for each in choices):,}",
        "refused": f"{sum(each.refused for each in choices):,}",
        "rounds of arriving": f"{len(arrivals):,}",
        "people let in": ", ".join(map(str, people)),
        "requests refused": f"{sum(each.refused for each in arrivals):,}",
        "unanswered": f"{sum(each.unanswered for each in rounds):,}",
        "wrong": f"{len(wrong):,}",
        "duration": f"{seconds:.1f} s",
    }
    print(*(f"  {name:20}{value}" for name, value in lines.items()), "", sep="\n", flush=True)
    for words in wrong[:5]:
        print(f"  {words}")
