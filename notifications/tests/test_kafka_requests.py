"""Requests for bookings from Kafka: each is accepted once or refused for all to see."""

import signal
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from bookings.models import Booking
from bookings.queueing import decide_next
from bookings.tests.acts import hours
from config.tests.processes import start, wait_for
from notifications.kafka import consuming
from notifications.kafka.consuming import Requests
from notifications.kafka.requests import forget_refused
from notifications.models import RefusedRequest

TOPIC = "mesto.requests"
GROUP = "mesto"


@pytest.fixture
def requests(kafka, settings):
    settings.KAFKA = {**settings.KAFKA, "requests_topic": TOPIC, "requests_group": GROUP}
    kafka.create(TOPIC, partitions=2)
    return kafka


@pytest.fixture
def wish(desk, alice, soon):
    """What a message says."""

    def say(**changes):
        return {
            "place": str(desk.code),
            "starts_at": soon.isoformat(),
            "ends_at": (soon + hours(2)).isoformat(),
            "member": alice.username,
            **changes,
        }

    return say


def read(count):
    """Read so many messages, and stop as the command does."""
    patience = time.monotonic() + 20

    def is_stopping(_seconds):
        assert time.monotonic() < patience, "waited in vain"
        return reader.accepted + reader.refused >= count

    reader = Requests(is_stopping)
    reader.run()
    return reader


def decide_all():
    while decide_next(now=timezone.now()):
        pass


def reasons():
    return list(RefusedRequest.objects.order_by("offset").values_list("reason", flat=True))


@pytest.mark.django_db
class TestOneByOne:
    def test_a_request_is_accepted_and_decided_next(self, requests, wish, alice, desk, soon):
        requests.write(TOPIC, wish(request_key="till 1", note="By the window", party_size=1))
        assert read(1).accepted == 1
        booking = Booking.objects.get()
        assert (booking.state, booking.member, booking.place) == ("CREATED", alice, desk)
        assert (booking.starts_at, booking.ends_at) == (soon, soon + hours(2))
        assert (booking.note, booking.request_key) == ("By the window", "till 1")
        decide_all()
        booking.refresh_from_db()
        assert booking.state == "CONFIRMED"
        assert requests.committed(GROUP, TOPIC) == [1]

    def test_a_guest_needs_no_account(self, requests, wish):
        requests.write(TOPIC, wish(member=None, guest_name="Ivan", guest_contact="+7 900"))
        read(1)
        decide_all()
        booking = Booking.objects.get()
        assert (booking.member, booking.guest_name, booking.state) == (None, "Ivan", "CONFIRMED")

    def test_the_same_key_books_once(self, requests, wish):
        requests.write(TOPIC, wish(request_key="7"), wish(request_key="7"))
        assert read(2).accepted == 2
        assert Booking.objects.count() == 1

    def test_the_same_key_for_something_else_is_refused(self, requests, wish, desk):
        other = desk.space.places.get(number=2)
        requests.write(TOPIC, wish(request_key="7"), wish(request_key="7", place=str(other.code)))
        assert read(2).refused == 1
        assert Booking.objects.count() == 1
        assert reasons()[0].startswith("request_key_reused")

    def test_without_a_key_a_message_that_is_read_again_books_once(self, requests, wish, settings):
        requests.write(TOPIC, wish(), wish())
        read(2)
        settings.KAFKA = {**settings.KAFKA, "requests_group": "from the beginning"}
        read(2)
        assert Booking.objects.count() == 2
        decide_all()
        assert sorted(Booking.objects.values_list("state", flat=True)) == ["CONFIRMED", "REJECTED"]

    def test_what_nobody_can_book_is_decided_like_any_other(self, requests, wish, soon):
        requests.write(TOPIC, wish(ends_at=(soon + hours(20)).isoformat()))
        read(1)
        decide_all()
        booking = Booking.objects.get()
        assert booking.state == "REJECTED"
        assert booking.problems

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (b"", "empty"),
            (None, "empty"),
            (b"{", "invalid"),
            (b"[]", "invalid"),
            (b"\xff\x00\xfe", "invalid"),
            (b'"' + b"a" * 70_000 + b'"', "too_large"),
            ({}, "invalid: place"),
            ({"place": "desk"}, "invalid: place"),
            ({"member": None}, "invalid"),
            ({"member": "nobody"}, "invalid: Nobody has this login."),
            ({"member": 7}, "invalid: member"),
            ({"member": "alice\x00"}, "invalid"),
            ({"place": str(uuid4())}, "invalid: There is no such place."),
            ({"starts_at": "2026-12-01T13:00"}, "invalid: starts_at"),
            ({"starts_at": "0001-01-01T00:00:00Z"}, ""),
            ({"party_size": "2"}, "invalid: party_size"),
            ({"party_size": 10**30}, "invalid: party_size"),
            ({"state": "CONFIRMED"}, "invalid: state"),
            ({"request_key": ""}, "invalid: request_key"),
            ({"request_key": "k" * 201}, "invalid: request_key"),
            ({"note": "\x00"}, "invalid: note"),
        ],
    )
    def test_what_cannot_be_read_is_kept_and_holds_up_nobody(self, requests, wish, value, reason):
        if isinstance(value, dict) and value:
            value = wish(**value)
        requests.write(TOPIC, value, wish(request_key="behind it"))
        assert read(2).refused == 1
        assert Booking.objects.get().request_key == "behind it"
        refused = RefusedRequest.objects.get()
        assert refused.reason.startswith(reason)
        assert (refused.topic, refused.partition, refused.offset) == (TOPIC, 0, 0)
        assert requests.committed(GROUP, TOPIC) == [2]

    def test_a_person_who_left_is_refused(self, requests, wish, alice):
        alice.is_active = False
        alice.save()
        requests.write(TOPIC, wish())
        assert read(1).refused == 1
        assert not Booking.objects.exists()

    def test_what_is_refused_is_kept_once(self, requests, settings):
        requests.write(TOPIC, b"{")
        read(1)
        settings.KAFKA = {**settings.KAFKA, "requests_group": "from the beginning"}
        read(1)
        assert RefusedRequest.objects.count() == 1

    def test_what_was_refused_long_ago_is_forgotten(self, now, settings):
        for offset, days in enumerate((29, 31)):
            at = now - timedelta(days=days)
            RefusedRequest.objects.create(topic=TOPIC, partition=0, offset=offset, received_at=at)
        assert forget_refused(now=now) == 1
        assert RefusedRequest.objects.get().offset == 0
        assert forget_refused(now=now) == 0

    @pytest.mark.django_db(transaction=True)
    def test_while_the_database_is_away_nothing_is_committed(self, requests, wish, monkeypatch):
        """The request in hand waits, and what is behind it too; nothing is lost or out of order."""
        failures = iter([OperationalError("gone")] * 3)
        take, committed = consuming.take, []

        def fail(received, *, now):
            if error := next(failures, None):
                committed.append(requests.committed(GROUP, TOPIC))
                raise error
            return take(received, now=now)

        monkeypatch.setattr(consuming, "take", fail)
        requests.write(TOPIC, wish(request_key="1"), wish(request_key="2"))
        assert read(2).accepted == 2
        assert committed == [[-1001]] * 3
        assert list(Booking.objects.order_by("pk").values_list("request_key", flat=True)) == [
            "1",
            "2",
        ]
        assert requests.committed(GROUP, TOPIC) == [2]


