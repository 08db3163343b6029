"""Rounds in which many members want one place at times that all overlap, at the same moment.

The members are threads of several processes, and each books as the site does, by `services.book`.
Pages would take most of the time and decide nothing.
"""

import multiprocessing
import os
import random
import threading
import time
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.site import in_this_process
from chaos import checker, records
from chaos.checker import Answer

PLACES, DAYS = 25, 20  # of one space: so many rounds, each with a place and day of its own
PATIENCE = 300  # seconds until a round is given up: somebody's process is gone
PROCESSES = 8


@dataclass(frozen=True)
class Game:
    rounds: int
    members: Sequence[int]
    places: Sequence[int]
    first_noon: datetime
    run: str

    def period(self, number: int, member: int) -> tuple[datetime, datetime]:
        """Return a stretch around 12:00-12:15 of the round's day, so that all of them overlap."""
        rng = random.Random(f"{number} {member}")
        noon = self.first_noon + timedelta(days=number % DAYS)
        starts_at = noon - timedelta(minutes=15 * rng.randrange(9))
        return starts_at, noon + timedelta(minutes=15 * rng.randrange(1, 9))


@dataclass
class Result:
    answers: list[Answer]
    seconds: float
    wrong: dict[int, list[str]]
    elsewhere: list[str] = field(default_factory=list)

    def told(self, *what: str) -> int:
        return sum(answer.told in what for answer in self.answers)


def main(asked: Namespace) -> int:
    """Play on one engine; print what came of it; return the exit code."""
    with in_this_process(asked.engine, CACHE_URL="locmemcache://") as title:
        print(title, flush=True)
        result = run(os.environ["DATABASE_URL"], asked.rounds, asked.members)
    report(result, asked)
    return 1 if result.wrong or result.elsewhere else 0


def run(url: str, rounds: int, members: int) -> Result:
    game = prepare(rounds, members)
    began = time.monotonic()
    answers = play(game)
    seconds = time.monotonic() - began
    return judge(answers, seconds, url, rounds, members)


def judge(answers: list[Answer], seconds: float, url: str, rounds: int, members: int) -> Result:
    bookings, slots = records.read(url)
    return Result(
        answers,
        seconds,
        checker.contested(answers, bookings, rounds=rounds, members=members),
        [
            *checker.lost(answers, bookings),
            *checker.overlapping(bookings, {}),
            *checker.wrong_slots(bookings, slots, {}),
            *checker.repeated(bookings),
        ],
    )


def prepare(rounds: int, members: int) -> Game:
    from accounts.factories import UserFactory
    from spaces.factories import PolicyFactory, open_space

    people = [UserFactory.create(username=f"contender{n}").pk for n in range(members)]
    places: list[int] = []
    for number in range(-(-rounds // (PLACES * DAYS))):
        space = open_space(slug=f"contested-{number}", places=PLACES, time_zone="UTC")
        PolicyFactory.create(space=space, step_minutes=15)
        places += space.places.values_list("pk", flat=True)
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return Game(rounds, people, places, noon + timedelta(days=2), f"{time.time_ns()}")


def play(game: Game) -> list[Answer]:
    """Let everybody play in processes; return all that they were told."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(game.members))
    queue: Any = context.SimpleQueue()
    shares = [share for n in range(PROCESSES) if (share := game.members[n::PROCESSES])]
    processes = [
        context.Process(target=_process, args=(game, share, barrier, queue), daemon=True)
        for share in shares
    ]
    for process in processes:
        process.start()
    answers: list[Answer] = []
    for _ in processes:
        answers += queue.get()
    for process in processes:
        process.join()
    return answers


def _process(game: Game, share: Sequence[int], barrier: Any, queue: Any) -> None:
    import django

    django.setup()
    answers: list[Answer] = []
    threads = [
        threading.Thread(target=_member, args=(game, member, barrier, answers)) for member in share
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put(answers)


def _member(game: Game, member: int, barrier: Any, answers: list[Answer]) -> None:
    from django.db import connection

    from accounts.models import User

    user = User.objects.get(pk=member)
    for number in range(game.rounds):
        key = f"{game.run}-{number}-{member}"
        try:
            barrier.wait(PATIENCE)
            answers.append(_book(game, number, user, key))
        except Exception as error:  # whatever it is, the round is judged wrong by it
            answers.append(Answer(number, member, key, "ERROR", text=repr(error)))
    connection.close()


def _book(game: Game, number: int, user: Any, key: str) -> Answer:
    from bookings.deciding import services
    from bookings.deciding.errors import Refused
    from bookings.deciding.wish import Wish
    from spaces.models import Place

    starts_at, ends_at = game.period(number, user.pk)
    wish = Wish(
        place=Place(pk=game.places[number // DAYS]),
        member=user,
        starts_at=starts_at,
        ends_at=ends_at,
        request_key=key,
    )
    try:
        booking = services.book(wish, by=user, now=datetime.now(UTC))
    except Refused as refused:
        return Answer(number, user.pk, key, "REFUSED", text=str(refused))
    return Answer(number, user.pk, key, str(booking.state), booking.code)


def report(result: Result, asked: Namespace) -> None:
    tries = len(result.answers)
    lines = {
        "engine": asked.engine,
        "rounds": f"{asked.rounds:,} of {asked.members} members",
        "tries": f"{tries:,}",
        "winners": f"{result.told('CONFIRMED'):,}",
        "refused": f"{result.told('REJECTED', 'REFUSED'):,}",
        "errors": f"{result.told('ERROR'):,}",
        "wrong rounds": f"{len(result.wrong):,}",
        "wrong rows": f"{len(result.elsewhere):,}",
        "duration": f"{result.seconds:.1f} s, {tries / result.seconds:,.0f} tries/s",
    }
    print(*(f"  {name:14}{value}" for name, value in lines.items()), "", sep="\n", flush=True)
    for number, wrong in list(result.wrong.items())[:5]:
        print(f"Round {number}:", *wrong, sep="\n  ")
        print(*(each for each in result.answers if each.round == number), sep="\n  ")
    print(*result.elsewhere[:20], sep="\n", end="")
