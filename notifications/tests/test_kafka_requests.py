"""Booking requests from Kafka: each becomes one booking, or a refusal that staff can read."""

import json
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from bookings.deciding.queueing import decide_next
from bookings.models import Booking
from config.tests.processes import PATIENCE
from notifications.kafka.consuming import Requests
from notifications.kafka.requests import MOST_BYTES, Received, forget_refused, take
from notifications.models import RefusedRequest
from notifications.tests.broker import GROUP
from notifications.tests.broker import REQUESTS as TOPIC

pytestmark = pytest.mark.django_db


def consume(count, seconds=PATIENCE):
    """Take requests until this many are accepted or refused."""
    requests, deadline = Requests(), time.monotonic() + seconds

    def is_stopping():
        assert time.monotonic() < deadline, f"{requests.accepted} + {requests.refused} of {count}"
        return requests.accepted + requests.refused >= count

    requests.run(is_stopping=is_stopping)
    return requests


def decide():
    while decide_next(now=timezone.now()):
        pass


def reasons():
    return list(RefusedRequest.objects.order_by("offset").values_list("reason", flat=True))


class TestAccepted:
    def test_a_request_waits_for_a_decision_and_gets_it(self, topic, wish, alice, desk):
        topic.write(TOPIC, wish(note="By the window", party_size=1))
        consume(1)
        booking = Booking.objects.get()
        assert (booking.state, booking.member, booking.place) == ("CREATED", alice, desk)
        assert (booking.request_key, booking.note) == ("order 0", "By the window")
        decide()
        booking.refresh_from_db()
        assert booking.state == "CONFIRMED"
        assert [event.kind for event in booking.events.order_by("sequence")] == [
            "CREATED",
            "CHECKING_AVAILABILITY",
            "CONFIRMED",
        ]

    def test_competing_requests_are_decided_in_topic_order(self, topic, wish, bob):
        topic.write(TOPIC, wish(), wish(request_key="too late", member="bob"))
        consume(2)
        decide()
        assert list(Booking.objects.order_by("pk").values_list("state", flat=True)) == [
            "CONFIRMED",
            "REJECTED",
        ]
        assert reasons() == []

    def test_a_guest_can_be_booked_for(self, topic, wish):
        topic.write(TOPIC, wish(member=None, guest_name="Иван", guest_contact="+7 900"))
        consume(1)
        booking = Booking.objects.get()
        assert (booking.member, booking.guest_name) == (None, "Иван")

    def test_the_offset_is_committed(self, topic, wish):
        topic.write(TOPIC, *[wish(hour) for hour in range(3)], b"nonsense")
        assert topic.committed(GROUP, TOPIC) == [-1001]
        consume(4)
        assert topic.committed(GROUP, TOPIC) == [4]

    def test_what_was_committed_is_not_read_again(self, topic, wish):
        topic.write(TOPIC, wish(), wish(1))
        assert consume(2).accepted == 2
        topic.write(TOPIC, wish(2))
        assert consume(1).accepted == 1
        assert Booking.objects.count() == 3

    def test_any_partition_is_read(self, topic, wish):
        for partition in range(4):
            topic.write(TOPIC, wish(partition), partition=partition)
        consume(4)
        assert topic.committed(GROUP, TOPIC, range(4)) == [1, 1, 1, 1]
        assert Booking.objects.count() == 4


class TestAgain:
    @pytest.mark.parametrize("guest", [{}, {"member": None, "guest_name": "Ivan"}])
    def test_the_same_request_twice_is_one_booking(self, topic, wish, guest):
        topic.write(TOPIC, wish(**guest), wish(**guest))
        topic.write(TOPIC, wish(**guest), partition=2)
        assert consume(3).accepted == 3
        assert Booking.objects.get().events.count() == 1

    def test_a_repeated_request_that_was_decided_changes_nothing(self, topic, wish):
        topic.write(TOPIC, wish())
        consume(1)
        decide()
        topic.write(TOPIC, wish())
        assert consume(1).accepted == 1
        assert Booking.objects.get().state == "CONFIRMED"

    def test_a_message_without_a_key_that_is_read_again_is_one_booking(self, wish, now):
        """Where and when it was written is its key: the next one is another request."""
        value = json.dumps(wish(request_key=None)).encode()
        for offset, at in ((7, 1), (7, 1), (8, 1), (7, 2)):  # the last one: in a recreated topic
            take(Received(TOPIC, 0, offset, value, at), now=now)
        keys = Booking.objects.order_by("pk").values_list("request_key", flat=True)
        assert list(keys) == [f"kafka:{TOPIC}.0.{end}" for end in ("7.1", "8.1", "7.2")]

    def test_each_member_has_separate_keys(self, topic, wish, bob):
        topic.write(TOPIC, wish(), wish(member="bob"))
        assert consume(2).accepted == 2
        assert Booking.objects.count() == 2

    def test_a_key_for_something_else_is_refused(self, topic, wish):
        topic.write(TOPIC, wish(), wish(5, request_key="order 0"))
        consume(2)
        assert Booking.objects.count() == 1
        assert reasons()[0].startswith("request_key_reused: ")

    def test_a_refused_request_is_kept_once(self, now):
        message = Received(TOPIC, 0, 7, b"nonsense")
        take(message, now=now)
        take(message, now=now)
        assert RefusedRequest.objects.get().offset == 7


