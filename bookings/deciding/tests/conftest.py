"""Whatever a test of the services does, the events it leaves are as we promise others they are."""

from collections.abc import Iterator
from functools import cache

import pytest
from jsonschema_rs import Draft202012Validator

from bookings.models import BookingEvent
from bookings.words.representation import event_data
from notifications.contracts.schemas import avro_schema, published
from notifications.kafka import avro

#: These write events that no service would, or leave a connection that nobody can ask.
OTHERWISE = {"test_check_bookings", "test_repair_bookings", "test_statements", "test_claims"}


@cache
def as_json() -> Draft202012Validator:
    return Draft202012Validator(published()["event.schema.json"])


@pytest.fixture(autouse=True)
def events_that_fit_their_schemas(request: pytest.FixtureRequest, db: None) -> Iterator[None]:
    """Check every event that is left, in both formats."""
    yield
    if request.module.__name__.rpartition(".")[2] in OTHERWISE:
        return
    known = {avro.fingerprint_of(avro_schema()): avro_schema()}
    for event in BookingEvent.objects.select_related("booking__place__space")[:500]:
        data = event_data(event)
        as_json().validate(data)
        assert avro.decode(avro.encode(data), known) == data
