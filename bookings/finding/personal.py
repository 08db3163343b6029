"""What bookings know of a member, for whoever asks for it: see `accounts.personal`."""

from typing import Any

from accounts.models import User
from bookings.finding.guests import data_of
from bookings.guests import Guest
from bookings.models import Booking, BookingEvent
from bookings.words.representation import booking_data, event_data


def bookings_of(user: User) -> list[dict[str, Any]]:
    """Return a member's bookings with all that happened to each, the newest first."""
    bookings = list(Booking.objects.of(user).with_place().newest_first())
    events: dict[int, list[BookingEvent]] = {booking.pk: [] for booking in bookings}
    found = BookingEvent.objects.filter(booking__member=user).order_by("sequence")
    for event in found.select_related("booking__place__space"):
        events.setdefault(event.booking_id, []).append(event)
    return [
        {
            **booking_data(booking),
            "channel": booking.channel,
            "request_key": booking.request_key,
            "guest_name": booking.guest_name,
            "guest_contact": booking.guest_contact,
            "events": [
                {**event_data(event), "contact_before": event.contact_before}
                for event in events[booking.pk]
            ],
        }
        for booking in bookings
    ]


def as_guest(user: User) -> list[dict[str, Any]]:
    """Return what spaces know of a member from bookings made without the account."""
    known = list(Guest.objects.filter(bookings__member=user).distinct())
    if user.email and user.email_confirmed_at:
        by_mail = Guest.objects.filter(email=user.email.lower())
        known += by_mail.exclude(pk__in=[guest.pk for guest in known])
    is_theirs = user.email.lower() if user.email_confirmed_at else None
    return [data_of(guest) for guest in known if not guest.email or guest.email == is_theirs]
