"""The example receiver that readers copy does what it says."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus

import httpx
import pytest
from django.conf import settings
from standardwebhooks import Webhook

from config.tests.processes import PATIENCE

pytestmark = pytest.mark.any_database

SECRET = "whsec_" + "c2VjcmV0" * 4


@contextmanager
def running(program, *arguments, **environment):
    """Run an example; ends it with SIGTERM."""
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
        process.communicate(timeout=PATIENCE)


@pytest.fixture
def receiver():
    with running("webhook_receiver.py", "0", WEBHOOK_SECRET=SECRET) as process:
        yield process.stdout.readline().strip(), process


def signed(identity, content, secret=SECRET):
    """Return a call's body and headers."""
    body, now = json.dumps(content), datetime.now(UTC)
    headers = {
        "webhook-id": identity,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(identity, now, body),
    }
    return {"content": body, "headers": headers}


def test_the_receiver_reports_each_event_once_and_rejects_forgeries(receiver):
    url, process = receiver
    booked = {"type": "booking.confirmed", "data": {"booking": {"code": "b"}}}
    calls = [
        (("b.1", booked, "whsec_" + "bm9ib2R5" * 4), HTTPStatus.BAD_REQUEST),
        (None, HTTPStatus.BAD_REQUEST),
        (("b.1", booked), HTTPStatus.NO_CONTENT),
        (("b.1", booked), HTTPStatus.NO_CONTENT),
        (("p", {"type": "ping", "data": {}}), HTTPStatus.NO_CONTENT),
    ]
    for what, expected in calls:
        call = signed(*what) if what else {"content": "{}"}  # signed as late as possible
        assert httpx.post(url, **call, timeout=PATIENCE).status_code == expected
    lines = [process.stdout.readline().strip() for _ in range(4)]
    assert [line.split(":")[0] for line in lines[:2]] == ["refused", "refused"]
    assert lines[2:] == ["b.1 booking.confirmed b", "p ping"]
