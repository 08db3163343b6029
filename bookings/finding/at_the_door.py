"""The list at a restaurant's door as the staff see it, and one party's place in it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bookings.deciding import lengths, rules
from bookings.deciding.walk_ins import Seat
from bookings.finding.availability import Availability
from bookings.finding.quoting import Estimate, Quoting, known_now
from bookings.finding.walking_in import Spot, spots
from bookings.models import Booking
from bookings.waiting import CAN_BE_TOLD, PartyState, WaitingParty
from spaces.models import Place, Space
from spaces.setups import Setup
from spaces.slots import floor

MINUTE = timedelta(minutes=1)
#: How many tables are offered for a party, besides the best.
MOST_OTHERS = 5


@dataclass(frozen=True)
class Line:
    """One party as a row of the list."""

    party: WaitingParty
    now: datetime
    #: 1 for whoever came first of those who wait; None for the others.
    number: int | None = None
    #: Where they could sit now, best first.
    spots: Sequence[Spot] = ()
    #: Tables that are held for others who haven't answered yet, and where they would fit.
    held: Sequence[Booking] = ()

    @property
    def is_waiting(self) -> bool:
        return self.party.state in CAN_BE_TOLD

    @property
    def has_lapsed(self) -> bool:
        return self.party.state == PartyState.LAPSED

    @property
    def is_told(self) -> bool:
        return self.party.state == PartyState.TOLD

    @property
    def is_coming(self) -> bool:
        return self.party.state == PartyState.COMING

    @property
    def waited_minutes(self) -> int:
        return (self.now - self.party.created_at) // MINUTE

    @property
    def is_late(self) -> bool:
        """They wait longer than they were told."""
        quoted = self.party.quoted_minutes
        return self.is_waiting and quoted is not None and self.waited_minutes > quoted

    @property
    def best(self) -> Spot | None:
        return next(iter(self.spots), None)

    @property
    def others(self) -> Sequence[Spot]:
        return self.spots[1 : MOST_OTHERS + 1]

    @property
    def table(self) -> Place | None:
        booking = self.party.booking
        return booking.place if booking is not None else None

    @property
    def held_until(self) -> datetime | None:
        booking = self.party.booking
        return booking.hold_expires_at if booking is not None else None


@dataclass(frozen=True)
class AtTheDoor:
    """What the page of the list shows."""

    setup: Setup
    now: datetime
    lines: list[Line] = field(default_factory=list)
    estimates: list[Estimate] = field(default_factory=list)

    @property
    def on_the_list(self) -> list[Line]:
        return [line for line in self.lines if not line.has_lapsed]

    @property
    def lapsed(self) -> list[Line]:
        return [line for line in self.lines if line.has_lapsed]

    @property
    def people(self) -> int:
        return sum(line.party.party_size for line in self.on_the_list)


def shown(setup: Setup, *, now: datetime) -> AtTheDoor:
    """Read the list. Takes one statement for it, and one for what is free."""
    known = known_now(setup, now)
    parties = _parties(setup, now)
    offered: dict[int, Booking] = {}
    for party in parties:
        if party.state == PartyState.TOLD and party.booking is not None:
            offered[party.booking.pk] = party.booking
    quoting = Quoting(setup, known, now=now)
    quoting.seat_all(_ahead(parties))
    lines, number = [], 0
    for party in parties:
        number += party.state == PartyState.WAITING
        waits = party.state in CAN_BE_TOLD
        lines.append(
            Line(
                party,
                now,
                number if party.state == PartyState.WAITING else None,
                seats_of(setup, known, party, now=now) if waits else (),
                [hold for hold in offered.values() if _fits(party, hold)] if waits else (),
            )
        )
    return AtTheDoor(setup, now, lines, quoting.estimates())


def seats_of(
    setup: Setup, known: Availability, party: WaitingParty, *, now: datetime
) -> list[Spot]:
    """Return where a party could sit now, best first."""
    return spots(setup, people=party.party_size, now=now, known=known, area=party.area)


def seat_to_hold(setup: Setup, spot: Spot, people: int, *, now: datetime) -> Seat:
    """Return a place until a party's usual time is over that comes at the last of its minutes."""
    latest = floor(now + timedelta(minutes=setup.space.hold_minutes))
    usual = lengths.until(setup.venue((), now), spot.place.kind, latest, people)
    return Seat(spot.place, max(spot.ends_at, min(usual.ends_at, spot.free_until)))


def quoted(setup: Setup, people: int, area: str, *, now: datetime) -> int | None:
    """Return how many minutes somebody who comes now is told to wait; None: nobody can say."""
    quoting = Quoting(setup, known_now(setup, now), now=now)
    quoting.seat_all(_ahead(_parties(setup, now)))
    return quoting.minutes(people, area, at_once=True)


def left_to_wait(party: WaitingParty, setup: Setup, *, now: datetime) -> int | None:
    """Return how many minutes a party still waits, by what is known now."""
    quoting = Quoting(setup, known_now(setup, now), now=now)
    quoting.seat_all(WaitingParty.objects.ahead_of(party).in_order())
    return quoting.minutes(party.party_size, party.area)


def count(space: Space, *, now: datetime) -> int:
    """Return how many parties are on the list."""
    return WaitingParty.objects.of(space).shown(now).on_the_list().count()


def _parties(setup: Setup, now: datetime) -> list[WaitingParty]:
    rows = WaitingParty.objects.of(setup.space).shown(now).in_order()
    found = list(rows.select_related("booking", "guest"))
    for party in found:
        party.space = setup.space
        if party.booking is not None and (place := setup.place(party.booking.place_id)):
            party.booking.place = place
    return found


def _ahead(parties: Sequence[WaitingParty]) -> list[WaitingParty]:
    """Return who needs a table: those who were told have theirs."""
    return [party for party in parties if party.state == PartyState.WAITING]


def _fits(party: WaitingParty, hold: Booking) -> bool:
    return not rules.for_house(rules.of_place(hold.place, party.party_size))
