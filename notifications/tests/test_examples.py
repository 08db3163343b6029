"""The programs that readers copy do what they say."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http import HTTPStatus

import httpx
import pytest
from django.conf import settings
from standardwebhooks import Webhook

from config.tests.processes import wait_for

SECRET = "whsec_" + "c2VjcmV0" * 4
TOPIC = "mesto.bookings"


@contextmanager
def running(program, *arguments, **environment):
    """Run an example; it ends by SIGTERM."""
    process = subprocess.Popen(
        [sys.executable, settings.BASE_DIR / "examples" / program, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def receiver():
    with running("webhook_receiver.py", "0", WEBHOOK_SECRET=SECRET) as process:
        yield process.stdout.readline().strip(), process


def signed(identity, content, secret=SECRET):
    """Return the body and the headers of a call."""
    body, now = json.dumps(content), datetime.now(UTC)
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, now, body),
    }
    return {"content": body, "headers": headers}


def test_the_receiver_says_each_thing_once_and_believes_no_stranger(receiver):
    url, process = receiver
    booked = {"type": "booking.confirmed", "data": {"booking": {"code": "b"}}}
    forged = signed("b.1", booked, secret="whsec_" + "bm9ib2R5" * 4)
    for call, expected in [
        (forged, HTTPStatus.BAD_REQUEST),
        ({"content": "{}"}, HTTPStatus.BAD_REQUEST),
        (signed("b.1", booked), HTTPStatus.NO_CONTENT),
        (signed("b.1", booked), HTTPStatus.NO_CONTENT),
        (signed("p", {"type": "ping", "data": {}}), HTTPStatus.NO_CONTENT),
    ]:
        assert httpx.post(url, **call).status_code == expected
    lines = [process.stdout.readline().strip() for _ in range(4)]
    assert [line.split(":")[0] for line in lines[:2]] == ["refused", "refused"]
    assert lines[2:] == ["b.1 booking.confirmed b", "p ping"]


def event(number):
    return {
        "id": f"b.{number}",
        "type": "mesto.booking.confirmed",
        "subject": "b",
        "time": "2026-11-25T13:00:00+03:00",
        "data": {"id": f"b.{number}"},
    }


def test_the_consumer_keeps_each_event_once(broker, tmp_path):
    broker.create(TOPIC, partitions=1)
    table = tmp_path / "events.sqlite3"
    command = ("--servers", broker.address, "--topic", TOPIC, "--database", str(table))

    broker.write(TOPIC, event(1), event(2), event(1), event(3), key="b")
    with running("kafka_consumer.py", *command) as process:
        printed = [process.stdout.readline().split()[0] for _ in range(3)]
        wait_for(lambda: broker.committed("mesto-example", TOPIC) == [4])
    assert process.returncode == 0
    broker.write(TOPIC, event(3), event(4), key="b")
    # Another group begins with the oldest event; the table knows what it has.
    with running("kafka_consumer.py", *command, "--group", "another") as process:
        printed.append(process.stdout.readline().split()[0])
    assert printed == ["b.1", "b.2", "b.3", "b.4"]
    with closing(sqlite3.connect(table)) as database:
        kept = database.execute("SELECT id, data FROM events ORDER BY rowid").fetchall()
    assert kept == [(f"b.{n}", json.dumps({"id": f"b.{n}"})) for n in range(1, 5)]
