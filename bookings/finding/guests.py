"""What a space knows of a guest, for whoever asks for it: everything, in the open."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bookings.guests import Guest
from bookings.models import Booking
from bookings.waiting import WaitingParty
from bookings.words.representation import booking_data, event_data

COLUMNS = (
    *("code", "place", "starts_at", "ends_at", "party_size", "state", "channel"),
    *("guest_name", "guest_contact", "note", "created_at"),
)


#: What a wait is called where a booking says how it was made.
WAITING_LIST = "WAITING_LIST"

MOMENTS = ("created_at", "told_at", "answered_at", "missed_at", "ended_at")


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
        "waiting_list": [
            {
                "code": str(party.code),
                "name": party.name,
                "phone": party.phone,
                "email": party.email,
                "party_size": party.party_size,
                "area": party.area,
                "state": party.state,
                "quoted_minutes": party.quoted_minutes,
                **{name: _written(getattr(party, name)) for name in MOMENTS},
            }
            for party in parties_of(guest)
        ],
    }


def rows_of(guest: Guest) -> Iterator[tuple[str, ...]]:
    """Yield a table of a guest's bookings and waits at the door, its columns' names first."""
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
    for party in parties_of(guest):
        data = {
            "code": party.code,
            "party_size": party.party_size,
            "state": party.state,
            "channel": WAITING_LIST,
            "guest_name": party.name,
            "guest_contact": ", ".join(filter(None, [party.phone, party.email])),
            "note": party.area,
            "created_at": party.created_at.isoformat(),
        }
        yield tuple(str(data.get(name, "")) for name in COLUMNS)


def parties_of(guest: Guest) -> list[WaitingParty]:
    """Return when a guest stood at the door, newest first."""
    return list(WaitingParty.objects.filter(guest=guest).order_by("-created_at", "-pk"))


def _written(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def bookings_of(guest: Guest) -> list[Booking]:
    """Return a guest's own bookings, newest first; not those that have become a member's."""
    mine = Booking.objects.filter(guest=guest, member=None)
    return list(mine.with_place().newest_first())
