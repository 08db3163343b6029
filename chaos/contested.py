"""Crowds against one place: python -m chaos contested [--rounds N] [--engine postgresql|sqlite]

Rounds in which many members want one place at times that all overlap, at the same moment. Each
engine gets a throwaway database that writes to the disk. Exits with 1 unless every round had
exactly one winner, and every player was heard to the end.

The members are threads of several processes, and each books as the site does, by `services.book`:
pages would take most of the time and decide nothing. Or over HTTP, by the API: see `chaos.doors`.

With composites, they want a hall, halves of it, or single parts: several may win, but no two who
share a part, and nobody may lose without a winner in the way.
"""

import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import django

from benchmarks.site import ROOT, Tree, Web, in_this_process, machine, title
from chaos import checker, players, records
from chaos.checker import Answer
from chaos.doors import Api, Door, Services, Wanted

ENGINES = ("postgresql", "sqlite")
PLACES, DAYS = 25, 20  # of one space: so many rounds, each with a place and day of its own
HALL = 5  # places that share parts: three parts, a half, and the hall
PATIENCE = 300  # seconds until a round is given up: somebody's thread is gone
GAME = 500  # rounds, then others play: nobody has thousands of bookings to come
PROCESSES = 8  # at most
WEBS = 4  # processes of gunicorn, when there is no site yet
SHARE = 4  # members a process


@dataclass(frozen=True)
class Game:
    rounds: int
    members: Sequence[int]
    grounds: Sequence[Sequence[int]]  # places, of which members want one; mostly there is one
    first_noon: datetime
    run: str
    codes: dict[int, str] = field(default_factory=dict)  # of the places
    tokens: dict[int, str] = field(default_factory=dict)  # of the members
    site: str = ""  # that is asked over HTTP; empty: the services are called

    def wanted(self, number: int, member: int) -> Wanted:
        """Return a stretch around 12:00-12:15 of the round's day, so that all of them overlap."""
        rng = random.Random(f"{number} {member}")
        noon = self.first_noon + timedelta(days=number % DAYS)
        starts_at = noon - timedelta(minutes=15 * rng.randrange(9))
        ends_at = noon + timedelta(minutes=15 * rng.randrange(1, 9))
        ground = self.grounds[number // DAYS]
        place = ground[0] if len(ground) == 1 else rng.choice(ground)
        return Wanted(place, starts_at, ends_at, f"{self.run}-{number}-{member}")

    def door(self, member: int) -> Door:
        if self.site:
            return Api(self.site, self.tokens[member], self.codes)
        return Services(member)


@dataclass
class Result:
    answers: list[Answer]
    seconds: float
    wrong: dict[int, list[str]]
    elsewhere: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)  # who of the players was lost

    def told(self, *what: str) -> int:
        return sum(answer.told in what for answer in self.answers)

    @property
    def is_good(self) -> bool:
        return not (self.wrong or self.elsewhere or self.gone)

    def add(self, game: "Result", first_round: int) -> None:
        """Add what came of a game whose rounds are counted from this one on."""
        self.answers += [replace(each, round=each.round + first_round) for each in game.answers]
        self.seconds += game.seconds
        self.wrong |= {number + first_round: wrong for number, wrong in game.wrong.items()}
        self.elsewhere += game.elsewhere
        self.gone += game.gone


