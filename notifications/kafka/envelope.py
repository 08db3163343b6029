"""An event as Kafka carries it: a CloudEvents 1.0 envelope, with headers to recognise it by.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md,
structured mode: the whole event is the value, in JSON.
"""

import json

from django.conf import settings

from accounts import watching
from bookings.models import BookingEvent
from bookings.words.representation import event_data, event_id

#: Prefix of every type. Not a host name, as CloudEvents suggest: the types are the same wherever
#: Mesto runs, and `source` says where that is.
TYPES = "mesto.booking"


def type_of(event: BookingEvent) -> str:
    """Return the CloudEvents type, such as "mesto.booking.confirmed"."""
    return f"{TYPES}.{event.kind.lower()}"


def key_of(event: BookingEvent) -> bytes:
    """Return the partition key: events of one booking share it, so they stay in order."""
    return str(event.booking.code).encode()


def envelope(event: BookingEvent) -> bytes:
    """Return the event as the API shows it, in an envelope."""
    data = event_data(event)
    content = {
        "specversion": "1.0",
        "id": data["id"],
        "source": settings.SITE_URL,
        "type": type_of(event),
        "subject": data["booking"]["code"],
        "time": data["at"],
        "datacontenttype": "application/json",
        "data": data,
    }
    # An extension: tells whoever asked by Kafka which booking answers which request.
    if event.booking.request_key:
        content["requestkey"] = event.booking.request_key
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def headers(event: BookingEvent) -> list[tuple[str, str | bytes | None]]:
    """Return what consumers can read without opening the envelope; deduplicate by `ce_id`."""
    traceparent = watching.traceparent() or event.traceparent
    named = {"x-request-id": event.request_id, "traceparent": traceparent}
    return [
        ("content-type", b"application/cloudevents+json; charset=UTF-8"),
        ("ce_id", event_id(event).encode()),
        ("ce_type", type_of(event).encode()),
        *((name, value.encode()) for name, value in named.items() if value),
    ]
