"""The process that carries out what waits: `manage.py worker`, as many as you like."""

import logging
import os
import select
import signal
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from threading import Thread
from typing import Any, Protocol

from django.core.management.base import CommandError
from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
)
from django.utils import timezone

from accounts import commands, watching
from accounts.forgetting import forget_old_credentials
from accounts.numbers import seconds
from bookings.deciding.claims import renew_claims
from bookings.deciding.forgetting import forget_old_notes, forget_unseen_guests
from bookings.deciding.holds import let_holds_lapse
from bookings.deciding.holidays import close_coming_years
from bookings.deciding.no_shows import release_unclaimed
from bookings.deciding.queueing import decide_next
from bookings.deciding.services import complete_past
from bookings.deciding.waiting_list import close_parties
from config.heartbeat import BEAT_SECONDS, Attendance, Heartbeat
from config.watching import database, logs
from config.watching.page import serve_worker
from notifications.kafka.producing import deliver_to_kafka
from notifications.kafka.requests import forget_refused
from notifications.mail.sending import deliver_mail
from notifications.relay import fan_out, forget_settled
from notifications.reminders import remind
from notifications.sms.sending import deliver_sms
from notifications.webhooks.sending import deliver_webhooks, finish_webhooks

logger = logging.getLogger("mesto.worker")

LONGEST_PAUSE = 60.0  # seconds between two tries of a step that fails
OUTAGE_PAUSE = 5.0  # the same while the database is away: when it is back, everything soon is
REPORT_EVERY = 10.0  # seconds, while there is always something to do


class Step(Protocol):
    """What an app offers: does one unit of what is due, safe beside other workers.

    Returns how much it did, 0 when nothing is due. A unit is short: a worker that is told to stop
    ends it first.
    """

    __name__: str

    def __call__(self, *, now: datetime) -> int: ...


#: Each lane is a thread that does its steps in this order, one unit of each a round: a long queue
#: for one keeps no other of the lane waiting, and whoever waits for a network has a lane alone.
LANES: dict[str, tuple[Step, ...]] = {
    "bookings": (
        decide_next,
        release_unclaimed,
        let_holds_lapse,
        close_parties,
        complete_past,
        forget_old_credentials,
        forget_unseen_guests,
        forget_old_notes,
        close_coming_years,
    ),
    "relay": (fan_out, remind, forget_settled, forget_refused),
    "mail": (deliver_mail,),
    "sms": (deliver_sms,),
    "webhooks": (deliver_webhooks,),
    "kafka": (deliver_to_kafka,),
}

#: Seconds between two runs of what need not be done at once, and is not cheap to look for.
EVERY: dict[Step, float] = {
    forget_unseen_guests: 600.0,
    forget_old_notes: 600.0,
    close_coming_years: 600.0,
}

#: What a step may leave under way between two units, ended when its lane stops.
ENDINGS: dict[Step, Callable[[], int]] = {deliver_webhooks: finish_webhooks}


class Command(commands.Command):
    help = (
        "Keep deciding queued bookings, completing past ones, and telling everyone who listens. "
        "Several may run at once. SIGTERM stops it after its current work."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--interval", type=seconds, default=0.5, help="seconds to wait when nothing is due"
        )
        parser.add_argument(
            "--once", action="store_true", help="stop when nothing is due; fail if a step failed"
        )
        parser.add_argument(
            "--status",
            action="store_true",
            help="only say whether a worker is alive; fail if none is, or if a request waits "
            "too long",
        )

    def handle(self, *args: Any, interval: float, once: bool, status: bool, **options: Any) -> None:
        if interval <= 0:
            raise CommandError("--interval must be more than 0.")
        if status:
            self.tell_status()
            return
        if not once:
            logs.log_what_ends_us()
        lanes = {
            name: [Task(step, EVERY.get(step, 0.0)) for step in steps]
            for name, steps in LANES.items()
        }
        tasks = [task for lane in lanes.values() for task in lane]
        with stop_signals() as is_stopping:
            logger.info("worker started: %s", ", ".join(task.step.__name__ for task in tasks))
            if once:  # what one step leaves for another is done too, so they take turns
                work(tasks, interval=interval, once=True, is_stopping=is_stopping)
            else:
                serve_worker()
                with heartbeat() as signs:
                    every = {**lanes, "heartbeat": signs}
                    side_by_side(every, interval=interval, is_stopping=is_stopping)
            logger.info("worker stopped")
        if once and any(task.failures for task in tasks):
            raise CommandError("A step failed.")

    def tell_status(self) -> None:
        """Print which workers run and what is waiting; fail without workers or on a long wait."""
        try:
            found = Attendance.at(timezone.now())
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The database can't be reached: {error}") from error
        if found.problems:
            raise CommandError("\n".join(found.sentences))
        waits = found.oldest_request_at or "none"
        self.stdout.write(f"Workers alive: {found.workers}. Oldest waiting request: {waits}.")


