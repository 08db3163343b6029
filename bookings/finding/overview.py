"""All spaces at a glance: open now or when, and how many places are free right now."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bookings.models import Booking
from spaces.models import Place, Space
from spaces.slots import Period, merge, subtract
from spaces.venue import Venue


@dataclass(frozen=True)
class Card:
    """One space on the home page; instants are None if they are more than a week away."""

    space: Space
    places: int
    free_now: int
    open_until: datetime | None
    opens_at: datetime | None

    @property
    def zone(self) -> ZoneInfo:
        return self.space.zone


def cards(*, now: datetime) -> list[Card]:
    """Return a card for each space, by name. Takes three queries, however many spaces there are."""
    spaces = Space.objects.open_to_members().with_setup(since=now, member=None).order_by("name")
    places: dict[int, list[int]] = defaultdict(list)
    for space_id, pk in Place.objects.bookable().values_list("space_id", "pk"):
        places[space_id].append(pk)
    present = Period(now, now + timedelta(microseconds=1))
    taken = set(Booking.objects.occupying().overlapping(present).values_list("place_id", flat=True))
    return [_card(space, places[space.pk], taken, now) for space in spaces]


def _card(space: Space, places: list[int], taken: set[int], now: datetime) -> Card:
    venue = Venue.of(space)
    week = Period(now, now + timedelta(days=7))
    whole = [closure.period for closure in venue.closures if closure.place is None]
    stretches = subtract(merge(venue.openings_around(week)), whole)
    current = next((s for s in stretches if s.starts_at <= now < s.ends_at), None)
    following = next((s for s in stretches if s.starts_at > now), None)
    taken_leaves = {leaf for pk in taken for leaf in venue.leaves(pk)}
    free = 0
    if current is not None:
        for pk in places:
            closed = any(period.starts_at <= now < period.ends_at for period in venue.closed(pk))
            free += not closed and not (venue.leaves(pk) & taken_leaves)
    return Card(
        space=space,
        places=len(places),
        free_now=free,
        open_until=current.ends_at if current else None,
        opens_at=following.starts_at if following and not current else None,
    )
