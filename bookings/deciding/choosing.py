"""The house chooses: a party and a time become a place. See also `docs/tables.md`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from django.db import transaction
from django.db.models import BigIntegerField, DateTimeField
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.prepared import prepared
from bookings.deciding import daily, knowing, lengths, pacing, rules, welcoming
from bookings.deciding.attendance import too_many_no_shows
from bookings.deciding.counting import counted, door_of
from bookings.deciding.errors import Refused, RequestKeyReused
from bookings.deciding.rules import Problem
from bookings.deciding.steps import (
    REUSED,
    Ground,
    earlier_of,
    insert,
    lock_all_places,
    lock_member,
    missed_by,
    take_slots,
)
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import record
from bookings.deciding.wish import PartyWish, Wish
from bookings.guests import BY_GUEST, Actor
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.states import State
from spaces.models import Place
from spaces.setups import Setup
from spaces.slots import Period
from spaces.venue import Venue


def suits(place: Place, party_size: int, features: Iterable[str] = (), area: str = "") -> bool:
    """Tell whether a place is for that many people, and as they wish."""
    has_room = place.min_party <= party_size <= place.capacity
    is_there = not area or place.area == area
    return has_room and is_there and all(name in place.features for name in features)


def score(place: Place, party_size: int, parts: Sequence[int] = ()) -> tuple[int, ...]:
    """Rank a place that suits a party: the smallest is chosen. `parts` are its parts' capacities.

    Tables come before combinations. Of tables, the one with the fewest empty seats, so that large
    ones stay free for large parties; then the one that the house prefers. Of combinations, the one
    that the house prefers; then the fewest empty seats, the fewest tables, and the one whose
    largest table is smallest. At last, the house's own order decides.
    """
    empty = place.capacity - party_size
    if not parts:
        return (0, empty, -place.priority, 0, 0, place.number)
    return (1, -place.priority, empty, len(parts), max(parts), place.number)


def candidates(
    setup: Setup,
    venue: Venue,
    party_size: int,
    *,
    kind: str = "",
    features: Iterable[str] = (),
    area: str = "",
) -> list[Place]:
    """Return the places that suit a party, in the order in which the house tries them."""
    wanted = kind or kind_of(setup)
    suiting = [
        place
        for place in setup.bookable
        if place.kind == wanted and suits(place, party_size, features, area)
    ]

    def rank(place: Place) -> tuple[int, ...]:
        leaves = venue.leaves(place.pk) - {place.pk}
        parts = [part.capacity for leaf in leaves if (part := setup.place(leaf))]
        return score(place, party_size, parts)

    return sorted(suiting, key=rank)


def kind_of(setup: Setup) -> str:
    """Return the kind of place that the house chooses from when nobody says which."""
    kinds = {place.kind for place in setup.bookable}
    main = setup.space.main_kind
    return main if main in kinds or not kinds else min(kinds)


#: What is taken in a space during a period.
_TAKEN = prepared(
    lambda space, starts_at, ends_at: (
        BookedSlot.objects.filter(place__space=space, slot__gte=starts_at, slot__lt=ends_at)
        .order_by()
        .values_list("place_id", flat=True)
        .distinct()
    ),
    space=BigIntegerField(),
    starts_at=DateTimeField(),
    ends_at=DateTimeField(),
)


@counted(lambda wish, **_: (wish.space, wish.starts_at, door_of(wish.channel)))
@transactional
def book_party(wish: PartyWish, *, by: Actor, now: datetime) -> Booking:
    """Give a party the best place that is free: return its booking, CONFIRMED.

    REJECTED, for the place that would have been best, only if at one moment none was free: all
    places of the space are locked, so that meanwhile none is taken. The same
    `(member, request_key)` returns the booking it made before.
    Raises Refused with every broken rule (nothing is written) and RequestKeyReused.
    """
    if wish.member is not None:
        lock_member(wish.member)
    elif wish.guest is None:
        learn = wish.channel != Booking.Channel.GUEST
        wish = replace(wish, guest=knowing.guest_of(wish, now=now, learn=learn))
    setup, grounds = lock_all_places(wish.space, member=wish.member, now=now)
    if earlier := _answered(wish):
        return earlier
    chosen = _Choice(wish, setup, grounds, by=by, now=now)
    chosen.require_room_to_arrive()
    for place in chosen.free():
        leaves = chosen.venue.leaves(place.pk)
        if booking := _taken(wish.at(place, chosen.period), leaves, now=now):
            record(BookingEvent.Kind.CONFIRMED, booking, by=by, now=now, sequence=1)
            return booking
    booking = wish.at(chosen.best(), chosen.period).booking(State.REJECTED, now=now)
    booking.decided_at, booking.problems = now, ["slot_taken"]
    booking.save(force_insert=True)
    record(BookingEvent.Kind.REJECTED, booking, by=by, now=now, sequence=1)
    return booking


class _NotFree(Exception):
    """The constraint gave the place to somebody else: nothing of the attempt is kept."""


def _taken(wish: Wish, leaves: Iterable[int], *, now: datetime) -> Booking | None:
    """Try one place, in a savepoint. Its slots' constraint decides."""
    booking = wish.booking(State.CONFIRMED, now=now)
    booking.decided_at = now
    try:
        with transaction.atomic():
            if insert(booking, wish) is not None:  # the key belongs to a guest of another space
                raise RequestKeyReused(str(REUSED))
            if not take_slots(booking, leaves):
                raise _NotFree
    except _NotFree:
        return None
    return booking


