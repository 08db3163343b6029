"""Deliveries that should be there and aren't: found, explained and put back in the queue.

The relay has passed the event, its endpoint was listening, and the row is too young to have been
forgotten. What happened while an endpoint was off, or didn't ask for it, is not lost.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, Subquery

from bookings.deciding.explaining import BY_REPAIR, Explanation
from bookings.deciding.invariants import CHUNK, Violation
from bookings.deciding.repairing import Repair
from bookings.deciding.transactions import transactional
from bookings.models import BookingEvent
from bookings.querysets import EventQuerySet
from notifications import relay
from notifications.models import Cursor, Delivery, Endpoint
from notifications.querysets import EndpointQuerySet

EXPLANATION = Explanation(
    "Somebody who listens was never told of this event, and never will be.",
    "Rows were deleted by hand, or the deliveries come from an older backup than the cursor.",
    f"{BY_REPAIR} It puts the delivery back in the queue, and the worker sends it with the "
    "event's own id: a receiver that has it already recognises it. It may come after later events "
    "of its booking; mail that would mislead by now is skipped.",
)


def lost_deliveries(now: datetime) -> Iterator[Violation]:
    """What the relay has passed has a delivery for each endpoint that listens."""
    for endpoint in _listening():
        for event in _lost(endpoint, now=now).iterator(CHUNK):
            if not relay.is_for(endpoint, event):
                continue
            code = event.booking.code
            problem = (
                f"event {event.sequence} {event.kind} was never queued for "
                f"{endpoint.get_channel_display()} {endpoint.code}"
            )
            yield Violation("delivery", str(code), problem, "delivery", Q(code=code))


def repair(violation: Violation, now: datetime) -> Repair:
    """Put a booking's lost deliveries back in the queue."""
    return _repair(violation.subject, now)


@transactional
def _repair(code: str, now: datetime) -> Repair:
    # The relay's lock: nobody fans out meanwhile.
    Cursor.objects.select_for_update().filter(pk=1).first()
    done = []
    # Locked, as deleting and switching one does.
    for endpoint in _listening().select_for_update(no_key=True, of=("self",)):
        theirs = _lost(endpoint, now=now).filter(booking__code=code)
        events = [event for event in theirs if relay.is_for(endpoint, event)]
        new = [relay.delivery_of(event, to=endpoint, now=now) for event in events]
        Delivery.objects.bulk_create(new, ignore_conflicts=True)
        done += [f"queued event {event.sequence} for {endpoint.code}" for event in events]
    return Repair("; ".join(done))


def _listening() -> EndpointQuerySet[Endpoint]:
    return Endpoint.objects.switched_on().exclude(channel__in=relay.not_set_up()).by_age()


def _lost(endpoint: Endpoint, *, now: datetime) -> EventQuerySet[BookingEvent]:
    """Return events that the relay has passed without a trace, by one statement.

    Deliveries are forgotten that long after they were settled, so after the event.
    """
    remembered = now - timedelta(days=settings.DELIVERIES["retention_days"])
    cursor = Cursor.objects.filter(pk=1)
    # As it was read: somebody may be changing what it hears.
    same = Endpoint.objects.switched_on().filter(
        pk=endpoint.pk, listens_since=endpoint.listens_since
    )
    theirs = Delivery.objects.filter(
        endpoint=endpoint, purpose=Delivery.Purpose.EVENT, event=OuterRef("pk")
    )
    found = BookingEvent.objects.filter(
        Exists(same),
        ~Exists(theirs),
        position__lte=Subquery(cursor.values("position")),
        at__gte=max(endpoint.listens_since, remembered),
    )
    since = cursor.values_list("since", flat=True).first()
    if since is not None:
        found = found.filter(at__gte=since)
    return found.select_related("booking__place__space").order_by("position")