@pytest.mark.django_db
class TestCommand:
    def test_it_says_what_is_missing(self, settings):
        for given in ({"bootstrap_servers": ""}, {"bootstrap_servers": "localhost:1"}):
            settings.KAFKA = {**settings.KAFKA, "requests_topic": "", **given}
            with pytest.raises(CommandError, match="KAFKA_REQUESTS_TOPIC"):
                call_command("consume_requests")

    def test_wrong_options_are_named(self, settings, requests):
        settings.KAFKA = {**settings.KAFKA, "options": {"no.such.option": "1"}}
        with pytest.raises(CommandError, match=r"no\.such\.option"):
            call_command("consume_requests")


@pytest.mark.django_db(transaction=True)
class TestProcesses:
    @pytest.fixture
    def consume(self, requests):
        """Start the command; what still runs is killed."""
        started = []

        def run():
            started.append(
                start(
                    "consume_requests",
                    KAFKA_BOOTSTRAP_SERVERS=requests.address,
                    KAFKA_REQUESTS_TOPIC=TOPIC,
                    KAFKA_OPTIONS='{"session.timeout.ms": 6000, "heartbeat.interval.ms": 300}',
                )
            )
            return started[-1]

        yield run
        for process in started:
            process.kill()
            process.communicate()

    def test_who_is_killed_books_nothing_twice_and_loses_nothing(self, requests, consume, wish):
        wishes = [wish(request_key=str(n)) for n in range(150)]
        requests.write(TOPIC, *wishes[:75])
        requests.write(TOPIC, *wishes[75:], partition=1)
        victim = consume()
        wait_for(lambda: Booking.objects.count() >= 20)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        consume()
        second = consume()
        wait_for(lambda: Booking.objects.count() == 150, 40)
        wait_for(lambda: sum(requests.committed(GROUP, TOPIC, (0, 1))) == 150)
        keys = Booking.objects.order_by("pk").values_list("request_key", flat=True)
        assert sorted(keys, key=int) == [str(n) for n in range(150)]
        assert not RefusedRequest.objects.exists()
        second.terminate()
        _out, log = second.communicate(timeout=20)
        assert second.returncode == 0, log
        assert "Accepted" in log
