"""`manage.py consume_requests`: what happens when it, its broker or its database is killed."""

import json
import signal
from contextlib import contextmanager
from functools import partial
from threading import Timer

import pytest
from confluent_kafka import KafkaError
from django.core.management import CommandError, call_command
from django.db import connection

from bookings.models import Booking
from config.tests.processes import PATIENCE, wait_for
from notifications.kafka.consuming import Requests
from notifications.models import RefusedRequest
from notifications.tests.broker import GROUP, LIVELY, OFFSET_COMMIT
from notifications.tests.broker import REQUESTS as TOPIC

pytestmark = pytest.mark.django_db


@pytest.fixture
def start(topic, manage):
    return partial(
        manage,
        "consume_requests",
        KAFKA_BOOTSTRAP_SERVERS=topic.address,
        KAFKA_REQUESTS_TOPIC=TOPIC,
        KAFKA_OPTIONS=json.dumps(LIVELY),
    )


def stop(process, number=signal.SIGTERM):
    """Tell it to stop, check that it does, and return its log."""
    process.send_signal(number)
    _, log = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    return log


def wait_for_line(process, text):
    """Read its log until a line with this text."""
    end = Timer(PATIENCE, process.kill)
    end.start()
    assert any(text in line for line in process.stderr), f"it never said: {text}"
    end.cancel()


@pytest.mark.one_database("postgresql")
@pytest.mark.django_db(transaction=True)
class TestProcess:
    def test_it_waits_for_a_broker_that_comes_later_and_stops_without_one(self, topic, start, wish):
        topic.fail(OFFSET_COMMIT, *[KafkaError.GROUP_AUTHORIZATION_FAILED] * 1000)
        topic.write(TOPIC, wish())
        topic.go_down()
        process = start()
        wait_for_line(process, "taking requests")
        topic.come_up()
        wait_for(Booking.objects.exists)
        topic.go_down()
        assert "stopped: 1 accepted, 0 refused" in stop(process)
        topic.come_up()
        assert topic.committed(GROUP, TOPIC) == [-1001]

    def test_killed_between_the_row_and_the_commit_it_books_once(self, topic, start, wish):
        topic.fail(OFFSET_COMMIT, *[KafkaError.GROUP_AUTHORIZATION_FAILED] * 1000)
        topic.write(TOPIC, *[wish(hour) for hour in range(5)], b"nonsense")
        killed = start()
        wait_for(RefusedRequest.objects.exists)
        killed.kill()
        killed.communicate()
        assert topic.committed(GROUP, TOPIC) == [-1001]
        topic.fail_no_more(OFFSET_COMMIT)
        second = Requests()
        second.run(is_stopping=lambda: second.accepted + second.refused == 6)
        assert (second.accepted, second.refused) == (5, 1)
        assert topic.committed(GROUP, TOPIC) == [6]
        assert Booking.objects.count() == 5
        assert RefusedRequest.objects.count() == 1

    def test_two_share_the_partitions_and_one_takes_over_when_the_other_stops(
        self, topic, start, wish
    ):
        first = start()
        wait_for_line(first, "partitions 0, 1, 2, 3 are ours")
        second = start()
        wait_for_line(second, "are ours")
        for partition in range(4):
            topic.write(TOPIC, wish(partition), wish(partition + 4), partition=partition)
        wait_for(lambda: topic.committed(GROUP, TOPIC, range(4)) == [2, 2, 2, 2])
        last = stop(first, signal.SIGTERM).splitlines()[-1]
        assert "stopped: 4 accepted, 0 refused" in last
        for partition in range(4):
            topic.write(TOPIC, wish(partition + 8), partition=partition)
        wait_for(lambda: topic.committed(GROUP, TOPIC, range(4)) == [3, 3, 3, 3])
        last = stop(second, signal.SIGINT).splitlines()[-1]
        assert "stopped: 8 accepted, 0 refused" in last
        assert Booking.objects.count() == 12

    def test_it_waits_for_a_database_that_is_down(self, topic, start, wish):
        process = start()
        topic.write(TOPIC, wish())
        wait_for(lambda: topic.committed(GROUP, TOPIC) == [1])
        with tables_away():
            topic.write(TOPIC, *[wish(hour) for hour in range(1, 4)], b"nonsense")
            topic.write(TOPIC, wish(4), partition=1)
            wait_for_line(process, "next try in 0.5 s")
            assert topic.committed(GROUP, TOPIC, [0, 1]) == [1, -1001]
        wait_for(lambda: topic.committed(GROUP, TOPIC, [0, 1]) == [5, 1])
        assert Booking.objects.count() == 5
        assert list(RefusedRequest.objects.values_list("offset", flat=True)) == [4]
        cut_connections()
        topic.write(TOPIC, wish(5))
        wait_for(lambda: topic.committed(GROUP, TOPIC) == [6])
        assert Booking.objects.count() == 6
        assert "the database accepts requests again" in stop(process)

    def test_it_stops_while_the_database_is_down(self, topic, start, wish, tmp_path):
        nowhere = {
            "sqlite": f"sqlite:///{tmp_path}/empty.sqlite3",  # it exists, but has no tables
            "postgresql": "postgres://nobody@127.0.0.1:1/nothing",
        }
        process = start(DATABASE_URL=nowhere[connection.vendor])
        topic.write(TOPIC, wish())
        wait_for_line(process, "the database doesn't accept requests")
        stop(process)
        assert topic.committed(GROUP, TOPIC) == [-1001]


@contextmanager
def tables_away():
    """Make every request fail in the database during this block."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE spaces_place RENAME TO spaces_place_away")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE spaces_place_away RENAME TO spaces_place")


def cut_connections():
    """Cut everybody's but ours, as a server does that is restarted; SQLite has none."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.mark.parametrize("name", ["requests_topic", "bootstrap_servers"])
def test_without_a_topic_or_a_broker_the_command_says_so(settings, name):
    full = {**settings.KAFKA, "requests_topic": TOPIC, "bootstrap_servers": "localhost:9092"}
    settings.KAFKA = {**full, name: ""}
    with pytest.raises(CommandError, match="set KAFKA_REQUESTS_TOPIC") as raised:
        call_command("consume_requests")
    assert raised.value.returncode == 1
