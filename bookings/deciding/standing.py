"""How existing bookings stand with the current set-up. Nothing is changed here."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from accounts.joining import TierMember
from accounts.models import User
from bookings.deciding import rules
from bookings.deciding.pacing import is_in_house
from bookings.deciding.rules import Problem
from bookings.models import Booking
from bookings.querysets import BookingQuerySet
from spaces import setups
from spaces.models import Space
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
        venue,
        booking.place,
        booking.period,
        party_size=booking.party_size,
        now=now,
        # How long those stay who are there is the staff's to decide.
        any_length=booking.has_started(now) or booking.channel == Booking.Channel.WALK_IN,
        by_house=is_in_house(booking.channel),
    )
    if booking.member is not None and not booking.member.is_active:
        problems.append(Problem("account_closed", rules.reason("account_closed")))
    return problems


def _venues(
    bookings: BookingQuerySet[Booking], found: Collection[Booking], now: datetime
) -> Callable[[Booking], Venue]:
    """Return how to find a booking's venue.

    People differ only by the policies of their groups and tiers; most are in none that has one.
    """
    known = setups.of(Space.objects.filter(pk__in={booking.place.space_id for booking in found}))
    limited = frozenset().union(*(setup.limited for setup in known.values()))
    groups: dict[int | None, list[int]] = {}
    members = User.groups.through.objects.filter(
        group__in=limited, user__in=bookings.order_by().values("member")
    )
    for member, group in members.values_list("user_id", "group_id"):
        groups.setdefault(member, []).append(group)
    if tiers := [-key for key in limited if key < 0]:
        in_tiers = TierMember.objects.filter(
            tier__in=tiers, user__in=bookings.order_by().values("member")
        )
        for member, tier in in_tiers.values_list("user_id", "tier_id"):
            groups.setdefault(member, []).append(-tier)

    def venue_of(booking: Booking) -> Venue:
        setup = known[booking.place.space_id]
        return setup.venue(groups.get(booking.member_id, ()), now)

    return venue_of
