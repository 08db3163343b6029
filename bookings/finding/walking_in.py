"""Where a party that came without a booking could sit now, best first."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bookings.deciding import lengths
from bookings.deciding.choosing import score
from bookings.deciding.walk_ins import Seat
from bookings.finding.availability import Availability
from spaces.models import Place
from spaces.quarters import end_of_run
from spaces.setups import Setup
from spaces.slots import Period, floor

#: Less than that, from now, isn't worth sitting down for.
SHORTEST = timedelta(minutes=15)
#: How far ahead "free until" looks.
A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spot:
    """A place that is free now: until when it could be, and until when the party would sit."""

    place: Place
    free_until: datetime
    ends_at: datetime
    is_short: bool  # the next booking comes before a visit is usually over
    rank: tuple[int, ...]  # see `choosing.score`

    @property
    def seat(self) -> Seat:
        return Seat(self.place, self.ends_at)


def spots(
    setup: Setup,
    *,
    people: int,
    now: datetime,
    known: Availability | None = None,
    area: str = "",
) -> list[Spot]:
    """Return the places that are free now for so many people.

    First those that are free long enough, as the house chooses; then the others, longest first.
    Those in the wished area come before all. Whoever asks for many parties gives what is `known`.
    """
    venue, start = setup.venue((), now), floor(now)
    known = known or _known(setup, now)
    found = []
    for place in known.places:
        if place.capacity < people:
            continue
        free_until = known.quarters.at(end_of_run(known.free(place.pk), 0))
        if free_until - now < SHORTEST:
            continue
        usual = lengths.until(venue, place.kind, start, people)
        ends_at = min(usual.ends_at, free_until)
        is_short = free_until < usual.ends_at
        parts = [p.capacity for p in setup.places if p.pk in venue.parts.get(place.pk, ())]
        rank = (place.min_party > people, *score(place, people, parts))
        found.append(Spot(place, free_until, ends_at, is_short, rank))
    found.sort(key=_order)
    return sorted(found, key=lambda spot: bool(area) and spot.place.area != area)


def too_many(setup: Setup, *, people: int, now: datetime) -> str:
    """Warn that more people would begin now than the kitchen keeps up with; empty if not.

    The staff may seat them all the same.
    """
    start = floor(now)
    found = _known(setup, now).problems(Period(start, start + A_DAY), people)
    return " ".join(problem.message for problem in found)


def _known(setup: Setup, now: datetime) -> Availability:
    span = Period(floor(now), floor(now) + A_DAY)
    venue = setup.venue((), now)
    return Availability(setup.space, venue, span, places=setup.bookable, in_house=True)


def _order(spot: Spot) -> tuple[bool, float, tuple[int, ...]]:
    until = -spot.free_until.timestamp() if spot.is_short else 0
    return spot.is_short, until, spot.rank
