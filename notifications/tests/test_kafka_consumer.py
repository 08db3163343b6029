"""The example consumer that we ship: run as its readers would, it stores each event once."""

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from django.conf import settings
from django.utils import timezone

from bookings.deciding import services
from bookings.tests.acts import book
from bookings.words.representation import event_data
from config.tests.processes import PATIENCE, wait_for
from notifications.kafka.producing import deliver_to_kafka
from notifications.models import Delivery
from notifications.relay import fan_out, resend

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TOPIC = "mesto.bookings"


@pytest.fixture
def table(tmp_path):
    return tmp_path / "events.sqlite3"


@pytest.fixture
def start(broker, table):
    """Start the example; several may run at once."""
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [
                *(sys.executable, "examples/kafka_consumer.py"),
                *("--servers", broker.address, "--topic", TOPIC, "--database", table),
                *arguments,
            ],
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def rows(table):
    if not table.exists():
        return []
    with closing(sqlite3.connect(table, timeout=PATIENCE)) as database:
        try:
            return database.execute(
                "SELECT id, type, booking FROM events ORDER BY rowid"
            ).fetchall()
        except sqlite3.OperationalError:  # it has yet to make its table
            return []


def stop(process):
    """Tell it to stop, check that it does, and return what it printed."""
    process.send_signal(signal.SIGTERM)
    printed, complaints = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, complaints
    return printed.splitlines()


@pytest.fixture
def life(kafka, desk, alice, now):
    """A booking whose two events are in the topic twice each, because all was sent again."""
    booking = book(desk, alice, now)
    services.cancel(booking, by=alice, now=now)
    deliver()
    resend(list(Delivery.objects.filter(endpoint__channel="KAFKA")), now=timezone.now())
    deliver()
    ids = [record.headers["ce_id"] for record in kafka.read(TOPIC, 4)]
    assert ids == [f"{booking.code}.{n}" for n in (1, 2, 1, 2)]
    return booking


def deliver():
    fan_out(now=timezone.now())
    while deliver_to_kafka(now=timezone.now()):
        pass


def test_what_is_in_the_topic_twice_is_kept_and_printed_once(kafka, life, start, table):
    process = start()
    wait_for(lambda: 4 in kafka.committed("mesto-example", TOPIC, range(4)))
    assert rows(table) == [
        (f"{life.code}.1", "mesto.booking.confirmed", str(life.code)),
        (f"{life.code}.2", "mesto.booking.cancelled", str(life.code)),
    ]
    assert stop(process) == [
        f"{life.code}.1 mesto.booking.confirmed {life.code}",
        f"{life.code}.2 mesto.booking.cancelled {life.code}",
    ]


def test_reading_the_topic_from_the_start_again_does_nothing_twice(
    kafka, life, start, table, desk, alice, now
):
    first = start()
    wait_for(lambda: len(rows(table)) == 2)
    stop(first)
    again = book(desk, alice, now)
    deliver()
    second = start("--group", "another")
    wait_for(lambda: len(rows(table)) == 3)
    assert stop(second) == [f"{again.code}.1 mesto.booking.confirmed {again.code}"]


def test_it_ends_while_there_is_nothing_to_read(kafka, start, table):
    kafka.create(TOPIC)
    process = start()
    wait_for(table.exists)  # from then on it reads
    assert stop(process) == []


def test_events_in_both_formats_become_the_same_rows(
    kafka, desk, alice, now, settings, start, table
):
    booking = book(desk, alice, now)
    deliver()
    settings.KAFKA = {**settings.KAFKA, "format": "avro"}
    services.cancel(booking, by=alice, now=now)
    deliver()
    process = start("--schema", "docs/schemas/event.avsc")
    wait_for(lambda: len(rows(table)) == 2)
    assert stop(process) == [
        f"{booking.code}.1 mesto.booking.confirmed {booking.code}",
        f"{booking.code}.2 mesto.booking.cancelled {booking.code}",
    ]
    with closing(sqlite3.connect(table)) as database:
        written = [json.loads(data) for (data,) in database.execute("SELECT data FROM events")]
    assert written == [event_data(event) for event in booking.events.order_by("sequence")]
