"""What a member has ahead: bookings, waiting requests, and recently refused ones."""

from datetime import datetime

from django.db.models import BigAutoField, DateTimeField

from accounts.models import User
from accounts.prepared import prepared_with_constants
from bookings.models import Booking

_AHEAD = prepared_with_constants(
    lambda member, now: Booking.objects.filter(member=member).ahead(now).with_place(),
    member=BigAutoField(),
    now=DateTimeField(),
)


def of(member: User, *, now: datetime) -> list[Booking]:
    """Return them in the order of the clocks that they are shown in."""
    return sorted(_AHEAD.rows(member=member.pk, now=now), key=_as_shown)


def _as_shown(booking: Booking) -> tuple[datetime, datetime, int]:
    """Spaces may be in different zones."""
    local = booking.starts_at.astimezone(booking.place.space.zone)
    return local.replace(tzinfo=None), booking.starts_at, booking.pk
