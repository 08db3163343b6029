"""Spaces at a glance, some at a time: open now or when, and how many places are free right now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

from cachetools import LRUCache, cached
from django.db.models import DateTimeField, IntegerField, Value

from accounts.models import User
from accounts.prepared import prepared
from bookings.models import BookedSlot, Booking
from spaces import setups
from spaces.models import Space
from spaces.querysets import SpaceQuerySet
from spaces.setups import Setup
from spaces.slots import Period, merge, subtract
from spaces.venue import Venue

#: So many spaces are shown at once: nobody has to search, or to turn pages.
WHOLE = 12
#: How many a page shows if there are more: people search then, or go where they were lately.
PAGE = 6
#: Where somebody has booked lately comes first, if not all spaces are shown at once.
LATELY = 3
#: As many of a member's latest requests are looked at for that.
LOOKED_AT = 12


@dataclass(frozen=True)
class Card:
    """One space on the home page; instants are None if they are more than a week away.

    With the set-up's stamp and the day, its fields are everything that the page shows of it.
    """

    space: Space
    stamp: str
    today: date
    places: int
    free_now: int
    open_until: datetime | None
    opens_at: datetime | None

    @property
    def zone(self) -> ZoneInfo:
        return self.space.zone

    @property
    def content(self) -> tuple[object, ...]:
        """Everything that the page shows of it, briefly."""
        ends = (at and at.timestamp() for at in (self.open_until, self.opens_at))
        return (self.stamp, self.today.toordinal(), self.free_now, *ends)


@dataclass(frozen=True)
class Overview:
    """A page of spaces by name, those that match a query if there is one."""

    query: str
    number: int
    has_next: bool
    lately: tuple[Card, ...]
    cards: tuple[Card, ...]

    @property
    def content(self) -> tuple[object, ...]:
        """Everything that the page shows."""
        cards = [[card.content for card in some] for some in (self.lately, self.cards)]
        return (self.query, self.number, self.has_next, cards)

    @property
    def is_long(self) -> bool:
        """Tell whether there is something to look for."""
        return bool(self.query) or self.has_next or self.number > 1


_TAKEN = prepared(
    lambda slot, spaces: (
        BookedSlot.objects.filter(slot=slot, place__space__pk__in=spaces)
        .order_by()
        .values_list("place_id", flat=True)
    ),
    slot=DateTimeField(),
    spaces=[IntegerField()],
)

_LATEST = prepared(
    lambda member: (
        Booking.objects.filter(member=member, place__space__is_active=True)
        .order_by("-pk")
        .values_list("place__space", flat=True)[:LOOKED_AT]
    ),
    member=IntegerField(),
)

#: Where people have booked lately, until they book again: by who it is and what they booked last.
_lock = Lock()
known_lately: LRUCache[tuple[int, ...], tuple[int, ...]] = LRUCache(10_000)


def _some(number: int, *, query: str = "") -> SpaceQuerySet[Space]:
    """Return a page of the spaces that members can see, and at least one more."""
    found = Space.objects.open_to_members().called(query).by_name()
    first = (number - 1) * PAGE
    last = first + (WHOLE if number == 1 else PAGE) + 1
    return Space.objects.filter(pk__in=found.values("pk")[first:last]).by_name()


def _part(number: int, spaces: SpaceQuerySet[Space]) -> Any:
    part = Value(number, IntegerField())
    return spaces.order_by().annotate(part=part).values_list("pk", "stamps__stamp", "name", "part")


_FIRST = prepared(lambda: _some(1).values_list("pk", "stamps__stamp"))

#: The same, and some spaces besides after them.
_FIRST_AND = prepared(
    lambda spaces: (
        _part(1, _some(1))
        .union(_part(2, Space.objects.open_to_members().filter(pk__in=spaces)), all=True)
        .order_by("part", "name", "pk")
    ),
    spaces=[IntegerField()],
)


def overview(*, member: User | None, query: str, number: int, now: datetime) -> Overview:
    """Return a page; the first, if there are not so many. Takes two queries, or four."""
    is_start = number == 1 and not query
    lately = _lately(member) if member and is_start else None
    if is_start:
        stamps, besides = _first(lately or ())
    else:
        stamps, besides = setups.stamps_of(_some(number, query=query)), {}
    if not stamps and number > 1:
        return overview(member=member, query=query, number=1, now=now)
    has_next = len(stamps) > (WHOLE if number == 1 else PAGE)
    page = list(stamps)[:PAGE] if has_next else list(stamps)
    if member and is_start and has_next and lately is None:
        lately = _look_up_lately(member)
        besides = setups.stamps_of(Space.objects.open_to_members().filter(pk__in=lately))
    first = [key for key in lately or () if key in besides] if has_next else []
    every = {key: besides[key] for key in first} | {key: stamps[key] for key in page}
    cards = _cards(setups.having(every), now)
    return Overview(
        query=query,
        number=number,
        has_next=has_next,
        lately=tuple(cards[key] for key in first if key in cards),
        cards=tuple(cards[key] for key in page if key in cards),
    )


def _first(also: Sequence[int]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    """Return the stamps of the first page, and of some spaces besides."""
    if not also:
        return setups.by_key(_FIRST.rows()), {}
    rows = _FIRST_AND.rows(spaces=also)
    page, besides = ([row[:2] for row in rows if row[3] == part] for part in (1, 2))
    return setups.by_key(page), setups.by_key(besides)


def _lately(member: User) -> tuple[int, ...] | None:
    """Return the spaces where somebody has booked lately, the latest first, if that is known."""
    with _lock:
        return known_lately.get(_until_next(member))


def _look_up_lately(member: User) -> tuple[int, ...]:
    spaces = dict.fromkeys(_LATEST.rows(member=member.pk))
    found = tuple(islice(spaces, LATELY))
    with _lock:
        known_lately[_until_next(member)] = found
    return found


def _until_next(member: User) -> tuple[int, ...]:
    """Name what a member has booked so far."""
    return (member.pk, member.newest_booking, member.upcoming_count)


def _cards(known: Mapping[int, Setup], now: datetime) -> dict[int, Card]:
    over = timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)
    clocks = {pk: _clock(setup, now) for pk, setup in known.items() if setup.space.is_active}
    are_open = [pk for pk, clock in clocks.items() if clock.open_until]
    # A row of the quarter that is running says that a place is taken, whatever its booking is.
    rows = _TAKEN.rows(slot=now - over, spaces=are_open) if are_open else []
    taken = frozenset(rows)
    return {pk: _card(known[pk], clock, taken, now) for pk, clock in clocks.items()}


@dataclass(frozen=True)
class _Clock:
    """What it is now in a space: the day, and whether it is open."""

    today: date
    open_until: datetime | None
    opens_at: datetime | None


def _clock(setup: Setup, now: datetime) -> _Clock:
    venue = setup.venue((), now)
    today = venue.today(now)
    week = _week(setup, today, venue) if setup.is_stamped else _stretches(today, venue)
    until = next((s.ends_at for s in week if s.starts_at <= now < s.ends_at), None)
    opens_at = None if until else next((s.starts_at for s in week if s.starts_at > now), None)
    return _Clock(today, until, opens_at)


def _card(setup: Setup, clock: _Clock, taken: frozenset[int], now: datetime) -> Card:
    return Card(
        space=setup.space,
        stamp=setup.stamp,
        today=clock.today,
        places=len(setup.bookable),
        free_now=_free(setup, taken, now) if clock.open_until else 0,
        open_until=clock.open_until,
        opens_at=clock.opens_at,
    )


@cached(LRUCache(1_000), key=lambda setup, today, venue: (setup.stamp, today), lock=Lock())
def _week(setup: Setup, today: date, venue: Venue) -> tuple[Period, ...]:
    return _stretches(today, venue)


def _stretches(today: date, venue: Venue) -> tuple[Period, ...]:
    """Return when a space is open from yesterday, which may run into today, until a week later."""
    days = [today + timedelta(days=n) for n in range(-1, 8)]
    openings = merge(opening for day in days for opening in venue.openings(day))
    whole = [closure.period for closure in venue.closures if closure.place is None]
    return tuple(subtract(openings, whole))


def _free(setup: Setup, taken: frozenset[int], now: datetime) -> int:
    venue = setup.venue((), now)
    closed = [
        closure.place
        for closure in venue.closures
        if closure.place is not None and closure.period.starts_at <= now < closure.period.ends_at
    ]
    blocked = taken.union(leaf for place in closed for leaf in venue.leaves(place))
    if not venue.parts:
        return len(setup.bookable) - len(setup.bookable_keys & blocked)
    return sum(blocked.isdisjoint(venue.leaves(place.pk)) for place in setup.bookable)
