"""How existing bookings stand with the current set-up. Nothing is changed here."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bookings.deciding import rules
from bookings.deciding.rules import Problem
from bookings.models import Booking
from bookings.querysets import BookingQuerySet
from spaces.models import Policy, Space
from spaces.venue import Venue


@dataclass(frozen=True)
class Standing:
    """A booking, and the codes of what the set-up has against it at one moment."""

    booking: Booking
    venue: Venue
    problems: Mapping[str, Problem]

    @property
    def zone(self) -> ZoneInfo:
        return self.venue.zone

    @property
    def leaves(self) -> frozenset[int]:
        return self.venue.leaves(self.booking.place_id)


def survey(bookings: BookingQuerySet[Booking], *, now: datetime) -> dict[int, Standing]:
    """Return how each of these bookings stands, by key, always read afresh."""
    found = list(bookings.with_place().select_related("member"))
    if not found:
        return {}
    venue_of = _venues(bookings, found, now)
    return {booking.pk: _standing(booking, venue_of(booking), now) for booking in found}


def _standing(booking: Booking, venue: Venue, now: datetime) -> Standing:
    problems = misfits(booking, venue, now)
    return Standing(booking, venue, {problem.code: problem for problem in problems})


def misfits(booking: Booking, venue: Venue, now: datetime) -> list[Problem]:
    """Return why the current set-up would not allow a booking, whatever the reason it exists."""
    problems = rules.of_setup(
        venue, booking.place, booking.period, party_size=booking.party_size, now=now
    )
    if booking.member is not None and not booking.member.is_active:
        problems.append(Problem("account_closed", rules.reason("account_closed")))
    return problems


def _venues(
    bookings: BookingQuerySet[Booking], found: Collection[Booking], now: datetime
) -> Callable[[Booking], Venue]:
    """Return the key of a booking's venue: one per space and set of groups with limits.

    People differ only by their groups' policies, and most are in no group that has one.
    """
    groups_of: dict[tuple[int, int], set[int]] = {}
    rows = bookings.order_by()
    limited = Policy.objects.filter(
        space__in=rows.values("place__space"), group__user__in=rows.values("member")
    )
    for space, group, member in limited.values_list("space", "group", "group__user"):
        groups_of.setdefault((space, member), set()).add(group)
    known: dict[tuple[int, frozenset[int]], Venue] = {}

    def venue_of(booking: Booking) -> Venue:
        space = booking.place.space_id
        groups = frozenset(groups_of.get((space, booking.member_id or 0), ()))
        if (space, groups) not in known:
            member = booking.member if groups else None
            setup = Space.objects.with_setup(since=now, member=member)
            known[space, groups] = Venue.of(setup.get(pk=space))
        return known[space, groups]

    return venue_of
