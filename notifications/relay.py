"""From the booking log to everyone who listens: what to send, who sends it, and how it went.

The log gives every committed event a position (`bookings.deciding.log`), whatever order the commits
came in; `fan_out` turns what is past the cursor into one `Delivery` for each endpoint. A channel
then claims what is due, sends it, and settles it. A claim is a lease: when the sender is killed,
the lease runs out and somebody else sends again, so each endpoint gets everything at least once. A
booking's next delivery is due when the previous one is settled, so they arrive in order. Any
number of workers may run side by side.
"""

import logging
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import watching
from bookings.deciding import log
from bookings.deciding.knowing import number_of
from bookings.deciding.transactions import transactional
from bookings.deciding.visits import UNDO_ACCEPTED_FOR
from bookings.models import BookingEvent
from bookings.querysets import EventQuerySet
from notifications.models import Attempt, Cursor, Delivery, Endpoint
from notifications.outcomes import Again, Delivered, Outcome, Refused, Skipped
from notifications.querysets import DeliveryQuerySet

logger = logging.getLogger("mesto.deliveries")

#: How many events, or old deliveries, make one unit of a worker's work.
CHUNK = 500

#: An endpoint that failed more often than that in a row rests between tries.
PATIENCE = 4
#: A rest, or a wait for a listener that is down, is at most this many first pauses: a minute.
LONGEST_REST = 12

#: It gets this many tries however long it waited for its turn (no worker ran, it was off).
FEWEST_TRIES = 8

#: What members and guests get mail about; the rest is between the house and its programs.
MAILED = (
    BookingEvent.Kind.CONFIRMED,
    BookingEvent.Kind.MOVED,
    BookingEvent.Kind.KEPT,
    BookingEvent.Kind.NO_SHOW,
    BookingEvent.Kind.CANCELLED,
    BookingEvent.Kind.REJECTED,
)

#: What guests who left a phone get a text message about.
TEXTED = (
    BookingEvent.Kind.CONFIRMED,
    BookingEvent.Kind.MOVED,
    BookingEvent.Kind.CANCELLED,
)


def fan_out(*, now: datetime) -> int:
    """Make deliveries for some of what happened since; return for how many events."""
    log.place_new()
    return _fan_out(now=now)


@transactional
def _fan_out(*, now: datetime) -> int:
    cursor, _created = Cursor.objects.select_for_update().get_or_create(pk=1)
    read = BookingEvent.objects.beyond(cursor.position).select_related("booking__place__space")
    events = list(read[:CHUNK])
    if not events:
        return 0
    endpoints = _listening(now)
    Delivery.objects.bulk_create(
        [
            delivery_of(event, to=endpoint, now=now)
            for event in events
            if cursor.since is None or event.at >= cursor.since
            for endpoint in endpoints
            if is_for(endpoint, event)
        ],
        ignore_conflicts=True,  # somebody replayed it before it was due
    )
    cursor.position = events[-1].position or 0
    cursor.save(update_fields=["position"])
    return len(events)


def _listening(now: datetime) -> list[Endpoint]:
    endpoint_of(Endpoint.Channel.MAIL, now=now)
    if settings.KAFKA["bootstrap_servers"]:
        endpoint_of(Endpoint.Channel.KAFKA, now=now)
    if settings.SMS["provider"]:
        endpoint_of(Endpoint.Channel.SMS, now=now)
    found = Endpoint.objects.switched_on()
    for channel in not_set_up():
        Endpoint.objects.on(channel).update(listens_since=now)
        found = found.exclude(channel=channel)
    return list(found)


def not_set_up() -> list[Endpoint.Channel]:
    """Return the channels for which the settings name nobody: they hear nothing."""
    named = {
        Endpoint.Channel.KAFKA: settings.KAFKA["bootstrap_servers"],
        Endpoint.Channel.SMS: settings.SMS["provider"],
    }
    return [channel for channel, whom in named.items() if not whom]


def endpoint_of(channel: Endpoint.Channel, *, now: datetime) -> Endpoint:
    """Return the single endpoint of mail or Kafka."""
    return Endpoint.objects.get_or_create(
        channel=channel, space=None, defaults={"created_at": now, "listens_since": now}
    )[0]


def is_for(endpoint: Endpoint, event: BookingEvent) -> bool:
    """Tell whether an endpoint that is on is told of an event."""
    if endpoint.channel == Endpoint.Channel.MAIL:
        return event.booking.can_be_mailed and is_mailed(event)
    if endpoint.channel == Endpoint.Channel.SMS:
        return event.kind in TEXTED and bool(number_of(event.booking))
    if endpoint.channel == Endpoint.Channel.WEBHOOK:
        return endpoint.space_id == event.booking.place.space_id and endpoint.wants(event)
    return True


def is_mailed(event: BookingEvent) -> bool:
    """Tell whether members hear of it. That something was undone, they hear if they heard of it."""
    return event.kind in MAILED or event.data.get("undone") in MAILED


