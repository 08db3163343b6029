"""How many events per second one worker delivers to Kafka.

    python -m benchmarks --kafka [--engine sqlite]

The broker is librdkafka's mock cluster in its own process: it speaks the protocol and
acknowledges, and keeps everything in memory. So this measures Mesto, its producer and the database,
which writes to the disk, and not a broker's disks.
"""

import json
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from benchmarks.report import head, line
from benchmarks.site import ROOT, in_this_process
from benchmarks.webhooks import booked_space, worker

EVENTS = 10_000

# Runs in its own process until nobody reads its output any more.
BROKER = """
import sys
from notifications.tests.broker import Broker
broker = Broker()
print(broker.address, flush=True)
sys.stdin.read()
"""


def main(asked: Namespace) -> None:
    with (
        broker() as address,
        in_this_process(
            asked.engine,
            KAFKA_BOOTSTRAP_SERVERS=address,
            KAFKA_OPTIONS=json.dumps({"log_level": 3}),
        ) as title,
    ):
        print(title)
        print(head(("from", "deliveries", "seconds", "deliveries/s")))
        print(measured("rows that are due", EVENTS, is_fanned_out=True), flush=True)
        print(measured("the log", EVENTS, is_fanned_out=False), flush=True)


@contextmanager
def broker() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-c", BROKER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def measured(source: str, events: int, *, is_fanned_out: bool) -> str:
    """Book, start the worker, and read from the rows when they were acknowledged.

    The first batch marks when the worker was up, and isn't counted.
    """
    from django.db import connections
    from django.db.models import Max, Min

    from notifications import relay
    from notifications.models import Delivery

    Delivery.objects.all().delete()
    booked_space(events)
    while is_fanned_out and relay.fan_out(now=datetime.now(UTC)):
        pass
    connections.close_all()
    to_kafka = Delivery.objects.filter(endpoint__channel="KAFKA")
    with worker():
        deadline = time.monotonic() + 300
        while to_kafka.filter(state="DELIVERED").count() < events:
            assert time.monotonic() < deadline, "it takes too long"
            time.sleep(0.2)
    ends = to_kafka.aggregate(first=Min("settled_at"), last=Max("settled_at"))
    count = to_kafka.filter(settled_at__gt=ends["first"]).count()
    seconds = (ends["last"] - ends["first"]).total_seconds()
    return line((source, str(count), f"{seconds:.1f}", f"{count / seconds:.0f}"))
