"""Addresses that are their own proof: a place's for its QR code, a booking's for checking in."""

from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse

from bookings.models import Booking
from spaces.models import Place

PLACE, BOOKING = "bookings.here", "bookings.check_in"


def place_url(place: Place) -> str:
    """Return what a place's QR code says. It stays the same: it is printed."""
    return settings.SITE_URL + reverse("here", args=[_token(place.code, PLACE)])


def check_in_url(booking: Booking) -> str:
    """Return the address with which a booking's member checks in without signing in.

    A guest has one link to everything, which can be revoked: see `bookings.deciding.links`.
    """
    return settings.SITE_URL + reverse("check_in_link", args=[_token(booking.code, BOOKING)])


def place_named_by(token: str) -> Place | None:
    """Return the place whose address it is; None if we didn't write it."""
    code = _code(token, PLACE)
    return Place.objects.select_related("space").filter(code=code).first() if code else None


def booking_named_by(token: str) -> Booking | None:
    """Return the member's booking whose address it is.

    None if we didn't write it, or if the account is closed.
    """
    code = _code(token, BOOKING)
    rows = Booking.objects.of_open_accounts().with_person()
    return rows.filter(code=code).first() if code else None


def _token(code: UUID, salt: str) -> str:
    return signing.Signer(salt=salt).sign_object(code.hex)


def _code(token: str, salt: str) -> UUID | None:
    try:
        return UUID(signing.Signer(salt=salt).unsign_object(token))
    except (signing.BadSignature, ValueError):
        return None
