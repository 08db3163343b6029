"""Games of many rounds, in each of which several things happen to one booking at the same moment.

Each engine gets a throwaway database that writes to the disk. See `chaos.unclaimed` and
`chaos.waiting`.
"""

import subprocess
import sys
import threading
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from benchmarks.site import in_this_process
from chaos.contested import ENGINES, PATIENCE


class Judged(Protocol):
    """One round: what everybody was told, and what is stored."""

    @property
    def wrong(self) -> str:
        """Say what can't be; empty if all is well."""


def run[R: Judged](
    name: str,
    about: str | None,
    arguments: Sequence[str],
    *,
    play: Callable[[int], list[R]],
    outcome: Callable[[Sequence[R]], Mapping[str, int]],
) -> int:
    """Play on each engine and print the `outcome`; return the exit code, 1 if a round was wrong."""
    parser = ArgumentParser(
        prog=f"python -m chaos {name}",
        description=about,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--engine", choices=ENGINES, help="one of them; otherwise both")
    asked = parser.parse_args(arguments)
    if asked.rounds < 1:
        parser.error("a game takes at least one round")
    if not asked.engine:
        # A process each: Django is set up once in a process.
        again = [sys.executable, "-m", "chaos", name, *arguments, "--engine"]
        return max([subprocess.run([*again, engine]).returncode for engine in ENGINES])
    with in_this_process(asked.engine, CACHE_URL="locmemcache://") as heading:
        print(heading, flush=True)
        began = time.monotonic()
        rounds = play(asked.rounds)
        _report(rounds, asked.engine, outcome(rounds), time.monotonic() - began)
    return int(any(each.wrong for each in rounds))


def _report[R: Judged](
    rounds: Sequence[R], engine: str, outcome: Mapping[str, int], seconds: float
) -> None:
    wrong = [each for each in rounds if each.wrong]
    lines = {
        "engine": engine,
        "rounds": f"{len(rounds):,}",
        **{name: f"{n:,}" for name, n in outcome.items()},
        "wrong rounds": f"{len(wrong):,}",
        "duration": f"{seconds:.1f} s",
    }
    print(*(f"  {name:16}{value}" for name, value in lines.items()), "", sep="\n", flush=True)
    for each in wrong[:5]:
        print(f"  {each.wrong}: {each}")


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
    """Close the connection of a thread of the pool."""
    from django.db import connection

    connection.close()