def main(arguments: Sequence[str]) -> int:
    """Play on each engine; return the exit code."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.rounds < 1 or asked.members < 2:
        parser.error("a contest takes at least one round and two members")
    if asked.http and "DATABASE_URL" not in os.environ:
        parser.error("a site that runs is contested together with its DATABASE_URL")
    if asked.engine or asked.http:
        return contest(asked)
    # A process each: Django is set up once in a process.
    again = [sys.executable, "-m", "chaos", "contested", *arguments, "--engine"]
    return max([subprocess.run([*again, engine]).returncode for engine in ENGINES])


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m chaos contested",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--engine", choices=ENGINES, help="one of them; otherwise both")
    parser.add_argument(
        "--composites",
        action="store_true",
        help="members want a hall, a half of it or its parts; several may win",
    )
    parser.add_argument(
        "--http",
        nargs="?",
        const="",
        metavar="URL",
        help="book by the API: of a site that runs, with DATABASE_URL as its database, where "
        "spaces and members are added; without a URL, of gunicorn that is started for it",
    )
    return parser


def contest(asked: Namespace) -> int:
    """Play on one engine; print what came of it; return the exit code."""
    with place_of(asked) as (site, heading):
        print(heading, flush=True)
        result = run(
            os.environ["DATABASE_URL"],
            asked.rounds,
            asked.members,
            site=site,
            composites=asked.composites,
        )
    report(result, asked)
    return 0 if result.is_good else 1


@contextmanager
def place_of(asked: Namespace) -> Iterator[tuple[str, str]]:
    """Set Django up for a database; yield the site that is asked over HTTP, and what to print."""
    if asked.http:  # it runs already, with the database of DATABASE_URL
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        django.setup()
        yield asked.http, title(machine(Tree(ROOT)))
        return
    with in_this_process(asked.engine, CACHE_URL="locmemcache://") as heading:
        if asked.http is None:
            yield "", heading
            return
        with Web(processes=WEBS).serving(Tree(ROOT)) as (port, _pid):
            yield f"http://127.0.0.1:{port}", heading


def run(url: str, rounds: int, members: int, *, site: str = "", composites: bool = False) -> Result:
    """Play one game after the other, until one is lost or all rounds were played."""
    result = Result([], 0, {})
    for first in range(0, rounds, GAME):
        game = prepare(min(GAME, rounds - first), members, site=site, composites=composites)
        began = time.monotonic()
        answers, gone = play(game)
        result.add(judge(game, answers, gone, time.monotonic() - began, url), first)
        if not result.is_good:
            break
        if sys.stderr.isatty():
            print(f"\r{first + game.rounds:,} of {rounds:,} rounds", end="", file=sys.stderr)
    return result


def judge(game: Game, answers: list[Answer], gone: list[str], seconds: float, url: str) -> Result:
    bookings, slots = records.read(url)
    leaves = records.leaves(url)
    # A site that runs has other bookings too, which may change while they are read.
    theirs = {place for ground in game.grounds for place in ground}
    bookings = [each for each in bookings if each.place in theirs]
    mine = {each.id for each in bookings}
    taken = {leaf for place in theirs for leaf in leaves.get(place, [place])}
    slots = [each for each in slots if each.booking in mine or each.place in taken]
    return Result(
        answers,
        seconds,
        checker.contested(
            answers,
            bookings,
            rounds=game.rounds,
            members=len(game.members),
            leaves=leaves if any(len(ground) > 1 for ground in game.grounds) else None,
        ),
        [
            *checker.lost(answers, bookings),
            *checker.overlapping(bookings, leaves),
            *checker.wrong_slots(bookings, slots, leaves),
            *checker.repeated(bookings),
            *checker.unknown(answers, bookings),
        ],
        gone,
    )


def prepare(rounds: int, members: int, *, site: str = "", composites: bool = False) -> Game:
    """Make the members and places of a game in the database."""
    from accounts.factories import UserFactory
    from spaces.factories import PolicyFactory, open_space

    run = f"{time.time_ns()}"
    people = [UserFactory.create(username=f"contender{n}-{run}") for n in range(members)]
    grounds: list[list[int]] = []
    codes: dict[int, str] = {}
    while len(grounds) * DAYS < rounds:
        slug = f"contested-{len(grounds) // PLACES}-{run}"
        space = open_space(slug=slug, places=PLACES, time_zone="UTC")
        PolicyFactory.create(space=space, step_minutes=15)
        grounds += halls(space) if composites else [[pk] for pk in _keys(space)]
        codes |= {pk: str(code) for pk, code in space.places.values_list("pk", "code")}
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return Game(
        rounds,
        [person.pk for person in people],
        grounds,
        noon + timedelta(days=2),
        run,
        codes,
        {person.pk: token_of(person) for person in people} if site else {},
        site,
    )


def _keys(space: Any) -> list[int]:
    return list(space.places.order_by("number").values_list("pk", flat=True))


def halls(space: Any) -> list[list[int]]:
    """Make a hall of three parts, two of which are a half, out of each five places of a space."""
    from spaces.services import set_parts

    places = list(space.places.order_by("number"))
    grounds = [places[n : n + HALL] for n in range(0, len(places) - HALL + 1, HALL)]
    for one, two, three, half, hall in grounds:
        set_parts(half, [one, two])
        set_parts(hall, [half, three])
    return [[place.pk for place in ground] for ground in grounds]


def token_of(person: Any) -> str:
    from accounts.tokens import issue

    now = datetime.now(UTC)
    _token, text = issue(person, name="contest", scope="WRITE", expires_at=None, now=now)
    return text


def play(game: Game) -> tuple[list[Answer], list[str]]:
    """Let everybody play in processes; return all that they were told, and who was lost."""
    barrier = multiprocessing.get_context("spawn").Barrier(len(game.members))
    count = min(PROCESSES, -(-len(game.members) // SHARE))
    shares = [game.members[n::count] for n in range(count)]
    return players.play(_process, [(game, share, barrier) for share in shares])


def _process(say: players.Say, game: Game, share: Sequence[int], barrier: Any) -> None:
    django.setup()
    one_at_a_time = threading.Lock()

    def tell(answer: Answer) -> None:
        with one_at_a_time:
            say(answer)

    threads = [
        threading.Thread(target=_member, args=(game, member, barrier, tell)) for member in share
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _member(game: Game, member: int, barrier: Any, tell: Callable[[Answer], None]) -> None:
    try:
        door = game.door(member)
    except Exception:  # it goes on; but first, nobody need wait for us
        barrier.abort()
        raise
    for number in range(game.rounds):
        wanted = game.wanted(number, member)
        try:
            barrier.wait(PATIENCE)
            told, code, text = door.book(wanted)
            tell(Answer(number, member, wanted.key, told, code, text))
        except Exception as error:  # whatever it is, the round is judged wrong by it
            tell(Answer(number, member, wanted.key, "ERROR", text=repr(error)))
    door.close()


def report(result: Result, asked: Namespace) -> None:
    tries = len(result.answers)
    lines = {
        "engine": asked.http or asked.engine,
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
        print(f"Round {number}:", *dict.fromkeys(wrong), sep="\n  ")
        print(*(each for each in result.answers if each.round == number), sep="\n  ")
    print(*result.elsewhere[:20], *(f"Lost: {each}" for each in result.gone), sep="\n")
