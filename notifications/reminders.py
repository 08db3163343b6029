"""Reminders of bookings that start soon."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from bookings.deciding.transactions import transactional
from bookings.models import Booking
from bookings.querysets import BookingQuerySet
from notifications.models import Delivery, Endpoint, MailPreference
from notifications.relay import endpoint_of
from spaces.models import Space

#: How many reminders make one unit of a worker's work.
CHUNK = 200


def remind(*, now: datetime) -> int:
    """Make deliveries for some of the reminders that are due; return how many.

    Workers may run this side by side: the constraint lets each reminder in once.
    """
    return sum(_remind(hours, now=now) for hours in Space.objects.hours_of_reminders())


def _remind(hours: int, *, now: datetime) -> int:
    mail = endpoint_of(Endpoint.Channel.MAIL, now=now)
    if not mail.is_active:
        return 0
    due = list(_wanted(Booking.objects.to_remind_of(now, hours=hours), mail)[:CHUNK])
    if due:
        _make(due, mail, now=now)
    return len(due)


def _wanted(bookings: BookingQuerySet[Booking], mail: Endpoint) -> BookingQuerySet[Booking]:
    """Keep those whose members, or guests, can get mail, want it, and haven't been reminded yet."""
    made = Delivery.objects.filter(
        endpoint=mail,
        booking=OuterRef("pk"),
        reminds_of=OuterRef("starts_at"),
        purpose=Delivery.Purpose.REMINDER,
    )
    unwanted = MailPreference.objects.filter(user=OuterRef("member"), reminders=False)
    confirmed = ~Q(member__email="") & Q(member__email_confirmed_at__isnull=False)
    reachable = bookings.filter(Q(member=None) | confirmed)
    return reachable.filter(~Exists(made), ~Exists(unwanted)).order_by("pk")


@transactional
def _make(bookings: list[Booking], mail: Endpoint, *, now: datetime) -> None:
    Delivery.objects.bulk_create(
        [
            Delivery(
                endpoint=mail,
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
