"""The one JSON shape of a booking: what programs are shown, and what each event remembers."""

from typing import TypedDict

from bookings.models import Booking


class PlaceData(TypedDict):
    code: str
    name: str
    space: str


class BookingData(TypedDict):
    code: str
    state: str
    place: PlaceData
    starts_at: str
    ends_at: str
    party_size: int
    note: str


def booking_data(booking: Booking) -> BookingData:
    """Return a booking as JSON values; instants are RFC 3339 with the space's offset.

    It names nobody, so the log of events outlives an account that is deleted.
    """
    place = booking.place
    zone = place.space.zone
    return {
        "code": str(booking.code),
        "state": str(booking.state),
        "place": {"code": str(place.code), "name": str(place), "space": place.space.slug},
        "starts_at": booking.starts_at.astimezone(zone).isoformat(),
        "ends_at": booking.ends_at.astimezone(zone).isoformat(),
        "party_size": booking.party_size,
        "note": booking.note,
    }