def delivery_of(event: BookingEvent, *, to: Endpoint, now: datetime) -> Delivery:
    """Make one, still to be saved: an event for an endpoint, due at once.

    Only the mail that nobody came waits until the staff can't take it back any more.
    """
    is_awkward = event.kind == BookingEvent.Kind.NO_SHOW and event.actor_id is not None
    waits = is_awkward and to.channel == Endpoint.Channel.MAIL
    return Delivery(
        endpoint=to,
        event=event,
        booking_id=event.booking_id,
        position=event.position,
        created_at=now,
        due_at=now + UNDO_ACCEPTED_FOR if waits else now,
        asked_at=now,
    )


# --- Sending --------------------------------------------------------------------------------------


def carry(
    channel: Endpoint.Channel,
    send: Callable[[Sequence[Delivery]], Sequence[tuple[Delivery, Outcome]]],
    *,
    limit: int,
    now: datetime,
) -> int:
    """Claim up to `limit` deliveries of a channel, send them, and settle them; return how many.

    Those for which `send` returns no outcome are given back.
    """
    done = 0
    for endpoint in Endpoint.objects.on(channel).ready(now):
        claimed = claim(endpoint, limit=limit, now=now)
        tried: Sequence[tuple[Delivery, Outcome]] = []
        try:
            tried = send(claimed) if claimed else []
        finally:
            settle(tried, now=timezone.now())
            sent = {delivery.pk for delivery, _outcome in tried}
            release(delivery for delivery in claimed if delivery.pk not in sent)
        done += len(tried)
    return done


@transactional
def claim(endpoint: Endpoint, *, limit: int, now: datetime) -> list[Delivery]:
    """Claim up to `limit` due deliveries; nobody else sends them while the lease runs."""
    found = list(
        Delivery.objects.filter(endpoint=endpoint)
        .due(now)
        .next_of_each_booking()
        .order_by("due_at", "pk")
        # SQLite serialises transactions; PostgreSQL skips what another worker holds.
        .select_for_update(skip_locked=True, no_key=True)
        .values_list("pk", flat=True)[:limit]
    )
    if not found:
        return []
    until = now + timedelta(seconds=settings.DELIVERIES["lease_seconds"])
    Delivery.objects.filter(pk__in=found).update(lease_expires_at=until)
    claimed = Delivery.objects.with_event().in_bulk(found)
    for delivery in claimed.values():
        delivery.endpoint = endpoint
    return [claimed[pk] for pk in found]


@transactional
def settle(tried: Sequence[tuple[Delivery, Outcome]], *, now: datetime) -> None:
    """Record how attempts at one endpoint ended.

    A sender that lost the lease meanwhile only records its attempt: somebody else sends, or
    has sent, what it held.
    """
    if not tried:
        return
    # Lock its row first, as deleting an endpoint does: what was sent to one that is
    # gone isn't recorded anywhere.
    rows = Endpoint.objects.select_for_update(no_key=True)
    endpoint = rows.filter(pk=tried[0][0].endpoint_id).first()
    if endpoint is None:
        return
    delivered = [delivery for delivery, outcome in tried if isinstance(outcome, Delivered)]
    _keep(delivered, state=Delivery.State.DELIVERED, settled_at=now, error="")
    for delivery, outcome in tried:
        if isinstance(outcome, Skipped):
            error = outcome.reason[:500]
            _keep([delivery], state=Delivery.State.SKIPPED, settled_at=now, error=error)
        elif isinstance(outcome, Refused):
            error = outcome.error[:500]
            _give_up(delivery, error, now=now)
        elif isinstance(outcome, Again):
            _try_again(delivery, outcome, now=now)
    Attempt.objects.bulk_create(
        [outcome.attempt for _delivery, outcome in tried if outcome.attempt is not None]
    )
    _judge(endpoint, [outcome for _delivery, outcome in tried], now=now)
    transaction.on_commit(partial(_tell, tried), robust=True)


def _tell(tried: Sequence[tuple[Delivery, Outcome]]) -> None:
    """Log how each ended, in the name of the request that caused it."""
    for delivery, outcome in tried:
        channel, how = delivery.endpoint.channel.lower(), type(outcome).__name__.lower()
        watching.tell("deliveries", channel=channel, outcome=how)
        event = delivery.event
        if event is None or not event.request_id:
            continue  # nobody looks for it: the worker says how many there were
        with watching.caused_by(event.request_id, event.traceparent):
            about = {"channel": channel, "outcome": how, "delivery": str(delivery.code)}
            logger.info("delivery", extra=about)


def release(claimed: Iterable[Delivery]) -> None:
    """Give back what was claimed but not tried."""
    for delivery in claimed:
        held = Delivery.objects.pending().filter(lease_expires_at=delivery.lease_expires_at)
        held.filter(pk=delivery.pk).update(lease_expires_at=None)


