"""Events to Kafka: each arrives, in order, and counts as delivered once the broker says so."""

import time
from datetime import timedelta

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from confluent_kafka import KafkaError
from django.utils import timezone

from bookings.deciding import services
from bookings.models import Booking, BookingEvent
from bookings.tests.acts import TEN, ask, book, hours, move
from bookings.tests.programs import program
from config.tests.processes import PATIENCE
from notifications.kafka import producing
from notifications.kafka.clients import chatter
from notifications.kafka.producing import deliver_to_kafka
from notifications.models import Delivery, Endpoint
from notifications.relay import endpoint_of, fan_out
from notifications.tests.broker import INIT_PRODUCER_ID, PRODUCE

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TOPIC = "mesto.bookings"
AGAIN = timedelta(minutes=2)  # by then what failed is due again


def deliver(after=timedelta(0)):
    """Do a worker's Kafka step while it makes progress; return how many were settled."""
    now = timezone.now() + after
    fan_out(now=now)
    settled = 0
    while done := deliver_to_kafka(now=now):
        settled += done
    return settled


def to_kafka():
    return Delivery.objects.filter(endpoint__channel="KAFKA").order_by("position")


def states():
    return [delivery.state for delivery in to_kafka()]


def ids(records):
    return [record.headers["ce_id"] for record in records]


@pytest.fixture
def life(desk, alice, now):
    """A booking that was confirmed, moved and cancelled."""
    booking = book(desk, alice, now, note="By the “window”, для Анны")
    booking = move(booking, now, TEN + hours(3))
    return services.cancel(booking, by=alice, now=now)


class TestMessage:
    @pytest.fixture
    def records(self, kafka, life, now):
        assert deliver() == 3
        return kafka.read(TOPIC, 3)

    def test_every_event_arrives_once_and_in_the_order_of_its_booking(self, records, life):
        assert ids(records) == [f"{life.code}.{n}" for n in (1, 2, 3)]
        assert states() == ["DELIVERED"] * 3
        assert {record.key for record in records} == {str(life.code)}
        assert len({record.partition for record in records}) == 1

    def test_a_cloudevents_library_reads_it(self, records, life, settings):
        for record, event in zip(records, life.events.order_by("sequence"), strict=True):
            headers = {name: value.encode() for name, value in record.headers.items()}
            read = from_structured(KafkaMessage(headers, record.key, record.value), JSONFormat())
            assert read.get_specversion() == "1.0"
            assert read.get_id() == record.headers["ce_id"]
            assert read.get_source() == settings.SITE_URL
            assert read.get_type() == f"mesto.booking.{event.kind.lower()}"
            assert read.get_type() == record.headers["ce_type"]
            assert read.get_subject() == str(life.code)
            assert read.get_time() == event.at
            assert read.get_datacontenttype() == "application/json"

    def test_its_data_is_what_the_api_says(self, records, alice):
        told = program(alice).get("/events").json()["items"]
        assert [record.json["data"] for record in records] == told
        assert told[1]["booking"]["note"] == "By the “window”, для Анны"

    def test_the_header_says_how_to_read_it(self, records):
        assert {record.headers["content-type"] for record in records} == {
            "application/cloudevents+json; charset=UTF-8"
        }

    def test_a_request_key_identifies_the_answer(self, kafka, desk, alice, now):
        ask(desk, alice, now, request_key="order 17")
        deliver()
        assert kafka.read(TOPIC, 1)[0].json["requestkey"] == "order 17"

    def test_without_a_key_there_is_none(self, records):
        assert "requestkey" not in records[0].json


def test_the_topic_has_the_name_it_is_given(kafka, life, settings, now):
    settings.KAFKA = {**settings.KAFKA, "topic": "loft.events"}
    deliver()
    assert len(kafka.read("loft.events", 3)) == 3


def test_without_kafka_there_is_nothing_to_do(life, settings, now):
    settings.KAFKA = {**settings.KAFKA, "bootstrap_servers": ""}
    assert deliver() == 0
    assert states() == []


