"""What is free when: bookings overlaid on opening time. Work grows with bookings, not slots.

Nothing here decides a booking; it shows what the next one would probably get.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from heapq import nsmallest

from accounts.models import User
from bookings.deciding import rules
from bookings.deciding.choosing import suits
from bookings.deciding.pacing import full, is_in_house
from bookings.finding.occupancy import Occupancy, occupancies
from bookings.models import Booking
from spaces import setups
from spaces.limits import Limits
from spaces.models import Place, Space
from spaces.quarters import Quarters, end_of_run, from_on, lowest, members, with_room
from spaces.setups import Setup
from spaces.slots import SLOT, Period, instant, is_on_grid
from spaces.venue import Venue

#: How many days "first free" looks through: nearly always there is something until tomorrow.
HORIZONS = (2, 14)


@dataclass(frozen=True)
class Offer:
    """A place that can be booked for a period, and until when it stays free afterwards."""

    place: Place
    period: Period
    free_until: datetime


class Availability:
    """Some places of a space and when they are free during a span of time: at most one query.

    Sets of quarter hours are the bits of integers. `but` leaves out one booking, the one about to
    be moved. Nothing is known after the span: a place that is free to its end may be so for longer.
    Whether the house itself books (`in_house`) decides which limit on arrivals counts, or none
    (`any_pace`).
    """

    def __init__(
        self,
        space: Space,
        venue: Venue,
        span: Period,
        *,
        places: Sequence[Place],
        but: Booking | None = None,
        rows: Sequence[Occupancy] | None = None,
        in_house: bool = False,
        any_pace: bool = False,
    ) -> None:
        self.space = space
        self.venue = venue
        self.quarters = Quarters(span)
        self.places = places
        self.leaves = cache(venue.leaves)
        self.but = but
        self.in_house = in_house
        self.any_pace = any_pace
        self._span, self._rows = span, rows
        self._free: dict[int, int] = {}

    @cached_property
    def rows(self) -> Sequence[Occupancy]:
        """The bookings within the span; only read where the rules leave a place to look at."""
        rows = occupancies(self.space, self._span) if self._rows is None else self._rows
        return rows if (but := self.but) is None else [row for row in rows if not row.is_of(but)]

    @cached_property
    def by_leaf(self) -> dict[int, int]:
        return self.spread(self.rows)

    def spread(self, rows: Iterable[Occupancy]) -> dict[int, int]:
        """Return what these bookings take of each leaf."""
        stretch, first = self.quarters.stretch, self.quarters.first
        by_leaf: dict[int, int] = {}
        for place, start, end, *_rest in rows:
            taken = stretch(start - first, end - first)
            for leaf in self.leaves(place):
                by_leaf[leaf] = by_leaf.get(leaf, 0) | taken
        return by_leaf

    def taken(self, place: int) -> int:
        """Return when a place is taken, through any of its leaves. By key, as all that is many."""
        taken = 0
        for leaf in self.leaves(place):
            taken |= self.by_leaf.get(leaf, 0)
        return taken

    def closed(self, place: int) -> int:
        """Return when closures keep a place from being booked, whatever the opening hours."""
        return self.quarters.touched(self.venue.closed(place)) if self._has_closures else 0

    def free(self, place: int) -> int:
        """Return when a place is open and free."""
        if place not in self._free:
            self._free[place] = self._open & ~self.closed(place) & ~self.taken(place)
        return self._free[place]

    def arrivals_left(self, start: int) -> int | None:
        """Return how many people more may begin in a quarter hour; None if any number may."""
        most = self.venue.pacing(self.quarters.at(start), in_house=self.in_house)
        return None if most is None else most - self._arriving[self.quarters.first + start]

    def problems(self, period: Period, party_size: int) -> list[rules.Problem]:
        """Return what keeps a party away at that time, whatever the place: see `pacing`."""
        start = self.quarters.floor(period.starts_at)
        if not 0 <= start < self.quarters.count or not is_on_grid(period.starts_at):
            return []
        left = self.arrivals_left(start)
        return [] if left is None else full(self.venue, period.starts_at, left, party_size)

    def full(self, party_size: int) -> int:
        """Return the quarter hours in which too many arrive for so many more to begin."""
        limits = (shift.covers(in_house=self.in_house) for shift in self.venue.shifts)
        if self.any_pace or all(limit is None for limit in limits):
            return 0
        if party_size not in self._full:
            self._full[party_size] = 0
            for start in members(self._open):
                left = self.arrivals_left(start)
                if left is not None and left < party_size:
                    self._full[party_size] |= 1 << start
        return self._full[party_size]

    @cached_property
    def _full(self) -> dict[int, int]:
        return {}

    @cached_property
    def _arriving(self) -> Counter[int]:
        """How many people begin in each quarter hour since 1970, by the door that counts."""
        found: Counter[int] = Counter()
        for row in self.rows:
            if (row.people < 0) == self.in_house:
                found[row.start] += abs(row.people)
        return found

    @cached_property
    def _has_closures(self) -> bool:
        return bool(self.quarters.touched(closure.period for closure in self.venue.closures))

    @cached_property
    def _open(self) -> int:
        span = self.quarters.period(0, self.quarters.count)
        return self.quarters.within(self.venue.openings_around(span))

    def offers(
        self, period: Period, *, party_size: int, now: datetime, features: Iterable[str] = ()
    ) -> list[Offer]:
        """Return the places that are free for all of a period and allow it, best fit first."""
        start, end = self.quarters.floor(period.starts_at), self.quarters.ceil(period.ends_at)
        if not 0 <= start < end <= self.quarters.count:
            return []
        if self.full(party_size) >> start & 1:
            return []
        wanted = self.quarters.stretch(start, end)
        forbidden = {
            kind
            for kind in {place.kind for place in self.places}
            if self._of_time(self.venue.limits(kind, period.starts_at), period, now)
        }
        found = []
        for place in self.places:
            if place.kind in forbidden or not suits(place, party_size, features):
                continue
            free = self.free(place.pk)
            if free & wanted == wanted:
                found.append(Offer(place, period, self.quarters.at(end_of_run(free, start))))
        return sorted(found, key=lambda offer: fit(offer.place, party_size))

    def _of_time(self, limits: Limits, period: Period, now: datetime) -> list[rules.Problem]:
        found = rules.of_time(self.venue, limits, period, now)
        return rules.for_house(found) if self.in_house else found

    def starts(
        self,
        places: Collection[Place],
        duration: timedelta,
        *,
        party_size: int,
        day: date,
        days: int = 1,
        now: datetime,
    ) -> Iterator[tuple[Place, int]]:
        """Yield each place with when a party could start there for so long, on some days."""
        allowed: dict[str, int] = {}
        for kind in {place.kind for place in places}:
            allowed[kind] = 0
            for n in range(days):
                on = day + timedelta(days=n)
                for at in rules.starts_of_kind(self.venue, kind, duration, on, now):
                    allowed[kind] |= 1 << self.quarters.floor(at)
        for place in places:
            possible = allowed[place.kind]
            if possible:
                possible &= ~self.full(party_size)
                possible &= with_room(self.free(place.pk), duration // SLOT)
            yield place, possible

    def offer(self, place: Place, start: int, duration: timedelta) -> Offer:
        """Return the offer of a place from a quarter hour when it is free."""
        starts_at = self.quarters.at(start)
        free_until = self.quarters.at(end_of_run(self.free(place.pk), start))
        return Offer(place, Period(starts_at, starts_at + duration), free_until)


def fit(place: Place, party_size: int) -> tuple[int, int]:
    """Rank places for a party: fewest empty seats, then the house's own order."""
    return (place.capacity - party_size, place.number)


