"""What webhook tests do repeatedly."""

import ssl
import time
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

import standardwebhooks.webhooks

from config.tests.processes import PATIENCE
from notifications.models import Delivery
from notifications.relay import fan_out
from notifications.webhooks.sending import deliver_webhooks

#: A self-signed key and certificate for "localhost"; nobody trusts it.
CERTIFICATE = Path(__file__).with_name("localhost.pem")


def by_https():
    """Return a TLS context for a receiver."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def deliver(now):
    """Fan out, then run the webhook step until nothing is due or in progress."""
    while fan_out(now=now):
        pass
    deadline = time.monotonic() + PATIENCE
    while deliver_webhooks(now=now):
        assert time.monotonic() < deadline, "it never came to an end"


def verified(request, secret):
    """Verify a request by the receiver's clock; return its content.

    A receiver verifies at once. A test does so at the end, which on a slow machine may be
    later than a signature is valid.
    """

    class OnArrival(datetime):
        @classmethod
        def now(cls, tz=None):
            return request.at.astimezone(tz)

    with mock.patch.object(standardwebhooks.webhooks, "datetime", OnArrival):
        return standardwebhooks.Webhook(secret).verify(request.body, dict(request.headers))


def later(now, **since):
    return now + timedelta(**since)


def states(endpoint=None):
    found = Delivery.objects.filter(endpoint__channel="WEBHOOK").order_by("pk")
    if endpoint is not None:
        found = found.filter(endpoint=endpoint)
    return list(found.values_list("state", flat=True))
