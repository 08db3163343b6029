"""How long a party at the door will wait: from the turn times of who sits there and who comes.

Everybody who is ahead in the list gets, in this order, the table that is free first for as long as
they usually stay; the party in question comes next. Explained in `docs/tables.md`. Nothing is
promised by it: whoever is told "ready" has a table, see `bookings.deciding.holds`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bookings.deciding import lengths
from bookings.deciding.choosing import candidates, kind_of
from bookings.finding.availability import Availability
from bookings.finding.walking_in import SHORTEST
from bookings.waiting import WaitingParty
from spaces.models import Place
from spaces.quarters import end_of_run, runs
from spaces.setups import Setup
from spaces.slots import SLOT, Period, floor

#: Nobody is told a time after that.
HORIZON = timedelta(hours=8)
A_DAY = timedelta(days=1)
#: Nobody can be so exact.
ROUNDED_TO = timedelta(minutes=5)
#: What the staff are asked for most, and how the page groups it.
SIZES = range(1, 9)


@dataclass(frozen=True)
class Estimate:
    """How long parties of these sizes would wait from now on; None: nobody can say."""

    smallest: int
    largest: int
    minutes: int | None


def known_now(setup: Setup, now: datetime) -> Availability:
    """Return what is free from now on. One statement, once somebody asks."""
    span = Period(floor(now), floor(now) + A_DAY)
    venue = setup.venue((), now)
    return Availability(setup.space, venue, span, places=setup.bookable, in_house=True)


class Quoting:
    """The tables of a house from now on, given away to one party after the other."""

    def __init__(self, setup: Setup, known: Availability, *, now: datetime) -> None:
        self.setup, self.known, self.now = setup, known, now
        self.kind = kind_of(setup)
        #: What parties ahead are expected to take, by leaf.
        self.expected: dict[int, int] = {}

    def seat_all(self, ahead: Iterable[WaitingParty]) -> None:
        """Give each of these, in order, the table that is free for it first."""
        for party in ahead:
            found = self._first(party.party_size, party.area)
            if found is None:
                continue
            start, length, place = found
            taken = self.known.quarters.stretch(start, start + length)
            for leaf in self.known.leaves(place.pk):
                self.expected[leaf] = self.expected.get(leaf, 0) | taken

    def minutes(self, people: int, area: str = "", *, at_once: bool = False) -> int | None:
        """Return how long a party waits, rounded up to 5 minutes; None if nobody can say.

        None at all if a shorter stay is `at_once` as good to them: it is what they are offered.
        """
        if at_once and self._has_room_now(people):
            return 0
        found = self._first(people, area)
        if found is None:
            return None
        wait = self.known.quarters.at(found[0]) - self.now
        if wait <= timedelta(0):
            return 0
        return int(-(-wait // ROUNDED_TO) * ROUNDED_TO // timedelta(minutes=1))

    def _has_room_now(self, people: int) -> bool:
        """Tell whether a table is left now that nobody ahead needs, for however short a stay.

        See also `walking_in.spots`, which offers it.
        """
        starts_at = self.known.quarters.at(0)
        for place in self.setup.bookable:
            if place.capacity >= people:
                free_until = self.known.quarters.at(end_of_run(self._free(place), 0))
                if free_until > starts_at and free_until - self.now >= SHORTEST:
                    return True
        return False

    def estimates(self) -> list[Estimate]:
        """Return the waits of the usual sizes, neighbours with the same wait together."""
        found: list[Estimate] = []
        for people in SIZES:
            minutes = self.minutes(people, at_once=True)
            if found and found[-1].minutes == minutes:
                found[-1] = Estimate(found[-1].smallest, people, minutes)
            else:
                found.append(Estimate(people, people, minutes))
        return found

    def _first(self, people: int, area: str) -> tuple[int, int, Place] | None:
        """Return the earliest start of a table's usual time, how long it is, and the table."""
        best: tuple[int, int, int, Place] | None = None
        for rank, place in enumerate(self._suiting(people, area)):
            for start, end in runs(self._free(place)):
                if start > HORIZON // SLOT or (best is not None and start >= best[0]):
                    break
                # Later in the same stretch there is even less room.
                length = self._length(start, people)
                if end - start >= length:
                    best = (start, rank, length, place)
                    break
        return None if best is None else (best[0], best[2], best[3])

    def _suiting(self, people: int, area: str) -> Sequence[Place]:
        """Return the tables for a party in the house's order; as the staff may, if none suits."""
        venue = self.known.venue
        for wish in dict.fromkeys([area, ""]):
            if found := candidates(self.setup, venue, people, kind=self.kind, area=wish):
                return found
        places = [place for place in self.setup.bookable if place.kind == self.kind]
        return [place for place in places if place.capacity >= people]

    def _free(self, place: Place) -> int:
        expected = 0
        for leaf in self.known.leaves(place.pk):
            expected |= self.expected.get(leaf, 0)
        return self.known.free(place.pk) & ~expected

    def _length(self, start: int, people: int) -> int:
        at = self.known.quarters.at(start)
        period = lengths.until(self.known.venue, self.kind, at, people)
        return max(period.duration // SLOT, 1)
