"""Mail to members, and to guests who left an address."""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from accounts.models import User
from bookings.models import Booking, BookingEvent
from bookings.states import State
from notifications.causes import carrying_out
from notifications.mail.addresses import send_letters
from notifications.mail.composing import compose
from notifications.mail.factors import send_notices
from notifications.mail.invitations import send_invitations
from notifications.mail.passwords import send_links
from notifications.mail.post import Post
from notifications.mail.readers import Reader, members_of, reader_of
from notifications.mail.waiting import send_to_the_door
from notifications.models import Delivery, Endpoint
from notifications.outcomes import Again, Outcome, Refused, Skipped
from notifications.preferences import wants_reminders
from notifications.relay import carry

logger = logging.getLogger("mesto.mail")

#: How many mails go over one connection. Each may take some seconds, and all are leased to us.
BATCH = 10

A_DAY = timedelta(days=1)


def deliver_mail(*, now: datetime) -> int:
    """Send some of the mail that is due; return how much."""
    # Somebody is sitting there waiting for it.
    done = (
        send_links(limit=BATCH, now=now)
        + send_to_the_door(limit=BATCH, now=now)
        + send_letters(limit=BATCH, now=now)
        + send_invitations(limit=BATCH, now=now)
        + send_notices(limit=BATCH, now=now)
    )
    now = timezone.now() if done else now  # that may have taken a while, and leases start now
    return done + carry(Endpoint.Channel.MAIL, partial(_send, now=now), limit=BATCH, now=now)


def _send(deliveries: Sequence[Delivery], *, now: datetime) -> Sequence[tuple[Delivery, Outcome]]:
    """Send what can be sent well before the lease runs out; give the rest back."""
    stop_at = time.monotonic() + settings.DELIVERIES["lease_seconds"] / 4
    members = members_of([delivery.booking for delivery in deliveries])
    tried: list[tuple[Delivery, Outcome]] = []
    with Post() as post:
        for delivery in deliveries:
            if tried and time.monotonic() > stop_at:
                break
            with carrying_out(delivery):
                tried.append((delivery, _send_one(delivery, members, post, now=now)))
    return tried


def _send_one(
    delivery: Delivery, members: Mapping[int, User], post: Post, *, now: datetime
) -> Outcome:
    try:
        reader = reader_of(delivery.booking, members, now=now)
        if reader is None:
            return Skipped("The booking has no member, and no guest with an address.")
        if reason := _needless(delivery, reader, now):
            return Skipped(reason)
        try:
            validate_email(reader.email)
        except ValidationError:
            return Refused("The member's address is invalid.")
        return post.send(compose(delivery, to=reader, now=now))
    except Exception as error:  # one mail that can't be written must not stop the others
        logger.exception("mail %s can't be written", delivery.code)
        return Again(f"{type(error).__name__}: {error}")


def _needless(delivery: Delivery, reader: Reader, now: datetime) -> str:
    """Say why there is nobody to write to, or nothing left to say; empty if there is."""
    if reader.member is not None and not reader.member.is_active:
        return "The member's account is closed."
    if not reader.email:
        return "The member has no address."
    return needless(delivery, reader.member, now)


def needless(delivery: Delivery, member: User | None, now: datetime) -> str:
    """Say why there is nothing left to say to a member, or (None) a guest; empty if there is."""
    if delivery.purpose == Delivery.Purpose.REMINDER:
        return _needless_reminder(delivery, member, now)
    event = delivery.event
    if event is None:
        return "There is nothing to tell a member."
    if event.kind == BookingEvent.Kind.REJECTED and event.sequence == 1:
        return "The refusal was shown at once."
    # A cancellation is still worth a mail after the mail server was down for some hours.
    told_late = {BookingEvent.Kind.CANCELLED, BookingEvent.Kind.NO_SHOW}
    grace = A_DAY if event.kind in told_late else timedelta(0)
    if datetime.fromisoformat(event.data["ends_at"]) + grace <= now:
        return "The booking's time is over."
    if Delivery.objects.overtaking(delivery).exists():
        return "A later mail has described the booking as it is now."
    if BookingEvent.objects.undoing(event).exists():
        return "It was undone."
    if event.kind == BookingEvent.Kind.UNDONE and not _has_heard(delivery, event):
        return "The member never heard of what was undone."
    return ""


def _has_heard(delivery: Delivery, undoing: BookingEvent) -> bool:
    """Tell whether the mail about what was undone has left. It is settled: it was due before."""
    before = Delivery.objects.about(delivery.booking_id, undoing.sequence - 1)
    return before.filter(endpoint=delivery.endpoint_id, state=Delivery.State.DELIVERED).exists()


def _needless_reminder(delivery: Delivery, reader: User | None, now: datetime) -> str:
    assert delivery.booking is not None
    # Checked again: the mails before it in the batch may have taken a while.
    booking = Booking.objects.get(pk=delivery.booking.pk)
    if booking.state != State.CONFIRMED or booking.starts_at != delivery.reminds_of:
        return "The booking has changed since."
    if booking.has_started(now):
        return "The booking has started."
    if reader is None:
        return ""
    if reader.email_confirmed_at is None:
        return "The member's address is not confirmed."
    if not wants_reminders(reader):
        return "The member doesn't want reminders."
    return ""
