"""An event as Kafka carries it: by CloudEvents 1.0, with headers to recognise it by.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
KAFKA_FORMAT=json is its structured mode: the whole event is the value, in JSON. KAFKA_FORMAT=avro
is its binary mode: the value is what happened, in Avro, and the rest of the envelope the headers.
"""

import json
from collections.abc import Callable, Mapping

from django.conf import settings

from accounts import watching
from bookings.models import BookingEvent
from bookings.words.representation import event_data, event_id
from notifications.kafka import avro

type Headers = list[tuple[str, str | bytes | None]]

#: Prefix of every type. Not a host name, as CloudEvents suggest: the types are the same wherever
#: Mesto runs, and `source` says where that is.
TYPES = "mesto.booking"


def type_of(event: BookingEvent) -> str:
    """Return the CloudEvents type, such as "mesto.booking.confirmed"."""
    return f"{TYPES}.{event.kind.lower()}"


def key_of(event: BookingEvent) -> bytes:
    """Return the partition key: events of one booking share it, so they stay in order."""
    return str(event.booking.code).encode()


def message(event: BookingEvent) -> tuple[bytes, Headers]:
    """Return an event's value and headers. Raises ValueError when it can't be written so."""
    return FORMATS[settings.KAFKA["format"]](event)


def in_json(event: BookingEvent) -> tuple[bytes, Headers]:
    """Return the event as the API shows it, in an envelope; consumers deduplicate by `ce_id`."""
    content = {
        **attributes(event),
        "datacontenttype": "application/json",
        "data": event_data(event),
    }
    value = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return value, [
        ("content-type", b"application/cloudevents+json; charset=UTF-8"),
        ("ce_id", event_id(event).encode()),
        ("ce_type", type_of(event).encode()),
        *trail(event),
    ]


def in_avro(event: BookingEvent) -> tuple[bytes, Headers]:
    """Return what happened as a single Avro object, and its envelope as headers."""
    about = {f"ce_{name}": value.encode() for name, value in attributes(event).items()}
    return avro.encode(event_data(event)), [
        ("content-type", avro.CONTENT_TYPE.encode()),
        *about.items(),
        *trail(event),
    ]


def attributes(event: BookingEvent) -> Mapping[str, str]:
    """Return the envelope's attributes but the type of its content."""
    data = event_data(event)
    found = {
        "specversion": "1.0",
        "id": data["id"],
        "source": settings.SITE_URL,
        "type": type_of(event),
        "subject": data["booking"]["code"],
        "time": data["at"],
    }
    # An extension: tells whoever asked by Kafka which booking answers which request.
    if event.booking.request_key:
        found["requestkey"] = event.booking.request_key
    return found


def trail(event: BookingEvent) -> Headers:
    """Return the headers that lead back to the request: of ours, not of CloudEvents."""
    traceparent = watching.traceparent() or event.traceparent
    named = {"x-request-id": event.request_id, "traceparent": traceparent}
    return [(name, value.encode()) for name, value in named.items() if value]


#: What KAFKA_FORMAT may be.
FORMATS: dict[str, Callable[[BookingEvent], tuple[bytes, Headers]]] = {
    "json": in_json,
    "avro": in_avro,
}
