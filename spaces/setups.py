"""The set-up of a space, as it is at this moment, without reading it again.

A space has stamps: random names that a trigger changes with every change of the set-up, in the same
transaction, whoever makes it (`spaces.triggers`). Whoever sees the same stamps sees the same
set-up. So a request reads the stamps, and the rest comes from memory if that has seen them.

A transaction that waits for a lock first must call `current` after it has the lock, not in the
locking statement: that one still sees what was there before the wait.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from functools import cached_property
from secrets import token_hex
from threading import Lock
from uuid import UUID

from django.db.models import BigIntegerField, SlugField, UUIDField

from accounts import people, watching
from accounts.models import User
from accounts.prepared import prepared
from spaces.loading import Loaded, load
from spaces.models import Place, Space
from spaces.querysets import SpaceQuerySet
from spaces.venue import Venue

#: How many rows of set-ups a process keeps, about a kilobyte each; at least one set-up.
MOST_ROWS = 50_000
#: How many venues one set-up keeps: one for each set of groups with limits, and as closures end.
MOST_VENUES = 64
#: How many set-ups are read by one statement.
BATCH = 20


class Setup:
    """A space with its places, hours, closures, policies, shifts and composites. Never changed.

    It is shared by all requests, so are its `space` and `places`: don't write to them.
    """

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._venues: dict[tuple[frozenset[int], int], Venue] = {}
        self._ends = [closure.period.ends_at for closure in loaded.closures]
        #: The groups that a policy is for, and the tiers, negated: see `accounts.people`.
        self.limited = frozenset(group for group, _ in loaded.policies if group is not None)
        #: Names the content. Without stamps in the database it is of this object alone.
        self.stamp = written(loaded.stamps) or token_hex(16)
        self.space: Space = loaded.space
        #: All of them, by number, whether they can be booked or not.
        self.places: tuple[Place, ...] = loaded.places

    @property
    def is_stamped(self) -> bool:
        """Tell whether the database would say when this changes."""
        return bool(self._loaded.stamps)

    @property
    def rows(self) -> int:
        """How many rows it was made of."""
        its = self._loaded
        parts = sum(map(len, its.parts.values()))
        lists = (its.places, its.hours, its.closures, its.policies, its.turns, its.shifts)
        return 1 + sum(map(len, lists)) + parts

    @cached_property
    def bookable(self) -> tuple[Place, ...]:
        """The places that can be booked, by number."""
        return tuple(place for place in self.places if place.is_bookable)

    @cached_property
    def bookable_keys(self) -> frozenset[int]:
        return frozenset(place.pk for place in self.bookable)

    @cached_property
    def _by_code(self) -> dict[UUID, Place]:
        return {place.code: place for place in self.places}

    @cached_property
    def _by_key(self) -> dict[int, Place]:
        return {place.pk: place for place in self.places}

    def place(self, place: UUID | int) -> Place | None:
        """Return the place with a public code or a key, if it is one of this space."""
        return self._by_code.get(place) if isinstance(place, UUID) else self._by_key.get(place)

    def relevant(self, groups: Collection[int]) -> frozenset[int]:
        """Return those of a member's groups that a policy is for."""
        return self.limited.intersection(groups)

    def venue(self, groups: Collection[int], now: datetime) -> Venue:
        """Return what decides when somebody in these groups can book: without closures that are
        over.
        """
        mine = self.relevant(groups)
        over = bisect_right(self._ends, now)
        venue = self._venues.get((mine, over))
        if venue is None:
            venue = self._lay_out(mine, over)
            if len(self._venues) >= MOST_VENUES:
                self._venues.clear()
            self._venues[mine, over] = venue
        return venue

    def venue_for(self, member: User | None, now: datetime) -> Venue:
        """Return the venue for a member, whose groups are read now, or for a guest.

        Groups are not read where no policy asks for them.
        """
        return self.venue(groups_of(member) if member and self.limited else (), now)

    def _lay_out(self, groups: frozenset[int], over: int) -> Venue:
        its = self._loaded
        return Venue(
            zone=self.space.zone,
            hours=its.hours,
            closures=its.closures[over:],
            policies=tuple(
                policy for group, policy in its.policies if group is None or group in groups
            ),
            parts=its.parts,
            turns=its.turns,
            shifts=its.shifts,
        )


_GROUPS = prepared(
    lambda member: User.objects.filter(pk=member).values_list(people.groups_of(member), flat=True),
    member=BigIntegerField(),
)


def groups_of(member: User) -> frozenset[int]:
    """Return the keys of the groups and tiers that somebody is in, read from the database."""
    return people.keys_in(_GROUPS.first(member=member.pk) or "")


