"""What a webhook says and how it is signed, by the Standard Webhooks specification 1.0."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from standardwebhooks import Webhook

from accounts import watching
from bookings.words.representation import event_data, event_id, written
from notifications.models import Delivery, Endpoint

USER_AGENT = "Mesto/1.0"


@dataclass(frozen=True)
class Message:
    """One message, taken from the database: threads that send it need nothing else."""

    id: str
    url: str
    body: bytes
    secrets: tuple[str, ...]
    request_id: str = ""  # of whoever caused it
    traceparent: str = ""

    def headers(self, at: datetime) -> dict[str, str]:
        """Return a call's headers as of this moment: each try is signed afresh."""
        text = self.body.decode()
        signatures = [Webhook(secret).sign(self.id, at, text) for secret in self.secrets]
        traceparent = watching.traceparent() or self.traceparent
        named = {"X-Request-ID": self.request_id, "traceparent": traceparent}
        return {
            "Content-Type": "application/json",
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "identity",  # nothing to unpack, so no zip bombs
            "webhook-id": self.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signatures),
            **{name: value for name, value in named.items() if value},
        }


def message_of(delivery: Delivery, *, now: datetime) -> Message:
    """Build a delivery's message. It needs `with_event`, and its endpoint."""
    event = delivery.event
    return Message(
        id=event_id(event) if event else str(delivery.code),
        url=delivery.endpoint.url,
        body=_json(payload(delivery)),
        secrets=_secrets(delivery.endpoint, now),
        request_id=event.request_id if event else "",
        traceparent=event.traceparent if event else "",
    )


def payload(delivery: Delivery) -> dict[str, Any]:
    """Return type, time and data, the same on every try; a test only describes itself."""
    if delivery.event is None:
        space = delivery.endpoint.space
        assert space is not None  # a constraint says so: it is a webhook's
        return {
            "type": "ping",
            "timestamp": written(delivery.created_at, space.zone),
            "data": {"webhook": str(delivery.endpoint.code), "space": space.slug},
        }
    data = event_data(delivery.event)
    return {
        "type": f"booking.{delivery.event.kind.lower()}",
        "timestamp": data["at"],
        "data": data,
    }


def _json(value: dict[str, Any]) -> bytes:
    """Write the same bytes on every try: PostgreSQL keeps JSON keys in its own order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _secrets(endpoint: Endpoint, now: datetime) -> tuple[str, ...]:
    until = endpoint.previous_secret_until
    if endpoint.previous_secret and until is not None and now < until:
        return endpoint.secret, endpoint.previous_secret
    return (endpoint.secret,)