REFUSED = {
    "bad JSON": (lambda wish: b'{"place": ', "invalid: "),
    "no UTF-8": (lambda wish: b'{"note": "\xff"}', "invalid: "),
    "another shape": (lambda wish: [wish()], "invalid: "),
    "a number": (lambda wish: 17, "invalid: "),
    "null": (lambda wish: b"null", "invalid: "),
    "very deep": (lambda wish: b"[" * 60_000, "invalid: "),
    "a tombstone": (lambda wish: None, "empty: "),
    "nothing": (lambda wish: b"", "empty: "),
    "huge": (lambda wish: b'"' + b"x" * MOST_BYTES + b'"', "too_large: "),
    "an empty key": (lambda wish: wish(request_key=""), "invalid: request_key: "),
    "a long key": (lambda wish: wish(request_key="k" * 201), "invalid: request_key: "),
    "a number for a key": (lambda wish: wish(request_key=17), "invalid: request_key: "),
    "nobody": (lambda wish: wish(member="zoe"), "invalid: Nobody has this login."),
    "for nobody": (lambda wish: wish(member=None), "invalid: Value error, name the member"),
    "no such place": (
        lambda wish: wish(place="00000000-0000-4000-8000-000000000000"),
        "invalid: There is no such place.",
    ),
    "a place that is no code": (lambda wish: wish(place="desk 1"), "invalid: place: "),
    "wrong types": (
        lambda wish: wish(party_size="2", note=5, starts_at=1764061200),
        "invalid: starts_at: ",
    ),
    "no offset": (lambda wish: wish(starts_at="2026-12-01T10:00:00"), "invalid: starts_at: "),
    "an unknown field": (lambda wish: wish(colour="red"), "invalid: colour: "),
    "a zero character": (lambda wish: wish(note="a\0b"), "invalid: note: "),
    "a zero character in a field's name": (lambda wish: wish(**{"a\0b": 1}), "invalid: a\ufffdb: "),
    "a zero byte": (lambda wish: b"\0" * 10, "invalid: "),
    "half a character": (lambda wish: wish(note="\ud800"), "invalid: "),
    "an end before its beginning": (
        lambda wish: wish(ends_at="2026-01-01T10:00:00Z"),
        "",
    ),
    "no slot": (lambda wish: wish(starts_at="2126-12-01T10:07:31Z"), ""),
    "a crowd": (lambda wish: wish(party_size=10**30), "invalid: party_size: "),
}


class TestRefused:
    @pytest.mark.parametrize(("make", "reason"), REFUSED.values(), ids=REFUSED)
    def test_it_is_kept_with_its_reason(self, make, reason, wish, now):
        value = make(wish)
        if value is not None and not isinstance(value, bytes):
            value = json.dumps(value).encode()
        assert take(Received(TOPIC, 3, 8, value), now=now) is None
        kept = RefusedRequest.objects.get()
        assert kept.reason.startswith(reason)
        assert kept.reason
        assert (kept.topic, kept.partition, kept.offset, kept.received_at) == (TOPIC, 3, 8, now)
        assert Booking.objects.count() == 0

    def test_a_closed_account_counts_as_unknown(self, wish, alice, now):
        alice.is_active = False
        alice.save()
        take(Received(TOPIC, 0, 0, json.dumps(wish()).encode()), now=now)
        assert reasons() == ["invalid: Nobody has this login."]

    def test_refused_requests_hold_nobody_up(self, topic, wish):
        wrong = [make(wish) for make, _reason in REFUSED.values()]
        topic.write(TOPIC, *wrong, wish())
        done = consume(len(wrong) + 1)
        assert (done.accepted, done.refused) == (1, len(wrong))
        assert topic.committed(GROUP, TOPIC) == [len(wrong) + 1]
        assert len(reasons()) == len(wrong)

    def test_the_message_is_kept_as_far_as_possible(self, now):
        take(Received(TOPIC, 0, 0, b"a\0b\xff" + b"x" * 20_000), now=now)
        kept = RefusedRequest.objects.get().value
        assert kept.startswith("a\ufffdb\ufffdx")
        assert len(kept) == 10_000

    def test_after_a_month_it_is_forgotten(self, settings, now):
        take(Received(TOPIC, 0, 0, b"old"), now=now)
        take(Received(TOPIC, 0, 1, b"new"), now=now + timedelta(days=1))
        days = settings.DELIVERIES["retention_days"]
        assert forget_refused(now=now + timedelta(days=days)) == 0
        assert forget_refused(now=now + timedelta(days=days, seconds=1)) == 1
        assert RefusedRequest.objects.get().offset == 1


@pytest.mark.django_db(transaction=True)  # the worker closes the connection it finds
def test_the_worker_forgets_requests_refused_long_ago(settings):
    now = timezone.now()
    days = settings.DELIVERIES["retention_days"]
    for offset, age in enumerate((days - 1, days + 1)):
        take(Received(TOPIC, 0, offset, b"nonsense"), now=now - timedelta(days=age))
    call_command("worker", once=True)
    assert RefusedRequest.objects.get().offset == 0
