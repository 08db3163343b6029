"""What a board's address asks for: understood once, for everybody who follows the same link."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from cachetools import LRUCache, cached
from django.http import HttpRequest, QueryDict
from django.utils.translation import get_language

from bookings.deciding.pacing import is_in_house
from bookings.finding import searching
from bookings.finding.availability import Availability, Offer, next_free
from bookings.finding.board import Board, span_of
from bookings.finding.occupancy import Occupancy
from bookings.finding.search import Search
from bookings.forms import SearchForm
from bookings.models import Booking
from spaces.models import Place, Space
from spaces.quarters import Quarters
from spaces.setups import Setup
from spaces.slots import Period
from spaces.venue import Venue


@dataclass(frozen=True, eq=False)
class Asked:
    """A search in a space at a moment, and what its page shows whoever has which place."""

    space: Space
    venue: Venue
    kinds: Mapping[str, int]  # of place that the space has, and how many of each
    features: Mapping[str, int]  # that the places of the chosen kind have, and how many do
    areas: tuple[str, ...]
    search: Search
    form: SearchForm
    now: datetime
    moving: Booking | None

    @property
    def errors(self) -> str:
        return str(self.form.errors) if self.form.errors else ""

    @property
    def span(self) -> Period:
        """The time whose bookings the board shows."""
        return span_of(self.venue, self.search)

    def known(self, setup: Setup, rows: tuple[Occupancy, ...]) -> Availability:
        """Return what is free when, after these bookings."""
        moving = self.moving
        return Availability(
            self.space,
            self.venue,
            self.span,
            places=self._places(setup),
            rows=rows,
            but=moving,
            in_house=moving is not None and is_in_house(moving.channel),
        )

    def _places(self, setup: Setup) -> tuple[Place, ...]:
        area, kind = self.search.area, self.search.kind
        return tuple(
            place
            for place in setup.bookable
            if area in ("", place.area) and kind in ("", place.kind)
        )

    def instead(self, known: Availability, rows: tuple[Occupancy, ...]) -> tuple[Offer | None, int]:
        """Return the next free time, and how much is free tomorrow, if nothing is as asked."""
        search = self.search
        if search.period is None or _is_free(self, known, rows):
            return None, 0
        return next_free(
            known,
            search.period,
            party_size=search.party_size,
            now=self.now,
            features=search.features,
        )

    def context(self) -> dict[str, Any]:
        """Return what the page shows whoever has which place."""
        today, day = self.venue.today(self.now), self.search.day
        return {
            "board": Board(
                self.space,
                self.venue,
                self.search,
                Quarters(self.span),
                None,
                features=self.features,
                areas=self.areas,
            ),
            "form": self.form,
            "kinds": self.kinds,
            "moving": self.moving,
            "now": self.now,
            "space": self.space,
            "venue": self.venue,
            "zone": self.venue.zone,
            "today": today,
            "yesterday": day - timedelta(days=1),
            "tomorrow": day + timedelta(days=1),
            "onward": max(today, day + timedelta(days=1)),
        }


def _of_rows(asked: Asked, known: Availability, rows: tuple[Occupancy, ...]) -> tuple[Any, ...]:
    return (asked, rows)


@cached(LRUCache(256), key=_of_rows, lock=Lock())
def _is_free(asked: Asked, known: Availability, rows: tuple[Occupancy, ...]) -> bool:
    """Tell whether a place is free as asked, after these bookings."""
    search = asked.search
    assert search.period is not None
    found = known.offers(
        search.period, party_size=search.party_size, now=asked.now, features=search.features
    )
    return bool(found)


def query_of(request: HttpRequest, *, kind: str = "") -> str:
    """Return the query string that asks for what `request.GET` holds, and for a kind of place."""
    written: str = request.META.get("QUERY_STRING", "")
    query = written if written.isascii() else request.GET.urlencode()
    return f"{query}&kind={kind}" if kind else query


def asked(
    setup: Setup, groups: frozenset[int], query: str, now: datetime, moving: Booking | None
) -> Asked:
    """Return what a query string asks for, of someone in these groups who may move a booking."""
    if moving is None:
        return _asked_by_many(setup, groups, query, now)
    return _asked(setup, groups, query, now, moving)


def _same(
    setup: Setup, groups: frozenset[int], query: str, now: datetime
) -> tuple[str, frozenset[int], str, datetime, str | None]:
    return (setup.stamp, groups, query, now, get_language())


@cached(LRUCache(256), key=_same, lock=Lock())
def _asked_by_many(setup: Setup, groups: frozenset[int], query: str, now: datetime) -> Asked:
    return _asked(setup, groups, query, now, None)


def _asked(
    setup: Setup, groups: frozenset[int], query: str, now: datetime, moving: Booking | None
) -> Asked:
    space, venue = setup.space, setup.venue(groups, now)
    data, counted = QueryDict(query), Counter(place.kind for place in setup.bookable)
    kinds = {kind: counted[kind] for kind in Place.Kind.values if counted[kind]}
    chosen = data.get("kind", "")
    kind = moving.place.kind if moving else chosen if chosen in kinds else space.main_kind
    areas = tuple(sorted({place.area for place in setup.bookable if place.area}))
    search, form = searching.read(
        data,
        venue=venue,
        limits=venue.limits(kind),
        now=now,
        kind=kind,
        areas=areas,
        kinds=tuple(kinds),
    )
    features = Counter(
        name
        for place in setup.bookable
        if search.kind in ("", place.kind)
        for name in place.features
    )
    return Asked(space, venue, kinds, features, areas, search, form, now, moving)
