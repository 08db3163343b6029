"""The one JSON shape of a booking: what programs are shown, and what each event remembers."""

from collections.abc import Iterable
from typing import TypedDict
from uuid import UUID

from django.utils import translation

from bookings.models import Booking
from spaces.models import Place


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

    It names nobody, so the log of events outlives an account that is deleted; and the
    place's name is English, whoever did it: see also `places_of`.
    """
    place = booking.place
    with translation.override(None):
        name = str(place)
    zone = place.space.zone
    return {
        "code": str(booking.code),
        "state": str(booking.state),
        "place": {"code": str(place.code), "name": name, "space": place.space.slug},
        "starts_at": booking.starts_at.astimezone(zone).isoformat(),
        "ends_at": booking.ends_at.astimezone(zone).isoformat(),
        "party_size": booking.party_size,
        "note": booking.note,
    }


def places_of(remembered: Iterable[BookingData]) -> dict[str, Place]:
    """Return the places that events remember, by code: they are called by the reader's words."""
    codes = {UUID(data["place"]["code"]) for data in remembered}
    return {
        str(code): place for code, place in Place.objects.in_bulk(codes, field_name="code").items()
    }