def alternatives(
    setup: Setup,
    venue: Venue,
    place: Place,
    period: Period,
    *,
    party_size: int,
    now: datetime,
    but: Booking | None = None,
    in_house: bool = False,
    most: int = 3,
) -> list[Offer]:
    """Return the nearest bookings that would work instead, all on the same day.

    The same time elsewhere, then this place at another time, then other places at other times.

    Empty when the period itself makes no sense.
    """
    day = venue.day_of(period.starts_at)
    duration = period.duration
    limits = venue.limits(place.kind, period.starts_at)
    if not timedelta(0) < duration <= limits.max_duration or party_size < 1:
        return []
    if not setup.space.is_active:
        return []
    if abs((day - venue.today(now)).days) > limits.max_days_ahead + 1:
        return []
    span = venue.day_span(day)
    span = Period(span.starts_at, span.ends_at + duration)
    known = Availability(
        setup.space, venue, span, places=setup.bookable, but=but, in_house=in_house
    )
    wanted = period.starts_at - known.quarters.at(0)

    def near(chosen: list[Place]) -> list[Offer]:
        ranked = (
            (abs(start * SLOT - wanted), at.kind != place.kind, fit(at, party_size), at.pk, start)
            for at, starts in known.starts(
                chosen, duration, party_size=party_size, day=day, now=now
            )
            for start in members(starts)
        )
        by_key = {each.pk: each for each in chosen}
        nearest = nsmallest(2 * most, ranked)
        return [known.offer(by_key[pk], start, duration) for *_rank, pk, start in nearest]

    suiting = [each for each in known.places if suits(each, party_size)]
    offers = known.offers(period, party_size=party_size, now=now)
    elsewhere = [offer for offer in offers if offer.place.pk != place.pk]
    elsewhere.sort(key=lambda offer: offer.place.kind != place.kind)  # they are sorted by fit
    here = near([each for each in suiting if each.pk == place.pk])
    # Two places at the same time, then this place at another; each in turn fills the gaps.
    ranked = [*elsewhere[: most - 1], *here[:1], *elsewhere[most - 1 :], *here[1:]]
    if len(ranked) < most:
        ranked += near([each for each in suiting if each.pk != place.pk])
    return list(dict.fromkeys(ranked))[:most]


