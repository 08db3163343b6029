"""Many bookings from one file: `manage.py import_bookings file.csv`."""

import codecs
import csv
import logging
import signal
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.utils import timezone

from accounts import commands
from accounts.models import User
from bookings.deciding import importing
from bookings.deciding.cells import DateOrder
from bookings.deciding.importing import Entry, Line, Refusal
from bookings.deciding.queueing import decide_next
from bookings.deciding.sheets import FileError
from bookings.models import Booking

logger = logging.getLogger("mesto.import")

PAUSE = 0.2  # seconds between checks while another worker decides the rest
WIDTH = 30  # of the progress bar
UNITS = 50  # decisions between checks of what is left


def encoding(name: str) -> str:
    """Parse the name of a text encoding."""
    try:
        codecs.lookup(name)
        b"a,b".decode(name)
    except (LookupError, ValueError) as error:
        raise ArgumentTypeError(
            f"{name!r} is not a text encoding. There are utf-8, utf-16, cp1251, cp1252, "
            "mac-cyrillic, mac-roman and many more."
        ) from error
    return name


class Command(commands.Command):
    help = (
        "Book what a CSV file asks for, line by line, as spreadsheets write them. Columns: "
        + ", ".join(importing.COLUMNS)
        + ". A place is a number with its space's slug, or a code. Times are the space's, "
        "like 2026-11-25 13:00 or 25.11.2026 13:00, unless they have an offset; 24:00 is the end "
        "of the day. The same file, run again, books nothing twice."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--encoding",
            type=encoding,
            help="of the text, such as cp1251; by default UTF-8, or what the file itself says",
        )
        parser.add_argument(
            "--dates",
            choices=list(DateOrder),
            type=DateOrder,
            help="which part comes first in dates such as 1/12/2026",
        )
        parser.add_argument("--by", metavar="LOGIN", help="who books; by default, the house")
        parser.add_argument(
            "--report",
            type=Path,
            metavar="FILE",
            help="write the refused lines to this file, as CSV",
        )

    def handle(
        self, *args: Any, file: Path, by: str | None, report: Path | None, **options: Any
    ) -> None:
        try:
            lines = importing.read(
                file.read_bytes(), encoding=options["encoding"], order=options["dates"]
            )
            if report is not None:
                report.touch()
        except (OSError, FileError) as error:
            raise CommandError(str(error)) from error
        staff = None if by is None else self.person(by)
        try:
            with interrupts() as interrupt:
                entries = self.ask(lines, staff, interrupt)
                self.decide(entries, interrupt)
        except KeyboardInterrupt as error:
            raise CommandError(
                "Interrupted. Run it again: nothing is booked twice.", returncode=130
            ) from error
        refused = list(importing.refusals(entries))
        write_report(refused, self.stdout, report)
        there = sum(entry.was_there for entry in entries)
        cancelled = sum(refusal.cancelled_since for refusal in refused)
        self.stdout.write(
            f"{len(entries)} lines: {len(entries) - len(refused)} booked, "
            f"{len(refused) - cancelled} refused"
            + (f", {cancelled} cancelled since" if cancelled else "")
            + f"; {there} of them asked for before"
        )

    def person(self, login: str) -> User:
        try:
            return User.objects.get_by_natural_key(login)
        except User.DoesNotExist as error:
            raise CommandError(f"There is nobody with the login {login!r}.") from error

    def ask(
        self, lines: list[Line], staff: User | None, interrupt: Callable[[], None]
    ) -> list[Entry]:
        entries = []
        with progress(self.stderr, "asked", len(lines)) as bar:
            for entry in importing.request(lines, by=staff):
                entries.append(entry)
                bar(len(entries))
                interrupt()
        return entries

    def decide(self, entries: list[Entry], interrupt: Callable[[], None]) -> None:
        """Work on the queue, alongside any workers, until none of ours is undecided."""
        ours = {entry.booking.pk for entry in entries if entry.booking is not None}
        with progress(self.stderr, "decided", len(ours)) as bar:
            while left := ours & set(Booking.objects.undecided().values_list("pk", flat=True)):
                bar(len(ours) - len(left))
                if not work(interrupt):
                    time.sleep(PAUSE)
            bar(len(ours))


def work(interrupt: Callable[[], None]) -> bool:
    """Decide some of what is queued; tell whether there may be more right away."""
    for _ in range(UNITS):
        interrupt()
        try:
            if not decide_next(now=timezone.now()):
                return False
        except Exception:  # as in a worker: it is retried when its lease has run out
            logger.exception("a decision failed")
            return False
    return True


def write_report(refused: Iterable[Refusal], output: OutputWrapper, report: Path | None) -> None:
    if report is not None:
        with report.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["line", "codes", "reasons"])
            rows.writerows([r.line.number, " ".join(r.codes), " ".join(r.reasons)] for r in refused)
        return
    for refusal in refused:
        line = refusal.line
        place = f"{line['space']} {line['place']}".strip()
        output.write(
            f"line {line.number}: {place}, {line['starts_at']} to {line['ends_at']}: "
            + " ".join(refusal.reasons)
        )


@contextmanager
def interrupts() -> Iterator[Callable[[], None]]:
    """Hold the first Ctrl-C back until we ask for it: that call raises KeyboardInterrupt.

    During a statement SQLite would turn it into a database error. A second one acts at once.
    """
    asked, before = False, signal.getsignal(signal.SIGINT)

    def note(*_: object) -> None:
        nonlocal asked
        asked = True
        signal.signal(signal.SIGINT, before)

    def interrupt() -> None:
        if asked:
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def progress(output: OutputWrapper, verb: str, whole: int) -> Iterator[Callable[[int], None]]:
    """Draw a bar in place on a terminal; elsewhere, do nothing."""

    def draw(done: int) -> None:
        filled = WIDTH * done // max(whole, 1)
        bar = "#" * filled + "." * (WIDTH - filled)
        output.write(f"\r{verb} [{bar}] {done}/{whole}", style_func=str, ending="")
        output.flush()

    if not output.isatty():
        yield lambda done: None
        return
    draw(0)
    yield draw
    output.write("", style_func=str)
