"""What a space knows of a guest, for whoever asks for it: everything, in the open."""

from collections.abc import Iterator
from typing import Any

from bookings.guests import Guest
from bookings.models import Booking
from bookings.words.representation import booking_data, event_data

COLUMNS = (
    *("code", "place", "starts_at", "ends_at", "party_size", "state", "channel"),
    *("guest_name", "guest_contact", "note", "created_at"),
)


def data_of(guest: Guest) -> dict[str, Any]:
    """Return everything that is stored about a guest, as JSON values."""
    return {
        "guest": {
            "name": guest.name,
            "phone": guest.phone,
            "email": guest.email,
            "note": guest.note,
            "allergies": guest.allergies,
            "created_at": guest.created_at.isoformat(),
            "space": guest.space.slug,
        },
        "bookings": [
            {
                **booking_data(booking),
                "channel": booking.channel,
                "guest_name": booking.guest_name,
                "guest_contact": booking.guest_contact,
                "events": [event_data(event) for event in booking.events.order_by("sequence")],
            }
            for booking in bookings_of(guest)
        ],
    }


def rows_of(guest: Guest) -> Iterator[tuple[str, ...]]:
    """Yield a table of a guest's bookings, its columns' names first."""
    yield COLUMNS
    for booking in bookings_of(guest):
        data: dict[str, Any] = {
            **booking_data(booking),
            "place": str(booking.place),
            "channel": booking.channel,
            "guest_name": booking.guest_name,
            "guest_contact": booking.guest_contact,
        }
        yield tuple(str(data[name]) for name in COLUMNS)


def bookings_of(guest: Guest) -> list[Booking]:
    """Return a guest's own bookings, newest first; not those that have become a member's."""
    mine = Booking.objects.filter(guest=guest, member=None)
    return list(mine.with_place().newest_first())
