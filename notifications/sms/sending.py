"""Text messages to guests who left a phone, where the settings name a provider."""

import logging
import time
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.conf import settings
from django.utils import timezone

from bookings.deciding.knowing import number_of
from notifications.causes import carrying_out
from notifications.mail.sending import needless
from notifications.models import Delivery, Endpoint
from notifications.outcomes import Again, Outcome, Skipped
from notifications.relay import carry
from notifications.sms.port import Provider, is_set, provider
from notifications.sms.texts import text_of
from notifications.sms.waiting import text_the_door

logger = logging.getLogger("mesto.sms")

#: Each may take some seconds, and all are leased to us.
BATCH = 10


def deliver_sms(*, now: datetime) -> int:
    """Send some of the text messages that are due; return how many."""
    if not is_set():
        return 0
    via = provider()
    done = text_the_door(via, limit=BATCH, now=now)  # somebody is standing there
    now = timezone.now() if done else now  # that may have taken a while, and leases start now
    return done + carry(
        Endpoint.Channel.SMS, partial(_send, via=via, now=now), limit=BATCH, now=now
    )


def _send(
    deliveries: Sequence[Delivery], *, via: Provider, now: datetime
) -> Sequence[tuple[Delivery, Outcome]]:
    """Send what can be sent well before the lease runs out; give the rest back."""
    stop_at = time.monotonic() + settings.DELIVERIES["lease_seconds"] / 4
    tried: list[tuple[Delivery, Outcome]] = []
    for delivery in deliveries:
        if tried and time.monotonic() > stop_at:
            break
        with carrying_out(delivery):
            tried.append((delivery, _send_one(delivery, via, now=now)))
    return tried


def _send_one(delivery: Delivery, via: Provider, *, now: datetime) -> Outcome:
    try:
        booking = delivery.booking
        to = number_of(booking) if booking is not None else ""
        if not to:
            return Skipped("There is no number that can be dialled from everywhere.")
        if reason := needless(delivery, None, now):
            return Skipped(reason)
        return via.send(to, text_of(delivery, now=now))
    except Exception as error:  # one that can't be written must not stop the others
        logger.exception("text message %s can't be written", delivery.code)
        return Again(f"{type(error).__name__}: {error}")
