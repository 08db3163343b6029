"""Events fit the schemas that we publish, in both formats; a change that breaks readers fails."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from django.conf import settings as project
from django.utils import timezone
from jsonschema_rs import Draft202012Validator, meta

from bookings.deciding import services
from bookings.models import BookingEvent
from bookings.tests.acts import ask, book
from bookings.words.representation import event_data
from config.declared import SETTINGS
from notifications.contracts.changes import broken
from notifications.contracts.schemas import avro_schema, published
from notifications.kafka import avro
from notifications.kafka.envelope import FORMATS, in_avro, in_json
from notifications.kafka.producing import deliver_to_kafka
from notifications.models import Delivery
from notifications.relay import fan_out
from notifications.webhooks.messages import payload
from scripts.event_schemas import FOLDER, RELEASED, kept

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

TOPIC = "mesto.bookings"


def fits(name, value):
    return Draft202012Validator(published()[name]).is_valid(value)


class TestEveryKind:
    @pytest.fixture(params=BookingEvent.Kind.values)
    def event(self, request, desk, alice, now):
        booking = book(desk, alice, now, note="By the “window”, для Анны")
        told = booking.events.get()
        data = {**told.data, "undone": "NO_SHOW"} if request.param == "UNDONE" else told.data
        return BookingEvent.objects.create(
            booking=booking, sequence=2, kind=request.param, at=now, data=data, reason="Water"
        )

    def test_fits_its_schemas_and_is_the_same_in_both(self, event):
        data = event_data(event)
        assert fits("event.schema.json", data)
        assert fits("kafka.schema.json", json.loads(in_json(event)[0]))
        known = {avro.fingerprint_of(avro_schema()): avro_schema()}
        assert avro.decode(in_avro(event)[0], known) == data


def test_a_webhook_says_what_its_schema_says(webhook, desk, alice, now):
    book(desk, alice, now)
    fan_out(now=timezone.now())
    body = payload(Delivery.objects.get(endpoint=webhook))
    assert fits("webhook.schema.json", body)
    assert not fits("webhook.schema.json", {**body, "data": {**body["data"], "kind": None}})


class TestInAvro:
    @pytest.fixture(autouse=True)
    def in_avro(self, kafka, settings):
        settings.KAFKA = {**settings.KAFKA, "format": "avro"}

    def deliver(self):
        fan_out(now=timezone.now())
        return deliver_to_kafka(now=timezone.now())

    def test_a_cloudevents_library_reads_the_headers_and_anybody_the_value(
        self, kafka, desk, alice, now, settings
    ):
        booking = ask(desk, alice, now, request_key="order 17")
        assert self.deliver() == 1
        [record] = kafka.read(TOPIC, 1)
        headers = {name: value.encode() for name, value in record.headers.items()}
        read = from_binary(KafkaMessage(headers, record.key, record.value), JSONFormat())
        assert read.get_id() == f"{booking.code}.1"
        assert read.get_type() == "mesto.booking.created"
        assert read.get_subject() == record.key == str(booking.code)
        assert read.get_source() == settings.SITE_URL
        assert read.get_datacontenttype() == "application/avro"
        assert read.get_extension("requestkey") == "order 17"
        file = json.loads((FOLDER / "event.avsc").read_text())
        said = avro.decode(record.value, {avro.fingerprint_of(file): file})
        assert said == event_data(booking.events.get())

    def test_a_row_that_does_not_fit_is_a_dead_letter_and_holds_nobody_up(
        self, kafka, desk, alice, now
    ):
        booking = book(desk, alice, now)
        services.cancel(booking, by=alice, now=now)
        BookingEvent.objects.filter(sequence=1).update(data={"code": "x"})
        assert self.deliver() == 1
        assert self.deliver() == 1
        letters = Delivery.objects.filter(endpoint__channel="KAFKA").order_by("position")
        assert [letter.state for letter in letters] == ["DEAD", "DELIVERED"]
        assert "doesn't fit its schema" in letters[0].error


class TestPublished:
    def test_what_is_published_is_what_the_code_writes(self):
        assert kept(FOLDER) == published(), "make schemas"

    def test_nothing_has_changed_that_readers_of_the_last_release_trip_over(self):
        assert broken(kept(RELEASED), published()) == []

    def test_messages_of_the_last_release_can_be_read_and_its_readers_read_ours(
        self, desk, alice, now
    ):
        book(desk, alice, now)
        data = event_data(BookingEvent.objects.get())
        was = kept(RELEASED)
        assert Draft202012Validator(was["event.schema.json"]).is_valid(data)
        old, new = was["event.avsc"], avro_schema()
        assert avro.fingerprint_of(old) != avro.fingerprint_of(new)
        written = avro.encode(data)
        assert avro.decode(written, {written[2:10]: new}, reader=old)["kind"] == "CONFIRMED"
        before = avro.encode(data, schema=old)
        assert avro.decode(before, {before[2:10]: old}) == data

    def test_the_released_ones_are_schemas(self):
        for name, schema in kept(RELEASED).items():
            if name.endswith(".json"):
                assert meta.is_valid(schema)


def changed(change):
    after = deepcopy(published())
    for name, schema in after.items():
        fields = schema["fields"] if name == "event.avsc" else None
        change(name, schema, fields)
    return after


def leave_out(name, schema, fields):
    if fields:
        schema["fields"] = [field for field in fields if field["name"] != "reason"]
    elif name == "event.schema.json":
        del schema["properties"]["reason"]
        schema["required"].remove("reason")


def rename(name, schema, fields):
    for field in fields or ():
        if field["name"] == "kind":
            field["name"] = "what"
    if name == "event.schema.json":
        schema["properties"]["what"] = schema["properties"].pop("kind")
        schema["required"] = ["what" if each == "kind" else each for each in schema["required"]]


def take_a_number(name, schema, fields):
    if fields:
        fields[0]["type"] = "int"
    elif name == "event.schema.json":
        schema["properties"]["id"]["type"] = "integer"


def demand(name, schema, fields):
    if fields:
        fields.append({"name": "channel", "type": "string"})
    elif name == "event.schema.json":
        schema["properties"]["channel"] = {"type": "string"}
        schema["required"].append("channel")


def no_longer_say(name, schema, fields):
    """A value inside the booking, and inside the envelope, may suddenly be null."""
    if fields:
        [booking] = [field for field in fields if field["name"] == "booking"]
        booking["type"]["fields"][0]["type"] = ["null", "string"]
    else:
        schema["$defs"]["BookingData"]["properties"]["code"] = {
            "anyOf": [{"type": "string"}, {"type": "null"}]
        }


@pytest.mark.parametrize("change", [leave_out, rename, take_a_number, demand, no_longer_say])
def test_a_change_that_breaks_readers_fails_in_both_formats(change):
    found = broken(published(), changed(change))
    assert any(sentence.startswith("event.avsc: ") for sentence in found)
    assert any(sentence.startswith("event.schema.json: ") for sentence in found)


def test_a_schema_that_goes_breaks_readers():
    rest = {name: each for name, each in published().items() if name != "event.avsc"}
    assert broken(published(), rest) == ["event.avsc is gone."]


def test_a_field_that_may_be_null_may_come():
    def offer(name, schema, fields):
        if fields:
            fields.append({"name": "channel", "type": ["null", "string"], "default": None})
        else:
            kind = {"anyOf": [{"type": "string"}, {"type": "null"}]}
            schema["properties"]["channel"] = kind

    assert broken(published(), changed(offer)) == []


def test_a_format_that_there_is_not_stops_the_start():
    assert set(SETTINGS["KAFKA_FORMAT"].choices) == set(FORMATS)
    with pytest.raises(ValueError, match="xml"):
        SETTINGS["KAFKA_FORMAT"].value("xml")


def test_the_documentation_shows_an_event_that_fits():
    page = Path(project.BASE_DIR / "docs/events.md").read_text()
    example = page.partition("```json\n")[2].partition("```")[0]
    assert fits("event.schema.json", json.loads(example))
