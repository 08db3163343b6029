"""Reminders of bookings that start soon."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from bookings.deciding.transactions import transactional
from bookings.models import Booking
from bookings.querysets import BookingQuerySet
from notifications.models import Delivery, Endpoint, MailPreference
from notifications.relay import endpoint_of, not_set_up
from spaces.models import Space

#: How many reminders make one unit of a worker's work.
CHUNK = 200


def remind(*, now: datetime) -> int:
    """Make deliveries for some of the reminders that are due; return how many.

    Workers may run this side by side: the constraint lets each reminder in once.
    """
    return sum(_remind(hours, now=now) for hours in Space.objects.hours_of_reminders())


def _remind(hours: int, *, now: datetime) -> int:
    return sum(
        _remind_by(endpoint_of(channel, now=now), hours, now=now)
        for channel in (Endpoint.Channel.MAIL, Endpoint.Channel.SMS)
        if channel not in not_set_up()
    )


def _remind_by(endpoint: Endpoint, hours: int, *, now: datetime) -> int:
    if not endpoint.is_active:
        return 0
    due = list(_wanted(Booking.objects.to_remind_of(now, hours=hours), endpoint)[:CHUNK])
    if due:
        _make(due, endpoint, now=now)
    return len(due)


def _wanted(bookings: BookingQuerySet[Booking], endpoint: Endpoint) -> BookingQuerySet[Booking]:
    """Keep those whose members, or guests, can get mail, want it, and haven't been reminded yet.

    A text message is for guests who left a phone alone.
    """
    made = Delivery.objects.filter(
        endpoint=endpoint,
        booking=OuterRef("pk"),
        reminds_of=OuterRef("starts_at"),
        purpose=Delivery.Purpose.REMINDER,
    )
    unwanted = MailPreference.objects.filter(user=OuterRef("member"), reminders=False)
    if endpoint.channel == Endpoint.Channel.SMS:
        texted = bookings.filter(member=None).exclude(guest_contact__contains="@")
        return texted.filter(~Exists(made)).order_by("pk")
    confirmed = ~Q(member__email="") & Q(member__email_confirmed_at__isnull=False)
    reachable = bookings.filter(Q(member=None, guest_contact__contains="@") | confirmed)
    return reachable.filter(~Exists(made), ~Exists(unwanted)).order_by("pk")


@transactional
def _make(bookings: list[Booking], endpoint: Endpoint, *, now: datetime) -> None:
    Delivery.objects.bulk_create(
        [
            Delivery(
                endpoint=endpoint,
                purpose=Delivery.Purpose.REMINDER,
                booking=booking,
                reminds_of=booking.starts_at,
                created_at=now,
                due_at=now,
                asked_at=now,
            )
            for booking in bookings
        ],
        ignore_conflicts=True,  # another worker was first
    )
