"""All spaces at a glance: open now or when, and how many places are free right now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bookings.models import Booking
from spaces import setups
from spaces.models import Space
from spaces.setups import Setup
from spaces.slots import Period, merge, subtract


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
    """Return a card for each space, by name. Takes two queries, however many spaces there are."""
    present = Period(now, now + timedelta(microseconds=1))
    taken = set(Booking.objects.occupying().overlapping(present).values_list("place_id", flat=True))
    return [_card(setup, taken, now) for setup in setups.all_shown()]


def _card(setup: Setup, taken: set[int], now: datetime) -> Card:
    venue = setup.venue((), now)
    week = Period(now, now + timedelta(days=7))
    whole = [closure.period for closure in venue.closures if closure.place is None]
    stretches = subtract(merge(venue.openings_around(week)), whole)
    current = next((s for s in stretches if s.starts_at <= now < s.ends_at), None)
    following = next((s for s in stretches if s.starts_at > now), None)
    taken_leaves = {leaf for pk in taken for leaf in venue.leaves(pk)}
    free = 0
    if current is not None:
        for place in setup.bookable:
            closed = venue.closed(place.pk)
            is_closed = any(period.starts_at <= now < period.ends_at for period in closed)
            free += not is_closed and not (venue.leaves(place.pk) & taken_leaves)
    return Card(
        space=setup.space,
        places=len(setup.bookable),
        free_now=free,
        open_until=current.ends_at if current else None,
        opens_at=following.starts_at if following and not current else None,
    )