def written(stamps: Iterable[str]) -> str:
    """Return a space's stamps as one. There are several after changes at the same time."""
    return "-".join(sorted(stamps))


_BY_KEY = prepared(
    lambda key: Space.objects.filter(pk=key).values_list("pk", "stamps__stamp"),
    key=BigIntegerField(),
)
_BY_SLUG = prepared(
    lambda slug: Space.objects.filter(slug=slug).values_list("pk", "stamps__stamp"),
    slug=SlugField(),
)
_BY_PLACE = prepared(
    lambda code: Space.objects.filter(places__code=code).values_list("pk", "stamps__stamp"),
    code=UUIDField(),
)


def current(space: int | str | UUID) -> Setup:
    """Return the set-up of a space, by its key, its slug, or the code of one of its places.

    Raises Space.DoesNotExist.
    """
    if isinstance(space, UUID):
        rows = _BY_PLACE.rows(code=space)
    elif isinstance(space, str):
        rows = _BY_SLUG.rows(slug=space)
    else:
        rows = _BY_KEY.rows(key=space)
    if not rows:
        raise Space.DoesNotExist
    return stamped(rows[0][0], (stamp for _key, stamp in rows))


def stamped(space: int, stamps: Iterable[str | None]) -> Setup:
    """Return the set-up of a space whose stamps were just read. Raises Space.DoesNotExist."""
    if kept := _kept.get(space, written(filter(None, stamps))):
        watching.tell("cache", cache="setups", outcome="hit")
        return kept
    watching.tell("cache", cache="setups", outcome="miss")
    for loaded in load([space]):
        return _kept.put(Setup(loaded))
    raise Space.DoesNotExist


def shown(space: int | str) -> Setup | None:
    """Return the set-up of a space, if there is one and members can see it."""
    try:
        setup = current(space)
    except Space.DoesNotExist:
        return None
    return setup if setup.space.is_active else None


def remembered(slug: str) -> Setup | None:
    """Return what `shown` did the last time; whoever uses it must compare its stamp."""
    setup = _kept.last(slug)
    return setup if setup is not None and setup.space.is_active else None


def of(spaces: SpaceQuerySet[Space]) -> dict[int, Setup]:
    """Return the set-ups of spaces by their keys, in the order of the queryset."""
    return having(stamps_of(spaces))


def stamps_of(spaces: SpaceQuerySet[Space]) -> dict[int, list[str]]:
    """Return the stamps of spaces by their keys, in the order of the queryset."""
    return by_key(spaces.values_list("pk", "stamps__stamp"))


def by_key(rows: Iterable[tuple[int, str | None]]) -> dict[int, list[str]]:
    """Return stamps, each of which comes with its space's key, by these keys."""
    stamps: dict[int, list[str]] = {}
    for key, stamp in rows:
        stamps.setdefault(key, []).extend(filter(None, [stamp]))
    return stamps


def having(stamps: Mapping[int, list[str]]) -> dict[int, Setup]:
    """Return the set-ups with these stamps by their keys, in this order."""
    found = {key: _kept.get(key, written(those)) for key, those in stamps.items()}
    missing = [key for key, setup in found.items() if setup is None]
    for n in range(0, len(missing), BATCH):
        for loaded in load(missing[n : n + BATCH]):
            found[loaded.space.pk] = _kept.put(Setup(loaded))
    return {key: setup for key, setup in found.items() if setup is not None}


class _Kept:
    """The set-ups that a process has in memory: one for each space, the latest used."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._setups: OrderedDict[int, Setup] = OrderedDict()
        self._rows = 0
        self._by_slug: dict[str, Setup] = {}

    def last(self, slug: str) -> Setup | None:
        with self._lock:
            kept = self._by_slug.get(slug)
            if kept is not None:
                self._setups.move_to_end(kept.space.pk)
            return kept

    def get(self, space: int, stamp: str) -> Setup | None:
        with self._lock:
            kept = self._setups.get(space)
            if kept is None or kept.stamp != stamp:
                return None
            self._setups.move_to_end(space)
            return kept

    def put(self, setup: Setup) -> Setup:
        """Keep a set-up, unless its space has no stamp: then nothing says when it changes."""
        if not setup.is_stamped:
            return setup
        with self._lock:
            self._drop(setup.space.pk)
            self._setups[setup.space.pk] = setup
            self._rows += setup.rows
            self._by_slug[setup.space.slug] = setup
            while self._rows > MOST_ROWS and len(self._setups) > 1:
                self._drop(next(iter(self._setups)))
        return setup

    def _drop(self, space: int) -> None:
        if (dropped := self._setups.pop(space, None)) is not None:
            self._rows -= dropped.rows
            if self._by_slug.get(dropped.space.slug) is dropped:
                del self._by_slug[dropped.space.slug]


_kept = _Kept()
