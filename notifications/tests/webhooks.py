"""What webhook tests do again and again."""

import ssl
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

import standardwebhooks.webhooks

from notifications.models import Delivery
from notifications.relay import fan_out
from notifications.webhooks.sending import deliver_webhooks

#: Key and certificate of "localhost", signed by itself; nobody trusts it.
CERTIFICATE = Path(__file__).with_name("localhost.pem")


def by_https():
    """Return what a receiver needs to speak TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def deliver(now, *, rounds=400):
    """Fan out, then do the webhooks' step until nothing is due or under way."""
    while fan_out(now=now):
        pass
    for _ in range(rounds):
        if not deliver_webhooks(now=now):
            return
    raise AssertionError("It never came to an end.")


def verified(request, secret):
    """Verify a request by the receiver's clock; return what it says.

    A receiver verifies at once. A test does so when all is over, which on a slow machine may be
    later than a signature is good for.
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
