"""The application broken on purpose: python -m chaos mutants [--only NAME]

Breaks one promise at a time in a throwaway copy of this tree, and lets a crowd and the suite find
out. Exits with 1 if nobody notices, if something is found in the application as it is, or if a
replacement no longer applies.
"""

import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.site import ENVIRONMENT, ROOT
from chaos.mutants import copies, trial
from chaos.mutants.breaks import MUTANTS, Mutant
from chaos.mutants.site import Databases
from scripts import postgres

CONTROL = Mutant("none", "the application as it is")
CELL = 160  # characters of the table
ROW = re.compile(
    r"Booking\(id=(\d+), .*?state='(\w+)', decided_at=(?:None|datetime\.datetime\([^)]*\))\)"
)
FAILED = re.compile(r"^(?:FAILED|ERROR) \S+?::(\S+)(?: - (.*))?$", re.MULTILINE)


@dataclass
class Row:
    mutant: Mutant
    by: str  # checker, suite
    said: str  # what was wrong; empty: nothing
    seconds: float
    about: str = ""  # the run


def main(arguments: Sequence[str]) -> int:
    """Try each; print a table; return the exit code."""
    parser = ArgumentParser(
        prog="python -m chaos mutants",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=[mutant.name for mutant in MUTANTS])
    parser.add_argument("--checker-only", action="store_true", help="without the suite")
    parser.add_argument("--keep", action="store_true", help="the mutants and their histories")
    asked = parser.parse_args(arguments)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    chosen = [mutant for mutant in MUTANTS if asked.only in (None, mutant.name)]
    try:
        for mutant in chosen:
            copies.edited(mutant.edits, ROOT)
    except copies.DoesNotApply as error:
        print(f"The tree has changed, and {mutant.name} with it. {error}")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="mesto-mutants-"))
    # However it ends, the servers end too.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    try:
        with postgres.own_server() as server:
            bench = Bench(folder, Databases(server))
            bench.prepare()
            rows = bench.try_all(chosen, without_suite=asked.checker_only)
    finally:
        if not asked.keep:
            shutil.rmtree(folder)
    return report(rows, chosen)


class Bench:
    """Copies of the tree, a database server, and what they are tried with."""

    def __init__(self, folder: Path, databases: Databases) -> None:
        self.folder, self.databases = folder, databases
        self.pristine = folder / "pristine"

    def prepare(self) -> None:
        """Make what all share."""
        copies.copy(ROOT, self.pristine)
        settings = {**os.environ, **ENVIRONMENT, "DATABASE_URL": self.databases.server.url}
        for command in (
            ("scripts/messages.py", "compile"),
            ("manage.py", "collectstatic", "--no-input", "--verbosity", "0"),
        ):
            subprocess.run(
                [sys.executable, *command],
                cwd=self.pristine,
                env=settings,
                check=True,
                stdout=subprocess.DEVNULL,
            )
        self.databases.make_ready(self.pristine, ENVIRONMENT)

    def try_all(self, chosen: Sequence[Mutant], *, without_suite: bool) -> list[Row]:
        rows = []
        for mutant in (CONTROL, *chosen):
            tree = self.pristine
            if mutant is not CONTROL:
                tree = self.folder / mutant.name
                shutil.copytree(self.pristine, tree, symlinks=True)
                copies.apply(mutant.edits, tree)
            rows.append(said(self.checked(mutant, tree)))
            tests = mutant.tests
            if mutant is CONTROL:
                tests = tuple(dict.fromkeys(test for each in chosen for test in each.tests))
            if tests and not without_suite:
                rows.append(said(self.tested(mutant, tree, tests)))
        return rows

    def checked(self, mutant: Mutant, tree: Path) -> Row:
        found = trial.run(tree, self.databases, self.folder / f"run-{mutant.name}", sql=mutant.sql)
        kinds = {kind: wrong for kind, wrong in found.wrong.items() if wrong}
        return Row(mutant, "checker", _summary(kinds), found.seconds, found.counts)

    def tested(self, mutant: Mutant, tree: Path, tests: Sequence[str]) -> Row:
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", "-rfE", "--tb=no", *tests],
            cwd=tree,
            # The settings of `make test`, where this was started with them.
            env={**ENVIRONMENT, **os.environ, "DATABASE_URL": self.databases.server.url},
            capture_output=True,
            text=True,
        )
        seconds = time.monotonic() - began
        failed = FAILED.findall(done.stdout)
        if done.returncode not in (0, 1):  # nothing was tested at all
            failed, about = [], f"pytest ended with {done.returncode}: {done.stdout[-500:]}"
            return Row(mutant, "suite", "" if mutant is not CONTROL else about, seconds, about)
        names = ", ".join(name for name, _error in failed[:2])
        summary = f"{len(failed)} tests fail: {names}" if failed else ""
        return Row(mutant, "suite", summary, seconds, done.stdout.strip().splitlines()[-1])


def _summary(wrong: dict[str, list[str]]) -> str:
    first = next((each for found in wrong.values() for each in found), "")
    counted = ", ".join(f"{len(found)} {kind}" for kind, found in wrong.items())
    return f"{counted}; {first}" if wrong else ""


def said(row: Row) -> Row:
    """Print a row as soon as it is there."""
    caught = row.said or "NOTHING"
    if row.mutant is CONTROL:
        caught = row.said or "all is well"
    print(f"{row.mutant.name:22}{row.by:9}{row.seconds:5.0f} s  {_short(caught)}  ({row.about})")
    sys.stdout.flush()
    return row


def report(rows: Sequence[Row], chosen: Sequence[Mutant]) -> int:
    """Print the table for the documentation; tell whether everything was caught."""
    print("\n| broken | caught by | it said | seconds |", "| --- | --- | --- | ---: |", sep="\n")
    for row in rows:
        text = _short(row.said) if row.said else ("all is well" if row.mutant is CONTROL else "–")
        print(f"| {row.mutant.what} | {row.by} | {text} | {row.seconds:.0f} |")
    survivors = [
        mutant.name
        for mutant in chosen
        if not any(row.said for row in rows if row.mutant is mutant)
    ]
    false = [row for row in rows if row.mutant is CONTROL and row.said]
    if false:
        print("\nWithout a mutant there is something wrong already:", *(row.said for row in false))
    if survivors:
        print("\nNobody noticed:", ", ".join(survivors))
    return 1 if survivors or false else 0


def _short(text: str) -> str:
    """Fit a sentence into a cell: of a row of the database, say which one it is."""
    named = ROW.sub(r"booking \1 (\2)", text)
    return " ".join(named.replace("|", "/").split())[:CELL]