def test_many_bookings_go_together_and_each_in_order(kafka, space, alice, now):
    for n in range(12):
        for place in space.places.all():
            booking = book(place, alice, now, TEN + hours(24 * n), 1)
            services.cancel(booking, by=alice, now=now)
    assert deliver() == 72
    records = kafka.read(TOPIC, 72)
    assert sorted(ids(records)) == sorted(
        f"{code}.{n}" for code in Booking.objects.values_list("code", flat=True) for n in (1, 2)
    )
    first_of_each = [each for each in ids(records) if each.endswith(".1")]
    assert all(
        ids(records).index(one) < ids(records).index(f"{one[:-1]}2") for one in first_of_each
    )


class TestTrouble:
    @pytest.fixture
    def impatient(self, kafka, settings):
        """Give up on a broker that is away, yet not on one that is slow."""
        settings.KAFKA["options"]["message.timeout.ms"] = 5000

    @pytest.fixture(autouse=True)
    def patient(self, kafka, settings):
        """Give up on nothing, if the broker is there."""
        settings.KAFKA["options"].setdefault("message.timeout.ms", 1000 * PATIENCE)

    @pytest.mark.usefixtures("impatient")
    def test_only_acknowledged_events_are_delivered(self, kafka, life, now):
        kafka.answer_after(10)
        assert deliver() == 0
        assert states() == ["PENDING"] * 3
        assert "MSG_TIMED_OUT" in to_kafka()[0].error or "No answer" in to_kafka()[0].error

    @pytest.mark.usefixtures("impatient")
    def test_a_lost_acknowledgement_makes_a_duplicate_at_most(self, kafka, desk, alice, now):
        booking = book(desk, alice, now)
        assert deliver() == 1
        kafka.answer_after(10)  # it writes what arrives, but its answers come too late
        services.cancel(booking, by=alice, now=now)
        assert deliver() == 0
        kafka.answer_after(0)
        assert deliver(AGAIN) == 1
        records = kafka.read(TOPIC, 2)
        first_time = list(dict.fromkeys(ids(records)))
        assert first_time == [f"{booking.code}.{n}" for n in (1, 2)]
        assert len(records) <= 3

    @pytest.mark.usefixtures("impatient")
    def test_while_the_broker_is_down_events_wait_and_then_go_in_order(self, kafka, life, now):
        kafka.create(TOPIC)
        kafka.go_down()
        for failure in range(2):
            assert deliver(failure * AGAIN) == 0
        assert states() == ["PENDING"] * 3
        assert [delivery.attempts for delivery in to_kafka()] == [2, 0, 0]
        kafka.come_up()
        assert deliver(timedelta(days=3)) == 3
        assert ids(kafka.read(TOPIC, 3)) == [f"{life.code}.{n}" for n in (1, 2, 3)]

    @pytest.mark.usefixtures("impatient")
    def test_however_long_it_is_down_nothing_is_given_up(self, kafka, life, now):
        kafka.go_down()
        deliver()
        deliver(timedelta(days=300))
        assert states() == ["PENDING"] * 3

    @pytest.mark.parametrize(
        "error", [KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.NOT_ENOUGH_REPLICAS]
    )
    @pytest.mark.usefixtures("impatient")
    def test_fixable_errors_are_waited_out(self, kafka, life, now, error):
        kafka.create(TOPIC)
        kafka.fail(PRODUCE, *[error] * 100)
        assert deliver() == 0
        assert states() == ["PENDING"] * 3

    def test_a_temporary_error_costs_nothing(self, kafka, life, now):
        kafka.fail(PRODUCE, KafkaError.NOT_LEADER_FOR_PARTITION)
        assert deliver() == 3
        assert ids(kafka.read(TOPIC, 3)) == [f"{life.code}.{n}" for n in (1, 2, 3)]

    def test_an_event_that_is_too_large_is_a_dead_letter_and_holds_nobody_up(
        self, kafka, life, now
    ):
        kafka.create(TOPIC)
        kafka.fail(PRODUCE, KafkaError.MSG_SIZE_TOO_LARGE)
        assert deliver() == 3
        assert states() == ["DEAD", "DELIVERED", "DELIVERED"]
        assert "MSG_SIZE_TOO_LARGE" in to_kafka()[0].error

    def test_one_too_large_does_not_spoil_a_batch(self, kafka, space, alice, now):
        for place in space.places.all():
            book(place, alice, now)
        kafka.create(TOPIC, partitions=1)
        kafka.fail(PRODUCE, KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.MSG_SIZE_TOO_LARGE)
        assert deliver() == 3  # all in one batch; then one by one, and one is at fault
        assert states() == ["DEAD", "DELIVERED", "DELIVERED"]

    def test_what_our_own_limit_forbids_is_a_dead_letter(self, kafka, life, settings, now):
        note = "long " * 100
        BookingEvent.objects.filter(sequence=1).update(data={"code": "x", "note": note * 4})
        settings.KAFKA["options"]["message.max.bytes"] = 2000
        assert deliver() == 3
        assert states() == ["DEAD", "DELIVERED", "DELIVERED"]

    def test_a_full_queue_is_waited_for(self, kafka, space, alice, settings, now):
        settings.KAFKA["options"]["queue.buffering.max.messages"] = 2
        for n in range(5):
            for place in space.places.all():
                book(place, alice, now, TEN + hours(24 * n), 1)
        assert deliver() == 15

    @pytest.mark.usefixtures("impatient")
    def test_a_full_queue_is_given_back_when_the_broker_is_down(
        self, kafka, space, alice, settings, now
    ):
        settings.KAFKA["options"]["queue.buffering.max.messages"] = 2
        for place in space.places.all():
            book(place, alice, now)
        kafka.go_down()
        assert deliver() == 0
        assert states() == ["PENDING"] * 3

    def test_a_broken_producer_is_replaced(self, kafka, life, now):
        kafka.fail(INIT_PRODUCER_ID, KafkaError.CLUSTER_AUTHORIZATION_FAILED)
        assert deliver() == 0
        assert (
            "CLUSTER_AUTHORIZATION_FAILED" in to_kafka()[0].error or "FATAL" in to_kafka()[0].error
        )
        assert deliver(AGAIN) == 3
        assert ids(kafka.read(TOPIC, 3)) == [f"{life.code}.{n}" for n in (1, 2, 3)]

    def test_wrong_options_are_recorded(self, kafka, life, settings, now):
        settings.KAFKA["options"]["compresion.type"] = "lz4"
        assert deliver() == 0
        assert states() == ["PENDING"] * 3
        assert "compresion.type" in to_kafka()[0].error

    @pytest.mark.usefixtures("impatient")
    def test_an_outage_is_logged_in_a_few_lines(self, kafka, life, now, caplog):
        chatter.filters[0].last.clear()  # as if a minute had passed since the last outage
        kafka.go_down()
        deliver()
        time.sleep(1)
        deliver(AGAIN)
        lines = [line for line in caplog.messages if "Connect" in line]
        assert len(lines) == 2  # librdkafka's, and what we make of the error

    def test_a_delivery_of_something_else_is_skipped(self, kafka, now):
        Delivery.objects.create(
            endpoint=endpoint_of(Endpoint.Channel.KAFKA, now=now),
            purpose=Delivery.Purpose.PING,
            created_at=now,
            due_at=now,
            asked_at=now,
        )
        assert deliver_to_kafka(now=now) == 1
        assert Delivery.objects.get().state == "SKIPPED"


@pytest.mark.parametrize(
    ("name", "milliseconds"),
    [("message.timeout.ms", 300_000), ("delivery.timeout.ms", 300_000), ("message.timeout.ms", 0)],
)
def test_no_message_outlives_its_lease_whatever_the_options_say(
    settings, monkeypatch, name, milliseconds
):
    """Otherwise another worker sends it too, and an old copy may arrive after later ones."""
    settings.KAFKA = {
        **settings.KAFKA,
        "bootstrap_servers": "127.0.0.1:1",
        "options": {name: milliseconds},
    }
    settings.DELIVERIES = {**settings.DELIVERIES, "lease_seconds": 120}
    made = []
    monkeypatch.setattr(producing, "Producer", lambda config, **_: made.append(config))
    producing._Current().get()
    [config] = made
    assert config["message.timeout.ms"] == 30_000
    assert "delivery.timeout.ms" not in config
    assert producing.timeout_seconds() == 30
