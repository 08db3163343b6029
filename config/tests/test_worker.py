"""The worker: what it does, when it stops, and what it does about failures."""

import logging
import os
import signal
import threading
from datetime import timedelta
from itertools import count

import pytest
from django.core.management import CommandError, call_command
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from bookings.deciding import services
from bookings.deciding.wish import Wish
from bookings.models import Booking
from bookings.states import State
from bookings.tests.crowd import at_once
from config.management.commands import worker
from config.management.commands.worker import Task, side_by_side, stop_signals, work
from config.models import WorkerHeartbeat
from config.tests.processes import PATIENCE, wait_for
from spaces.models import OpeningHours

pytestmark = pytest.mark.django_db  # each round checks whether the connection is still good


@pytest.fixture
def past_booking(desk, alice):
    """An hour last week that nobody has completed yet."""
    OpeningHours.objects.update(opens_at="00:00", closes_at="00:00")
    now = timezone.now()
    starts_at = now.replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=7)
    return services.book(
        Wish(
            place=desk,
            member=alice,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            party_size=1,
        ),
        by=alice,
        now=starts_at - timedelta(days=1),
    )


@pytest.mark.django_db(transaction=True)
def test_it_finishes_past_bookings_and_stops_at_once_when_told(past_booking, manage):
    """By Ctrl-C, that is; see also `test_queue_race`, where it gets SIGTERM."""
    process = manage("worker", "--interval", "60")
    wait_for(lambda: Booking.objects.filter(state=State.COMPLETED).exists())
    wait_for(WorkerHeartbeat.objects.exists)

    process.send_signal(signal.SIGINT)

    _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "complete_past: 1 done" in log
    assert "worker stopped" in log.rstrip().splitlines()[-1]
    assert not WorkerHeartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_four_at_once_finish_a_booking_once(past_booking):
    answers = at_once(*[lambda: services.complete_past(now=timezone.now())] * 4)
    assert sorted(answers) == [0, 0, 0, 1]
    assert list(past_booking.events.values_list("kind", flat=True).order_by("sequence")) == [
        "CONFIRMED",
        "COMPLETED",
    ]


@pytest.mark.django_db(transaction=True)  # the worker closes the connection it finds
def test_one_round_finishes_what_is_past_and_leaves_the_rest(past_booking, desk, bob):
    starts_at = past_booking.starts_at + timedelta(days=14)
    coming = services.book(
        Wish(
            place=desk,
            member=bob,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            party_size=1,
        ),
        by=bob,
        now=past_booking.created_at,
    )
    call_command("worker", once=True)
    past_booking.refresh_from_db()
    coming.refresh_from_db()
    assert (past_booking.state, coming.state) == (State.COMPLETED, State.CONFIRMED)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_step_finish_and_starts_no_other(number):
    ran = []

    def interrupted(*, now):
        os.kill(os.getpid(), number)
        ran.append("interrupted")
        return 1

    def following(*, now):
        ran.append("following")
        return 1

    with stop_signals() as is_stopping:
        work([Task(interrupted), Task(following)], interval=60, once=False, is_stopping=is_stopping)
    assert ran == ["interrupted"]


def test_signal_handlers_are_restored():
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with stop_signals():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_failing_step_is_logged_and_does_not_stop_the_others(caplog):
    rounds = count(1)
    done = []

    def broken(*, now):
        raise ValueError("out of order")

    def fine(*, now):
        done.append(next(rounds))
        return 0

    tasks = [Task(broken), Task(fine)]
    work(tasks, interval=0.001, once=False, is_stopping=lambda seconds: len(done) == 3)

    assert done == [1, 2, 3]
    assert tasks[0].failures >= 1
    assert "broken failed" in caplog.text
    assert "out of order" in caplog.text