@dataclass
class Task:
    """A step, and how it went lately."""

    step: Step
    every: float = 0.0  # seconds between runs
    failures: int = 0  # in a row
    due_at: float = 0.0  # on the monotonic clock
    done: int = 0  # since it was logged
    reported_at: float = field(default_factory=time.monotonic)

    def run(self, interval: float) -> int:
        """Do one unit if the step is due; log its failure, and wait longer after each in a row."""
        if time.monotonic() < self.due_at:
            return 0
        try:
            close_old_connections()  # reconnect after the database was restarted
            with watching.caused_by(watching.new_id()):
                done = self.step(now=timezone.now())
        except Exception as error:  # one step that fails must not keep the others from being done
            self.failures += 1
            is_away = isinstance(error, OperationalError | InterfaceError)
            pause = min(interval * 2**self.failures, OUTAGE_PAUSE if is_away else LONGEST_PAUSE)
            self.due_at = time.monotonic() + pause
            logger.exception("%s failed; next try in %.0f s", self.step.__name__, pause)
            watching.tell("steps", step=self.step.__name__, outcome="failed")
            return 0
        finally:
            database.tell()
        if done:
            watching.tell("steps", step=self.step.__name__, outcome="done")
        self.failures = 0
        self.due_at = time.monotonic() + self.every
        self.done += done
        if time.monotonic() > self.reported_at + REPORT_EVERY:
            self.report()
        return done

    def end(self) -> None:
        """Finish what the step left under way; what fails now is done again by another worker."""
        if finish := ENDINGS.get(self.step):
            try:
                self.done += finish()
            except Exception:  # the other steps must be finished too
                self.failures += 1
                logger.exception("%s could not be finished", self.step.__name__)

    def report(self) -> None:
        """Log what was done since the last time: one line for a burst, not one for each unit."""
        if self.done:
            logger.info("%s: %d done", self.step.__name__, self.done)
        self.done, self.reported_at = 0, time.monotonic()


def work(
    tasks: Sequence[Task],
    *,
    interval: float,
    once: bool,
    is_stopping: Callable[[float], bool],
) -> None:
    """Do rounds until `is_stopping`, which waits up to so many seconds for the wish to stop.

    It is asked after each unit; a pause comes only after a round that did nothing.
    """
    try:
        while True:
            done = 0
            for task in tasks:
                if is_stopping(0):
                    return
                done += task.run(interval)
            if not done:
                report(tasks)
                if once or is_stopping(interval):
                    return
    finally:
        for task in tasks:
            task.end()
        report(tasks)


@contextmanager
def heartbeat() -> Iterator[list[Task]]:
    """Yield what tells others that this worker is alive, and remove its row at the end."""
    sign = Heartbeat()
    try:
        yield [Task(step, every=BEAT_SECONDS) for step in (sign.beat, renew_claims)]
    finally:
        with suppress(DatabaseError):  # then it is noticed a little later
            sign.stop()
        connections.close_all()


def side_by_side(
    lanes: "dict[str, list[Task]]", *, interval: float, is_stopping: Callable[[float], bool]
) -> None:
    """Work in every lane until `is_stopping`; return when each has finished its current unit.

    A lane that ends by itself stops the others too: half a worker would look alive.
    """
    broken: list[BaseException] = []

    def run(tasks: Sequence[Task]) -> None:
        try:
            work(tasks, interval=interval, once=False, is_stopping=is_stopping)
        except BaseException as error:  # the main thread raises it
            broken.append(error)
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=[tasks], name=name) for name, tasks in lanes.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]


def report(tasks: Sequence[Task]) -> None:
    for task in tasks:
        task.report()


@contextmanager
def stop_signals() -> Iterator[Callable[[float], bool]]:
    """Turn SIGTERM and SIGINT into a question, so that a step under way is finished.

    A signal writes to a pipe and a sleep waits for that pipe: no signal is missed between the
    question and the sleep. Nobody reads it, so every thread hears of the one signal. Python's own
    handler would write too late: the main thread runs it, and that may just begin to wait for the
    lanes.
    """
    asked, ask = os.pipe()
    os.set_blocking(ask, False)  # as a signal's own write has to be
    before_fd = signal.set_wakeup_fd(ask)
    before = {
        number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield lambda seconds: bool(select.select([asked], [], [], seconds)[0])
    finally:
        for number, old in before.items():
            signal.signal(number, old)
        signal.set_wakeup_fd(before_fd)
        os.close(asked)
        os.close(ask)
