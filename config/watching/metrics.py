"""What is counted, for Prometheus: `docs/operations.md` says what each number means.

Apps tell of signs (`accounts.watching.tell`); here each becomes a metric. Labels have values from
the code alone (routes, states, rules, steps): nobody outside can add any, so there are only a few.

Several web processes count in files that they share memory with; see `config.watching.processes`.
"""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from accounts import watching
from config.watching import processes

registry = CollectorRegistry()

#: Seconds. The promise is 0.2 for almost everybody.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)


def _counter(name: str, about: str, *labels: str) -> Counter:
    return Counter(f"mesto_{name}", about, labels, registry=registry)


COUNTERS: dict[str, Counter] = {
    "requests": _counter("requests", "Requests answered.", "route", "method", "status"),
    "bookings": _counter("bookings", "What happened to bookings, by kind of event.", "outcome"),
    "refusals": _counter("refusals", "Wishes refused at once, by rule.", "rule"),
    "lost_races": _counter("lost_races", "Bookings and moves whose slot somebody else had."),
    "retries": _counter("retries", "Transactions run again, by reason.", "reason"),
    "statements": _counter("statements", "SQL statements."),
    "database_seconds": _counter("database_seconds", "Seconds spent waiting for the database."),
    "slow_statements": _counter("slow_statements", "SQL statements that took over 0.2 s."),
    "database_waits": _counter("database_waits", "Waits for the database in vain.", "what"),
    "cache": _counter("cache", "Look-ups in caches.", "cache", "outcome"),
    "deliveries": _counter("deliveries", "Attempts to deliver.", "channel", "outcome"),
    "dead_deliveries": _counter("dead_deliveries", "Deliveries given up.", "channel"),
    "steps": _counter("steps", "A worker's steps that did something or failed.", "step", "outcome"),
}

SECONDS = Histogram(
    "mesto_request_seconds",
    "Seconds until the answer was ready.",
    ("route",),
    buckets=BUCKETS,
    registry=registry,
)


def count(sign: str, amount: float, labels: dict[str, str]) -> None:
    _counter_of(sign, tuple(labels.items())).inc(amount)


@cache
def _counter_of(sign: str, labels: tuple[tuple[str, str], ...]) -> Counter:
    """Return a counter with its labels, which takes longer to find than to add to."""
    counter = COUNTERS[sign]
    return counter.labels(**dict(labels)) if labels else counter


@cache
def _seconds_of(route: str) -> Histogram:
    return SECONDS.labels(route)


def listen() -> None:
    """Count what is told from now on."""
    if count not in watching.listeners:
        watching.listeners.append(count)


def exposition(*, also: Collector | None = None) -> bytes:
    """Return all numbers as text: of this process, or of all web processes."""
    found = CollectorRegistry()
    if folder := os.environ.get(processes.FOLDER):
        with processes.undisturbed(Path(folder)):
            MultiProcessCollector(found, path=folder)  # type: ignore[no-untyped-call]  # theirs isn't
            text: bytes = generate_latest(found)
    else:
        text = generate_latest(registry)
    if also is not None:
        rest = CollectorRegistry()
        rest.register(also)
        text += generate_latest(rest)
    return text


def names() -> Iterator[str]:
    """Yield the name of every metric that a process counts itself."""
    for metric in registry.collect():
        yield f"{metric.name}_total" if metric.type == "counter" else metric.name


def measured(seconds: float, route: str, method: str, status: int) -> None:
    """Count a request."""
    labels = (("route", route), ("method", method), ("status", str(status)))
    _counter_of("requests", labels).inc()
    _seconds_of(route).observe(seconds)


def label_values(metric: str, label: str) -> set[Any]:
    """Return the values of a label so far, in this process."""
    return {
        sample.labels[label]
        for found in registry.collect()
        for sample in found.samples
        if found.name == metric and label in sample.labels
    }
