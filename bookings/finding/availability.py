"""What is free when: bookings overlaid on opening time. Work grows with bookings, not slots.

Nothing here decides a booking; it shows what the next one would probably get.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice
from uuid import UUID

from accounts.models import User
from bookings.deciding import rules
from bookings.models import Booking
from spaces import setups
from spaces.models import Place, Space
from spaces.slots import Period, instant, merge, subtract
from spaces.venue import Venue

HORIZON_DAYS = 14  # how far "first free" looks


@dataclass(frozen=True)
class Occupancy:
    """One booking's hold on a leaf place."""

    period: Period
    member: int | None
    code: UUID


@dataclass(frozen=True)
class Offer:
    """A place that can be booked for a period, and until when it stays free afterwards."""

    place: Place
    period: Period
    free_until: datetime


class Availability:
    """A space's places and who has them during a span of time, read in two queries.

    `but` leaves out one booking, the one about to be moved.
    """

    def __init__(
        self,
        space: Space,
        venue: Venue,
        span: Period,
        *,
        places: list[Place] | None = None,
        but: Booking | None = None,
    ) -> None:
        self.space = space
        self.venue = venue
        self.span = span
        if places is None:
            places = list(space.places.filter(is_bookable=True).order_by("number"))
            for place in places:
                place.space = space
        self.places = places
        self._rules: dict[tuple[str, Period], bool] = {}
        self._free: dict[int, list[Period]] = {}
        self._by_leaf: dict[int, list[Occupancy]] = defaultdict(list)
        rows = Booking.objects.in_space(space).occupying().overlapping(span)
        if but is not None:
            rows = rows.exclude(pk=but.pk)
        for pk, starts_at, ends_at, member, code in rows.values_list(
            "place_id", "starts_at", "ends_at", "member_id", "code"
        ):
            occupancy = Occupancy(Period(starts_at, ends_at), member, code)
            for leaf in venue.leaves(pk):
                self._by_leaf[leaf].append(occupancy)

    def occupied(self, place: Place) -> set[Occupancy]:
        """Return what occupies a place, through any of its leaves."""
        return {
            occupancy
            for leaf in self.venue.leaves(place.pk)
            for occupancy in self._by_leaf.get(leaf, ())
        }

    def free(self, place: Place) -> list[Period]:
        """Return when a place is open and free, sorted."""
        if place.pk not in self._free:
            busy = [occupancy.period for occupancy in self.occupied(place)]
            self._free[place.pk] = subtract(self._open, [*self.venue.closed(place.pk), *busy])
        return self._free[place.pk]

    @cached_property
    def _open(self) -> list[Period]:
        return merge(self.venue.openings_around(self.span))

    def _allowed(self, place: Place, period: Period, now: datetime) -> bool:
        """Tell whether the place's rules allow a time; computed once for all places of a kind."""
        asked = (place.kind, period)
        if asked not in self._rules:
            limits = self.venue.limits(place.kind)
            self._rules[asked] = not rules.of_time(self.venue, limits, period, now)
        return self._rules[asked]

    def offers(
        self, period: Period, *, party_size: int, now: datetime, features: Iterable[str] = ()
    ) -> list[Offer]:
        """Return the places that are free for all of a period and allow it, best fit first."""
        found = []
        for place in self.places:
            if not suits(place, party_size, features) or not self._allowed(place, period, now):
                continue
            if stretch := next((s for s in self.free(place) if s.contains(period)), None):
                # Bookings after the span were not read.
                found.append(Offer(place, period, min(stretch.ends_at, self.span.ends_at)))
        return sorted(found, key=lambda offer: fit(offer.place, party_size))

    def times(
        self, place: Place, duration: timedelta, *, day: date, now: datetime
    ) -> Iterator[Offer]:
        """Yield the periods of a local day in which a place can be booked, in order."""
        stretches = iter(self.free(place))
        stretch = next(stretches, None)
        for starts_at in self.venue.starts(day, self.venue.limits(place.kind).step):
            period = Period(starts_at, starts_at + duration)
            while stretch and stretch.ends_at < period.ends_at:
                stretch = next(stretches, None)  # too short for this period, and for later ones
            if not stretch:
                return
            if stretch.contains(period) and self._allowed(place, period, now):
                yield Offer(place, period, stretch.ends_at)


