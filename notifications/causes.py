"""What a delivery is for: the request that caused it, and that request's trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts import watching
from notifications.models import Delivery


@contextmanager
def carrying_out(delivery: Delivery) -> Iterator[None]:
    """Deliver something in the name of the request that caused it, as a part of its trace."""
    event = delivery.event
    request_id, traceparent = (event.request_id, event.traceparent) if event else ("", "")
    channel = delivery.endpoint.channel.lower()
    code = str(delivery.code)
    with (
        watching.caused_by(request_id, traceparent),
        watching.span(f"deliver {channel}", kind="producer", parent=traceparent, delivery=code),
    ):
        yield