@pytest.fixture
def stopwatch(monkeypatch):
    """The worker's monotonic clock: it stands still where the test puts it."""

    class Stopwatch:
        seconds = 0.0

        def monotonic(self):
            return self.seconds

    found = Stopwatch()
    monkeypatch.setattr(worker, "time", found)
    return found


def test_a_failing_step_waits_longer_each_time_and_starts_afresh_after_a_success(stopwatch):
    outcomes = iter([ValueError(), ValueError(), None])

    def shaky(*, now):
        if error := next(outcomes):
            raise error
        return 1

    task = Task(shaky)
    for due_at in (20, 20 + 40):
        task.run(interval=10)
        assert task.due_at == due_at
        task.run(interval=10)  # not due: nothing happens
        stopwatch.seconds = due_at
    assert task.failures == 2
    task.run(interval=10)
    assert task.failures == 0


def test_a_pause_has_a_limit(stopwatch):
    task = Task(lambda *, now: 1 / 0, failures=30)
    task.run(interval=10)
    assert task.due_at == worker.LONGEST_PAUSE


def counting(units):
    """Return a step with this many units to do, and the log of its calls."""
    calls = []

    def counted(*, now):
        calls.append(now)
        return 1 if len(calls) <= units else 0

    return counted, calls


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_back_is_not_kept_waiting(stopwatch, error):
    def step(*, now):
        raise error

    task = Task(step, failures=30)
    task.run(interval=1)
    assert task.due_at == worker.OUTAGE_PAUSE


def test_there_is_no_pause_while_there_is_something_to_do(caplog):
    long, short = counting(5), counting(2)
    pauses = []

    def is_stopping(seconds):
        if seconds:
            pauses.append((len(long[1]), len(short[1])))
        return bool(pauses)

    tasks = [Task(long[0]), Task(short[0])]
    work(tasks, interval=60, once=False, is_stopping=is_stopping)
    assert pauses == [(6, 6)]
    assert caplog.messages == ["counted: 5 done", "counted: 2 done"]


def test_between_two_units_it_can_be_stopped():
    step, calls = counting(100)
    work([Task(step)], interval=60, once=False, is_stopping=lambda seconds: len(calls) == 3)
    assert len(calls) == 3


def test_once_ends_when_nothing_is_due():
    step, calls = counting(3)
    work([Task(step)], interval=60, once=True, is_stopping=lambda seconds: False)
    assert len(calls) == 4


def test_a_long_burst_is_reported_while_it_lasts(caplog):
    step, _ = counting(2)
    task = Task(step)
    task.reported_at -= worker.REPORT_EVERY
    task.run(interval=1)
    task.run(interval=1)
    assert caplog.messages == ["counted: 1 done"]


@pytest.mark.parametrize("interval", [0, -1])
def test_a_round_without_a_pause_is_refused(interval):
    with pytest.raises(CommandError):
        call_command("worker", interval=interval, once=True)


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.INFO, logger="mesto.worker")


def test_a_slow_lane_keeps_no_other_waiting():
    began, arrived, ended = threading.Event(), threading.Event(), []

    def slow(*, now):
        began.set()
        ended.append(arrived.wait(PATIENCE))
        return 0

    def quick(*, now):
        began.wait(PATIENCE)
        arrived.set()
        os.kill(os.getpid(), signal.SIGTERM)
        return 0

    with stop_signals() as is_stopping:
        lanes = {"slow": [Task(slow)], "quick": [Task(quick)]}
        side_by_side(lanes, interval=60, is_stopping=is_stopping)
    assert ended == [True]


def test_steps_that_wait_for_a_network_have_their_own_lanes():
    waiting = {"deliver_mail", "deliver_webhooks", "deliver_to_kafka"}
    lanes = [[step.__name__ for step in steps] for steps in worker.LANES.values()]
    assert [lane for lane in lanes if waiting.intersection(lane)] == [
        ["deliver_mail"],
        ["deliver_webhooks"],
        ["deliver_to_kafka"],
    ]