def alternatives_to(
    place: Place,
    period: Period,
    *,
    member: User | None,
    party_size: int,
    now: datetime,
    but: Booking | None = None,
    in_house: bool = False,
) -> list[Offer]:
    """Return `alternatives` to a place and period, under a member's policies."""
    setup = setups.current(place.space_id)
    venue = setup.venue_for(member, now)
    return alternatives(
        setup,
        venue,
        place,
        period,
        party_size=party_size,
        now=now,
        but=but,
        in_house=in_house or (but is not None and is_in_house(but.channel)),
    )


def next_free(
    known: Availability,
    wanted: Period,
    *,
    party_size: int,
    now: datetime,
    features: Iterable[str] = (),
) -> tuple[Offer | None, int]:
    """Return the earliest free period of the same length within a fortnight.

    And how many places are free at the same time on the next day. Takes a query at most, and
    one more if everything is taken until tomorrow.
    """
    venue, duration = known.venue, wanted.duration
    places = [place for place in known.places if suits(place, party_size, features)]
    day = venue.day_of(wanted.starts_at)
    tomorrow: int | None = None
    for days in HORIZONS:
        last = venue.day_span(day + timedelta(days=days - 1))
        span = Period(venue.day_span(day).starts_at, last.ends_at + duration)
        ahead = Availability(
            known.space, venue, span, places=places, but=known.but, in_house=known.in_house
        )
        if tomorrow is None:
            then = _same_clock_next_day(wanted, venue)
            tomorrow = len(ahead.offers(then, party_size=party_size, now=now))
        later = from_on(ahead.quarters.ceil(max(wanted.starts_at, now)))
        found = [
            (lowest(starts & later), fit(place, party_size), place)
            for place, starts in ahead.starts(
                places, duration, party_size=party_size, day=day, days=days, now=now
            )
            if starts & later
        ]
        if found:
            start, _fit, place = min(found, key=lambda each: each[:2])
            return ahead.offer(place, start, duration), tomorrow
    return None, tomorrow or 0


def _same_clock_next_day(period: Period, venue: Venue) -> Period:
    local = period.starts_at.astimezone(venue.zone)
    starts_at = instant(local.date() + timedelta(days=1), local.time(), venue.zone)
    return Period(starts_at, starts_at + period.duration)