class _Choice:
    """Where a party may sit: what suits it, and what the rules say of that. All is locked.

    The rules are asked place by place, no more than needed: everybody else is waiting.
    """

    def __init__(
        self,
        wish: PartyWish,
        setup: Setup,
        grounds: Mapping[int, Ground],
        *,
        by: Actor,
        now: datetime,
    ) -> None:
        """Raise Refused if nothing suits the party at any time."""
        self.wish, self.now, self.grounds = wish, now, grounds
        self.is_by_house = by is not BY_GUEST and by != wish.member
        kind, people = wish.kind or kind_of(setup), wish.party_size
        self.venue = next((its.venue for its in grounds.values()), setup.venue((), now))
        self.wanted = candidates(
            setup, self.venue, people, kind=kind, features=wish.features, area=wish.area
        )
        if not self.wanted:
            raise Refused(misfits(setup, people, kind))
        if wish.ends_at is None:
            self.period = lengths.until(self.venue, kind, wish.starts_at, people)
        else:
            self.period = Period(wish.starts_at, wish.ends_at)
        first = self.wanted[0]
        self.unwelcome = (
            welcoming.objections(wish.at(first, self.period), grounds[first.pk], now=now)
            if by is BY_GUEST
            else []
        )
        self.of_member = self._of_member(first)
        self.problems = cache(self._problems)

    def _of_member(self, place: Place) -> list[Problem]:
        """Return what forbids the member any of these places, which are all of one kind."""
        member, strikes = self.wish.member, self.venue.limits(place.kind).strikes
        if member is None:
            return []
        missed = missed_by(member, place.space_id, strikes, self.now) if strikes else ()
        return [
            *too_many_no_shows(self.venue, strikes, missed, self.now),
            *daily.problems(self.venue, place, self.period, member=member, now=self.now),
        ]

    def _problems(self, place: Place) -> list[Problem]:
        found = rules.problems(
            self.venue,
            place,
            self.period,
            party_size=self.wish.party_size,
            now=self.now,
            upcoming=self.grounds[place.pk].upcoming,
            walk_in=self.is_by_house,
        )
        if not found and self.period.ends_at <= self.now:
            found = [rules.already_past()]
        return found + self.unwelcome + self.of_member

    def require_room_to_arrive(self) -> None:
        """Raise Refused if too many begin at that time; with what else is in the way."""
        found = self.problems(self.wanted[0])
        if any(problem.code in rules.NONSENSE for problem in found):
            return
        full = pacing.problems(
            self.venue,
            self.wish.space.pk,
            self.period.starts_at,
            party_size=self.wish.party_size,
            channel=self.wish.channel,
        )
        if full:
            raise Refused(found + full)

    def free(self) -> Iterator[Place]:
        """Yield the places that nobody has and that the rules allow, the best first."""
        taken = set(
            _TAKEN.rows(
                space=self.wish.space.pk,
                starts_at=self.period.starts_at,
                ends_at=self.period.ends_at,
            )
        )
        for place in self.wanted:
            if not self.venue.leaves(place.pk) & taken and not self.problems(place):
                yield place

    def best(self) -> Place:
        """Return the best place that the rules allow. Raises Refused."""
        for place in self.wanted:
            if not self.problems(place):
                return place
        raise Refused(self.problems(self.wanted[0]))


def misfits(setup: Setup, party_size: int, kind: str) -> list[Problem]:
    """Say why no place suits a party at any time."""
    if not setup.space.is_active:
        return [Problem("not_bookable", rules.reason("not_bookable"))]
    if party_size < 1:
        return [Problem("party_too_small", rules.reason("party_too_small"))]
    sizes = [place.capacity for place in setup.bookable if place.kind == kind]
    largest = max(sizes, default=0)
    if party_size <= largest:
        message = _("No place here has all of that for so many people.")
        return [Problem("no_such_place", message)]
    message = ngettext(
        "The largest place here is for %(n)d person.",
        "The largest place here is for %(n)d people.",
        largest,
    )
    return [Problem("party_too_large", message % {"n": largest})]


def _answered(wish: PartyWish) -> Booking | None:
    """Return the booking that the same wish became before. Raises RequestKeyReused."""
    earlier = earlier_of(wish.member, wish.request_key)
    if earlier is None:
        return None
    asked = earlier.events.get(sequence=1).data
    same = (
        earlier.place.space_id == wish.space.pk
        and datetime.fromisoformat(asked["starts_at"]) == wish.starts_at
        and asked["party_size"] == wish.party_size
        and wish.ends_at in (None, datetime.fromisoformat(asked["ends_at"]))
    )
    if not same:
        raise RequestKeyReused(str(REUSED))
    return earlier