def _keep(deliveries: Collection[Delivery], **values: Any) -> None:
    """Record the outcome if we still hold it: the lease identifies the claim."""
    leases = {delivery.lease_expires_at for delivery in deliveries}
    for lease in leases:
        keys = [delivery.pk for delivery in deliveries if delivery.lease_expires_at == lease]
        held = Delivery.objects.pending().filter(pk__in=keys, lease_expires_at=lease)
        held.update(attempts=F("attempts") + 1, lease_expires_at=None, **values)


def _try_again(delivery: Delivery, outcome: Again, *, now: datetime) -> None:
    """Wait twice as long after each try, minus some jitter, up to the limit; then give up."""
    first = timedelta(seconds=settings.DELIVERIES["retry_seconds"])
    give_up_at = delivery.asked_at + timedelta(hours=settings.DELIVERIES["give_up_hours"])
    pause = first * 2 ** min(delivery.attempts, 20)
    if outcome.is_down:
        pause = min(pause, first * LONGEST_REST)
    due_at = now + max(pause * random.uniform(0.5, 1), outcome.after)  # noqa: S311 - spreads
    error = outcome.error[:500]
    if outcome.is_down or due_at <= give_up_at:
        _keep([delivery], due_at=due_at, error=error)
    elif now < give_up_at:
        _keep([delivery], due_at=give_up_at, error=error)  # the last try
    elif delivery.attempts + 1 < FEWEST_TRIES:
        _keep([delivery], due_at=due_at, error=error)
    else:
        _give_up(delivery, error, now=now)


def _give_up(delivery: Delivery, error: str, *, now: datetime) -> None:
    _keep([delivery], state=Delivery.State.DEAD, settled_at=now, error=error)
    watching.tell_after_commit("dead_deliveries", channel=delivery.endpoint.channel.lower())


def _judge(endpoint: Endpoint, outcomes: Collection[Outcome], *, now: datetime) -> None:
    """Rest an endpoint that keeps failing, so that it costs others nothing."""
    this = Endpoint.objects.filter(pk=endpoint.pk)
    before = endpoint.failures
    if any(not isinstance(outcome, Again) for outcome in outcomes):
        if before:
            this.update(failures=0, failing_since=None, rests_until=None)
        return
    rest = timedelta(0)
    if before >= PATIENCE:
        first = timedelta(seconds=settings.DELIVERIES["retry_seconds"])
        rest = first * min(2 ** min(before - PATIENCE, 20), LONGEST_REST)
    since = endpoint.failing_since or now
    this.update(failures=before + 1, failing_since=since, rests_until=now + rest)


# --- Sending again, and forgetting ----------------------------------------------------------------


@transactional
def resend(deliveries: Collection[Delivery], *, now: datetime) -> int:
    """Send again what is settled, starting over, and at once what is waiting for its next try.

    Return how many. Each keeps its id, so a receiver that has it already recognises it.
    """
    chosen = Delivery.objects.filter(pk__in=[delivery.pk for delivery in deliveries])
    hastened = chosen.waiting_for_another_try(now).update(due_at=now)
    return hastened + _begin_anew(chosen, now=now)


def _begin_anew(deliveries: DeliveryQuerySet[Delivery], *, now: datetime) -> int:
    return deliveries.settled().update(
        state=Delivery.State.PENDING,
        attempts=0,
        due_at=now,
        asked_at=now,
        settled_at=None,
        lease_expires_at=None,
        error="",
    )


def replay(events: EventQuerySet[BookingEvent], *, to: Endpoint, now: datetime) -> int:
    """Send one endpoint the part of history that it wants again; return how many events."""
    while log.place_new():
        pass
    position = told = 0
    while chunk := list(events.beyond(position).select_related("booking__place__space")[:CHUNK]):
        told += _replay([event for event in chunk if is_for(to, event)], to=to, now=now)
        position = chunk[-1].position or 0
    return told


@transactional
def _replay(events: Sequence[BookingEvent], *, to: Endpoint, now: datetime) -> int:
    # In this order: wait for one that is just being forgotten as too old, then make it again.
    theirs = Delivery.objects.filter(endpoint=to, purpose=Delivery.Purpose.EVENT)
    _begin_anew(theirs.filter(event__in=events), now=now)
    Delivery.objects.bulk_create(
        [delivery_of(event, to=to, now=now) for event in events], ignore_conflicts=True
    )
    return len(events)


@transactional
def forget_settled(*, now: datetime) -> int:
    """Delete some delivered long ago; return how many. Dead letters and the log stay."""
    before = now - timedelta(days=settings.DELIVERIES["retention_days"])
    old = Delivery.objects.forgettable(now, settled_before=before)
    # Locked: one that somebody is sending again right now is not old any more.
    old = old.select_for_update(skip_locked=True)
    keys = list(old.values_list("pk", flat=True)[:CHUNK])
    Delivery.objects.filter(pk__in=keys).delete()
    return len(keys)
