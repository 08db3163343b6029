"""What webhook tests do again and again."""

from datetime import timedelta

from notifications.models import Delivery
from notifications.relay import fan_out
from notifications.webhooks.sending import deliver_webhooks


def deliver(now, *, rounds=400):
    """Fan out, then do the webhooks' step until nothing is due or under way."""
    while fan_out(now=now):
        pass
    for _ in range(rounds):
        if not deliver_webhooks(now=now):
            return
    raise AssertionError("It never came to an end.")


def later(now, **since):
    return now + timedelta(**since)


def states(endpoint=None):
    found = Delivery.objects.filter(endpoint__channel="WEBHOOK").order_by("pk")
    if endpoint is not None:
        found = found.filter(endpoint=endpoint)
    return list(found.values_list("state", flat=True))
