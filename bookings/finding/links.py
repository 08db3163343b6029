"""URLs of boards: a day, a time, a party size."""

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from bookings.finding.search import Search
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
    by_number: bool = False,
    moving: Booking | None = None,
) -> str:
    """Return a board's URL; times are in the space's local time."""
    search = Search(day, period, party_size, features, place, by_number)
    return search_url(space, search, moving=moving)


def search_url(space: Space, search: Search, *, moving: Booking | None = None) -> str:
    """Return the URL of the board that shows a search; equal searches have one URL."""
    return f"{reverse('board', args=[space.slug])}?{search_query(space, search, moving=moving)}"


def search_query(space: Space, search: Search, *, moving: Booking | None = None) -> str:
    query: list[tuple[str, str]] = [("date", str(search.day))]
    if search.period is not None:
        query.append(("from", write_clock(search.period.starts_at, space.zone)))
        if not search.by_turn:
            query.append(("to", write_clock(search.period.ends_at, space.zone)))
    query.append(("party", str(search.party_size)))
    query.extend(("feature", feature) for feature in search.features)
    if search.kind:
        query.append(("kind", search.kind))
    if search.area:
        query.append(("area", search.area))
    if search.by_number:
        query.append(("sort", "number"))
    if search.place is not None:
        query.append(("place", str(search.place)))
    if moving is not None:
        query.append(("move", str(moving.code)))
    return urlencode(query)
