"""The schemas of an event: JSON Schema and Avro, both from the types that write it.

`bookings.words.representation.EventData` is the one definition. What may be null need not be there
in a schema: so a field that is added later must be nullable, and messages that are older than the
field, which a topic keeps for years, stay readable. `notifications.contracts.changes` checks it.
"""

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field, TypeAdapter

from bookings.models import BookingEvent
from bookings.states import State
from bookings.words.representation import EventData

type Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
NAMESPACE = "mesto.booking"

#: No enumerations: more words may come, and a reader ignores what is new to it.
OPEN = {"kind": list(BookingEvent.Kind.values), "state": list(State.values)}


class Envelope(TypedDict):
    """A CloudEvents 1.0 envelope in JSON (structured mode), as KAFKA_FORMAT=json writes it."""

    specversion: Annotated[Literal["1.0"], Field(description="Of CloudEvents.")]
    id: Annotated[str, Field(description="The event's id: remember it, and drop repetitions.")]
    source: Annotated[str, Field(description="The address of the site; may be empty.")]
    type: Annotated[str, Field(description="What happened, such as mesto.booking.confirmed.")]
    subject: Annotated[str, Field(description="The booking's code.")]
    time: Annotated[
        str, Field(description="When, in RFC 3339.", json_schema_extra={"format": "date-time"})
    ]
    datacontenttype: Annotated[Literal["application/json"], Field(description="Of `data`.")]
    data: Annotated[EventData, Field(description="The event.")]
    requestkey: NotRequired[
        Annotated[str, Field(description="The key of the request that asked for the booking.")]
    ]


class WebhookBody(TypedDict):
    """The body of a webhook about a booking, by Standard Webhooks."""

    type: Annotated[str, Field(description="What happened, such as booking.confirmed.")]
    timestamp: Annotated[
        str, Field(description="When, in RFC 3339.", json_schema_extra={"format": "date-time"})
    ]
    data: Annotated[EventData, Field(description="The event.")]


@cache
def published() -> dict[str, Schema]:
    """Return every schema by the name of its file."""
    return {
        "event.schema.json": json_schema(EventData),
        "kafka.schema.json": json_schema(Envelope),
        "webhook.schema.json": json_schema(WebhookBody),
        "event.avsc": avro_schema(),
    }


def json_schema(shape: Any) -> Schema:
    """Return a typed dictionary as JSON Schema: open to more, and null is as good as absent."""
    made: Schema = {"$schema": DIALECT, **TypeAdapter(shape).json_schema()}
    for record in (made, *made.get("$defs", {}).values()):
        if "description" in record:
            record["description"] = " ".join(record["description"].split())
        nullable = {name for name, field in record["properties"].items() if "anyOf" in field}
        record["required"] = [name for name in record["required"] if name not in nullable]
        for name, field in record["properties"].items():
            field.pop("title", None)
            if name in OPEN:
                field["examples"] = OPEN[name]
    return made


@cache
def avro_schema() -> Schema:
    """Return an event as an Avro record with the same fields and values as in JSON.

    Instants and codes are strings: an Avro timestamp would lose the offset of the space.
    """
    definition = json_schema(EventData)
    record = _record("Event", definition, definition["$defs"])
    record["namespace"] = NAMESPACE
    return record


def _record(name: str, definition: Schema, known: Schema) -> Schema:
    return {
        "type": "record",
        "name": name,
        "doc": definition["description"],
        "fields": list(_fields(definition, known)),
    }


def _fields(definition: Schema, known: Schema) -> Iterator[Schema]:
    for name, field in definition["properties"].items():
        made = {"name": name, "type": _type(field, known), "doc": field["description"]}
        if name not in definition["required"]:
            made["default"] = None
        yield made


def _type(field: Schema, known: Schema) -> Any:
    """Translate a type; a kind of field that we don't have yet is a KeyError here."""
    if reference := field.get("$ref"):
        name = reference.rpartition("/")[2]
        return _record(name.removesuffix("Data"), known[name], known)
    if choices := field.get("anyOf"):
        [only] = [choice for choice in choices if choice != {"type": "null"}]
        return ["null", _type(only, known)]
    if field["type"] == "array":
        return {"type": "array", "items": _type(field["items"], known)}
    return {"string": "string", "integer": "int", "boolean": "boolean"}[field["type"]]