def suits(place: Place, party_size: int, features: Iterable[str] = ()) -> bool:
    return place.capacity >= party_size and set(features) <= set(place.features)


def fit(place: Place, party_size: int) -> tuple[int, int]:
    """Rank places for a party: fewest empty seats, then the house's own order."""
    return (place.capacity - party_size, place.number)


def alternatives(
    space: Space,
    venue: Venue,
    place: Place,
    period: Period,
    *,
    party_size: int,
    now: datetime,
    but: Booking | None = None,
    most: int = 3,
) -> list[Offer]:
    """Return the nearest bookings that would work instead, all on the same day.

    The same time elsewhere, then this place at another time, then other places at other times.

    Empty when the period itself makes no sense.
    """
    day = venue.day_of(period.starts_at)
    duration = period.duration
    limits = venue.limits(place.kind)
    if not timedelta(0) < duration <= limits.max_duration or party_size < 1:
        return []
    if not space.is_active:
        return []
    if abs((day - venue.today(now)).days) > limits.max_days_ahead + 1:
        return []
    span = venue.day_span(day)
    known = Availability(space, venue, Period(span.starts_at, span.ends_at + duration), but=but)

    def distance(offer: Offer) -> tuple[timedelta, bool, tuple[int, int]]:
        away = abs(offer.period.starts_at - period.starts_at)
        return (away, offer.place.kind != place.kind, fit(offer.place, party_size))

    def near(chosen: Iterable[Place]) -> list[Offer]:
        offers = (o for p in chosen for o in known.times(p, duration, day=day, now=now))
        return sorted(offers, key=distance)

    suiting = [other for other in known.places if suits(other, party_size)]
    elsewhere = sorted(
        (o for o in known.offers(period, party_size=party_size, now=now) if o.place.pk != place.pk),
        key=distance,
    )
    here = near(other for other in suiting if other.pk == place.pk)
    # Two places at the same time, then this place at another; each in turn fills the gaps.
    ranked = [*elsewhere[: most - 1], *here[:1], *elsewhere[most - 1 :], *here[1:]]
    if len(ranked) < most:
        ranked += near(other for other in suiting if other.pk != place.pk)
    return list(dict.fromkeys(ranked))[:most]


def alternatives_to(
    place: Place,
    period: Period,
    *,
    member: User | None,
    party_size: int,
    now: datetime,
    but: Booking | None = None,
) -> list[Offer]:
    """Return `alternatives` to a place and period, under a member's policies."""
    setup = setups.current(place.space_id)
    venue = setup.venue_for(member, now)
    return alternatives(setup.space, venue, place, period, party_size=party_size, now=now, but=but)


def next_free(
    known: Availability,
    wanted: Period,
    *,
    party_size: int,
    now: datetime,
    features: Iterable[str] = (),
    but: Booking | None = None,
) -> tuple[Offer | None, int]:
    """Return the earliest free period of the same length within a fortnight, in one query.

    And how many places are free at the same time on the next day.
    """
    venue, duration = known.venue, wanted.duration
    places = sorted(
        (place for place in known.places if suits(place, party_size, features)),
        key=lambda place: fit(place, party_size),
    )
    start = venue.day_of(wanted.starts_at)
    days = [start + timedelta(days=n) for n in range(HORIZON_DAYS)]
    span = Period(venue.day_span(days[0]).starts_at, venue.day_span(days[-1]).ends_at + duration)
    fortnight = Availability(known.space, venue, span, places=places, but=but)
    tomorrow = fortnight.offers(
        _same_clock_next_day(wanted, venue), party_size=party_size, now=now, features=features
    )
    earliest = max(wanted.starts_at, now)
    for day in days:
        found: list[Offer] = []
        for place in places:
            offers = fortnight.times(place, duration, day=day, now=now)
            found.extend(islice((o for o in offers if o.period.starts_at >= earliest), 1))
        if found:  # `min` keeps the first of equals: places are sorted by fit
            return min(found, key=lambda offer: offer.period.starts_at), len(tomorrow)
    return None, len(tomorrow)


def _same_clock_next_day(period: Period, venue: Venue) -> Period:
    local = period.starts_at.astimezone(venue.zone)
    starts_at = instant(local.date() + timedelta(days=1), local.time(), venue.zone)
    return Period(starts_at, starts_at + period.duration)
