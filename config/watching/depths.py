"""What waits, and who is there to do it: asked of the database whenever Prometheus asks us."""

from collections.abc import Iterator
from datetime import datetime

from django.db import DatabaseError, InterfaceError
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bookings.models import Booking, BookingEvent
from config.heartbeat import GONE_AFTER
from config.models import WorkerHeartbeat
from config.read_only import prepare
from notifications.models import Delivery, Endpoint

ABOUT = {
    "mesto_database_up": "1 if the primary database answered.",
    "mesto_queue_depth": "Requests waiting for their decision.",
    "mesto_queue_age_seconds": "For how long the oldest of them has been waiting.",
    "mesto_unplaced_events": "Events that no worker has put into the log yet.",
    "mesto_outbox_depth": "Deliveries waiting, also for another try.",
    "mesto_outbox_age_seconds": "For how long the longest due delivery has been due.",
    "mesto_workers": "Workers seen in the last ten seconds.",
    "mesto_worker_seen_seconds": "Since any worker was last seen.",
}


class Depths(Collector):
    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        try:
            prepare(is_safe=False)  # a replica says nothing about what waits
            found = [*_queue(now), *_outbox(now), *_workers(now)]
        except (DatabaseError, InterfaceError):
            yield _gauge("mesto_database_up", 0)
            return
        yield _gauge("mesto_database_up", 1)
        yield from found


def _gauge(name: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, ABOUT[name], value=value)


def _since(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max((now - at).total_seconds(), 0.0)


def _queue(now: datetime) -> Iterator[Metric]:
    found = Booking.objects.undecided().aggregate(n=Count("pk"), oldest=Min("created_at"))
    yield _gauge("mesto_queue_depth", found["n"])
    yield _gauge("mesto_queue_age_seconds", _since(found["oldest"], now))
    yield _gauge("mesto_unplaced_events", BookingEvent.objects.unplaced().count())


def _outbox(now: datetime) -> Iterator[Metric]:
    waiting = Delivery.objects.pending().order_by().values_list("endpoint__channel")
    rows = waiting.annotate(Count("pk"), Min("due_at"))
    found = {channel: (depth, oldest) for channel, depth, oldest in rows}
    depths, ages = (
        GaugeMetricFamily(name, ABOUT[name], labels=["channel"])
        for name in ("mesto_outbox_depth", "mesto_outbox_age_seconds")
    )
    for channel in Endpoint.Channel:
        depth, oldest = found.get(channel.value, (0, None))
        depths.add_metric([channel.lower()], depth)
        ages.add_metric([channel.lower()], _since(oldest, now))
    yield from (depths, ages)


def _workers(now: datetime) -> Iterator[Metric]:
    seen = list(WorkerHeartbeat.objects.values_list("seen_at", flat=True))
    yield _gauge("mesto_workers", sum(at > now - GONE_AFTER for at in seen))
    if seen:
        yield _gauge("mesto_worker_seen_seconds", _since(max(seen), now))
