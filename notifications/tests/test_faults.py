"""Whatever is killed, down or refuses: every listener gets every event, in order per booking.

Eight members book, cancel and compete for the same places, two relays are killed and restarted at
random moments, the webhook receiver fails every third call, and Kafka goes down during the bookings
and stays away until something was sent to it in vain. In the end nobody misses anything, and a
listener that keeps a table of what it has seen has each event once. Every moment is defined by
progress (so many bookings, so many calls), not by a clock.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import closing, suppress
from datetime import timedelta
from itertools import chain, repeat

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.deciding import services
from bookings.models import BookingEvent
from bookings.states import State
from bookings.tests.acts import book
from bookings.tests.crowd import at_once
from bookings.words.representation import event_id
from config.models import WorkerHeartbeat
from config.tests.processes import PATIENCE, database_url, wait_for
from notifications.factories import WebhookFactory
from notifications.models import Cursor, Delivery
from notifications.tests.receiver import Answer, receiving
from notifications.tests.webhooks import verified
from spaces.factories import open_space

pytest_plugins = ["notifications.tests.broker"]
pytestmark = pytest.mark.django_db(transaction=True)

EARLY = timezone.now().replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=2)
WRITERS, EACH = 8, 20  # 160 bookings and cancellations
HOURS, PLACES = 10, 6  # they are in each other's way
KILLS = 3
TOPIC = "mesto.bookings"


class Relays:
    """Worker processes, one of which is killed now and then, after a number of calls."""

    def __init__(self, count, folder, receiver, **environment):
        self.folder, self.receiver, self.environment = folder, receiver, environment
        self.running = [self.start() for _ in range(count)]
        self.killed = 0
        self.is_ending = threading.Event()
        self.killer = threading.Thread(target=self.kill_now_and_then)
        self.killer.start()

    def start(self):
        with (self.folder / "workers.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", "worker"],
                cwd=settings.BASE_DIR,
                env={**os.environ, "DATABASE_URL": database_url(), **self.environment},
                stdout=log,
                stderr=log,
            )

    def kill_now_and_then(self):
        dice = random.Random(7)
        # Each event makes at least one call, so all of these moments come.
        for calls in sorted(dice.sample(range(WRITERS * EACH), KILLS)):
            while len(self.receiver.received) < calls:
                if self.is_ending.wait(0.02):
                    return
            victim = dice.randrange(len(self.running))
            self.running[victim].send_signal(signal.SIGKILL)
            self.running[victim].wait()
            self.killed += 1
            self.running[victim] = self.start()

    def end(self):
        self.is_ending.set()
        self.killer.join()
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(timeout=PATIENCE)


@pytest.fixture
def receiver():
    with receiving() as found:
        found.answers(*chain.from_iterable(repeat((Answer(), Answer(), Answer(500)), 10_000)))
        yield found


@pytest.fixture
def consumer(broker, tmp_path):
    """The consumer that we ship, in its own process, with its own table."""
    broker.create(TOPIC)
    with (tmp_path / "consumer.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, settings.BASE_DIR / "examples/kafka_consumer.py"),
                *("--servers", broker.address, "--topic", TOPIC),
                *("--database", tmp_path / "consumer.sqlite3"),
            ],
            stdout=log,
            stderr=log,
        )
    yield tmp_path / "consumer.sqlite3"
    process.kill()
    process.wait()


def seen_by(table):
    with (
        suppress(sqlite3.OperationalError),  # the consumer has yet to make its table
        closing(sqlite3.connect(f"file:{table}?mode=ro", uri=True, timeout=PATIENCE)) as database,
    ):
        return [row[0] for row in database.execute("SELECT id FROM events ORDER BY rowid")]
    return []


def book_and_cancel(member, places, dice, tick):
    """Do 20 things: book a place that others want too, or give a booking back."""
    mine = []
    for _ in range(EACH):
        now = timezone.now()
        if mine and dice.random() < 0.4:
            services.cancel(mine.pop(dice.randrange(len(mine))), by=member, now=now)
        else:
            starts_at = EARLY + timedelta(hours=dice.randrange(HOURS))
            booking = book(dice.choice(places), member, now, starts_at, 1)
            if booking.state == State.CONFIRMED:
                mine.append(booking)
        tick()


def in_order(ids):
    """Tell whether every event came after all earlier ones of its booking."""
    so_far = defaultdict(int)
    for each in ids:
        code, sequence = each.split(".")
        if int(sequence) > so_far[code] + 1:
            return False
        so_far[code] = max(so_far[code], int(sequence))
    return True


@pytest.mark.one_database("postgresql")
def test_every_listener_gets_every_event(broker, consumer, receiver, tmp_path):
    space = open_space(places=PLACES)
    places = list(space.places.all())
    webhook = WebhookFactory.create(space=space, url=receiver.url)
    members = [UserFactory.create() for _ in range(WRITERS)]
    Cursor.objects.create(pk=1)
    relays = Relays(
        *(2, tmp_path, receiver),
        KAFKA_BOOTSTRAP_SERVERS=broker.address,
        WEBHOOK_ALLOW_PRIVATE="true",
        DELIVERY_RETRY_SECONDS="0.2",
        # What a killed one had claimed waits so long; a slow one has a quarter of it for Kafka.
        DELIVERY_LEASE_SECONDS="8",
    )
    done, lock = [0], threading.Lock()
    in_vain = Delivery.objects.pending().filter(endpoint__channel="KAFKA", attempts__gt=0)

    def tick():
        with lock:
            done[0] += 1
            if done[0] == WRITERS * EACH // 4:
                broker.go_down()

    try:
        wait_for(lambda: WorkerHeartbeat.objects.count() == 2)
        ended = at_once(
            *[
                lambda m=member, n=n: book_and_cancel(m, places, random.Random(n), tick)
                for n, member in enumerate(members)
            ]
        )
        assert ended == [None] * WRITERS
        happened = BookingEvent.objects.count()
        assert happened == WRITERS * EACH
        wait_for(in_vain.exists)
        broker.come_up()
        wait_for(lambda: relays.killed == KILLS)
        wait_for(lambda: Cursor.objects.get(pk=1).position == happened)
        wait_for(lambda: not Delivery.objects.pending().exists())
        wait_for(lambda: len(seen_by(consumer)) >= happened)
    finally:
        relays.end()

    events = BookingEvent.objects.select_related("booking")
    all_ids = {event_id(event) for event in events}
    assert not Delivery.objects.dead().exists()

    accepted = [
        request.headers["webhook-id"]
        for number, request in enumerate(receiver.received)
        if number % 3 != 2
    ]
    assert set(accepted) == all_ids
    assert in_order(accepted)
    for request in receiver.received:
        verified(request, webhook.secret)

    on_kafka = [record.headers["ce_id"] for record in broker.read(TOPIC, happened)]
    assert set(on_kafka) == all_ids
    assert in_order(on_kafka)
    seen = seen_by(consumer)
    assert len(seen) == happened
    assert set(seen) == all_ids
    assert in_order(seen)
    call_command("check_bookings")
