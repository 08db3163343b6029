"""URLs of boards: a day, a time, a party size."""

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from bookings.models import Booking
from bookings.words.local_time import write_clock
from spaces.models import Space
from spaces.slots import Period


def board_url(
    space: Space,
    *,
    day: date,
    period: Period | None = None,
    party_size: int = 1,
    features: tuple[str, ...] = (),
    place: UUID | None = None,
    moving: Booking | None = None,
) -> str:
    """Return a board's URL; times are in the space's local time."""
    query: list[tuple[str, str]] = [("date", str(day))]
    if period is not None:
        query.append(("from", write_clock(period.starts_at, space.zone)))
        query.append(("to", write_clock(period.ends_at, space.zone)))
    query.append(("party", str(party_size)))
    query.extend(("feature", feature) for feature in features)
    if place is not None:
        query.append(("place", str(place)))
    if moving is not None:
        query.append(("move", str(moving.code)))
    return f"{reverse('board', args=[space.slug])}?{urlencode(query)}"
