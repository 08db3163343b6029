"""One day in a space as the board shows it: what is free at the chosen time, and the whole day."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from bookings.deciding import rules
from bookings.deciding.choosing import suits
from bookings.deciding.lengths import USUAL, usual
from bookings.deciding.rules import Problem, last_day
from bookings.finding.advice import Advice, advice
from bookings.finding.availability import Availability, Offer, next_free
from bookings.finding.occupancy import Occupancy
from bookings.finding.search import Search
from spaces.features import Feature
from spaces.limits import Limits
from spaces.models import Place, Space
from spaces.quarters import Quarters, highest, lowest, runs
from spaces.slots import SLOT, Period, is_on_grid, merge
from spaces.venue import Venue


class Is(StrEnum):
    """What a run of the timeline is."""

    FREE = "free"
    PAST = "past"
    LATER = "later"  # bookings are not open for that day yet
    TAKEN = "taken"
    MINE = "mine"
    CLOSED = "closed"

    __hash__ = str.__hash__  # an enumeration's own takes longer than all else about a run


class Run(NamedTuple):
    """One unbroken stretch of a row, in quarter hours of the board."""

    is_: Is
    start: int
    end: int
    code: UUID | None = None  # of the viewer's own booking
    pick: tuple[int, int] | None = None  # what clicking a free run selects


_start = attrgetter("start")


class Row(NamedTuple):
    place: Place
    runs: list[Run]
    suits: bool = True  # those who search


@dataclass(frozen=True)
class Board:
    """Everything the page needs. Times are UTC; templates show them in `venue.zone`."""

    space: Space
    venue: Venue
    search: Search
    quarters: Quarters  # in which runs count
    window: Period | None  # what the timeline shows; None when nothing opens that day
    offers: list[Offer] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # with the search, for every place
    why_not: list[Problem] = field(default_factory=list)  # why the picked place is not offered
    first: Offer | None = None  # the next free time, when nothing is free
    advice: list[Advice] = field(default_factory=list)  # what to try when nothing is free
    tomorrow: int = 0  # places free at that time the next day, when nothing is
    features: Mapping[str, int] = field(default_factory=dict)  # to choose from; how many have each
    areas: tuple[str, ...] = ()  # that it has, to choose from

    @property
    def wishes(self) -> list[str]:
        """Return the chosen features in words."""
        return [str(Feature(name).label) for name in self.search.features]

    @property
    def picked(self) -> Offer | None:
        return next((o for o in self.offers if o.place.code == self.search.place), None)

    @property
    def lead(self) -> Offer | None:
        """Return an offer if the house chooses the table: then one is free."""
        if self.space.kind != Space.Kind.RESTAURANT:
            return None
        return next((o for o in self.offers if o.place.kind == Place.Kind.TABLE), None)

    @property
    def others(self) -> list[Offer]:
        """Return the offers other than the picked one."""
        picked = self.picked
        return [offer for offer in self.offers if offer is not picked]

    @property
    def hours(self) -> Iterator[tuple[datetime, int]]:
        """Yield the starts of the timeline's hours and their widths in quarter hours."""
        if self.window is None:
            return
        at = self.window.starts_at
        while at < self.window.ends_at:
            past_the_hour = at.astimezone(self.venue.zone).minute // 15
            columns = min(4 - past_the_hour, (self.window.ends_at - at) // SLOT)
            yield at, columns
            at += columns * SLOT


def usual_period(
    venue: Venue, limits: Limits, day: date, now: datetime, *, kind: str = "", party_size: int = 1
) -> Period | None:
    """Return the time a board shows by default: the next start, for a turn, or for two hours."""
    duration = usual(limits)
    starts = [at for at in venue.starts(day, limits.step) if at >= now + limits.min_notice]
    fits = (Period(at, at + (venue.turn(kind, at, party_size) or duration)) for at in starts)
    openings = merge(venue.openings_around(venue.day_span(day)))
    return next((p for p in fits if any(o.contains(p) for o in openings)), None)


def span_of(venue: Venue, search: Search) -> Period:
    """Return the time whose bookings a board needs to know."""
    span, period = venue.day_span(search.day), search.period
    if period is None or period.duration <= timedelta(0):
        return span
    return Period(min(span.starts_at, period.starts_at), max(span.ends_at, period.ends_at))


def build(
    known: Availability,
    search: Search,
    *,
    member: User | None,
    now: datetime,
    instead: tuple[Offer | None, int] | None = None,
    recommends: bool = True,
) -> Board:
    """Lay out one day, of which the bookings within `span_of` the search are known.

    `instead` is what `next_free` says, for when nothing is free; without it, that is asked. Unless
    it `recommends`, there is no advice.
    """
    period = search.period
    timeline = _Timeline(known, search, member, now)
    board = Board(
        known.space,
        known.venue,
        search,
        known.quarters,
        timeline.window,
        rows=timeline.rows(),
    )
    if period is None:
        return board
    offers = known.offers(period, party_size=search.party_size, now=now, features=search.features)
    if search.by_number:
        offers.sort(key=lambda offer: offer.place.number)
    if (but := known.but) is not None:  # whoever moves wants the same place first
        offers.sort(key=lambda offer: offer.place.pk != but.place_id)
    if offers:
        return replace(board, offers=offers, why_not=_why_not(known, search, period, offers, now))
    misfits = _misfits(known.places, search)
    common = _common_problems(known, period, now)
    if not any(problem.code in rules.NONSENSE for problem in common):
        common += known.problems(period, search.party_size)
    problems = [*common, *misfits]
    helpful = advice(known, search, problems, now) if recommends else []
    first, tomorrow = instead or next_free(
        known,
        period,
        party_size=search.party_size,
        now=now,
        features=search.features,
    )
    return replace(board, problems=problems, advice=helpful, first=first, tomorrow=tomorrow)


def _common_problems(known: Availability, period: Period, now: datetime) -> list[Problem]:
    """Return what forbids this period for every place, whoever books."""
    common: list[Problem] = []
    for n, place in enumerate(known.places):
        found = rules.problems(known.venue, place, period, party_size=1, now=now)
        common = [problem for problem in common if problem in found] if n else found
        if not common:
            break
    return common


def _misfits(places: Sequence[Place], search: Search) -> list[Problem]:
    """Return what no place here can provide at any time."""
    if not places or any(suits(place, search.party_size, search.features) for place in places):
        return []
    largest = max(place.capacity for place in places)
    if search.party_size <= largest:
        message = _("No place here has all of that for so many people.")
        return [Problem("no_such_place", message)]
    message = ngettext(
        "The largest place here is for %(n)d person.",
        "The largest place here is for %(n)d people.",
        largest,
    )
    return [Problem("party_too_large", message % {"n": largest})]


def _why_not(
    known: Availability, search: Search, period: Period, offers: list[Offer], now: datetime
) -> list[Problem]:
    """Return why the picked place is not among the offers, or the one of a booking that moves."""
    wanted = search.place or (known.but.place.code if known.but else None)
    place = next((place for place in known.places if place.code == wanted), None)
    if place is None or any(offer.place == place for offer in offers):
        return []
    found = rules.problems(known.venue, place, period, party_size=search.party_size, now=now)
    named = {"place": str(place)}
    if not suits(place, place.min_party, search.features):
        message = _("%(place)s does not have all the features you chose.") % named
        found.append(Problem("features_missing", message))
    return found or [Problem("slot_taken", _("%(place)s is taken at that time.") % named)]


class _Timeline:
    """Lays out a day's rows: sets of quarter hours become runs that tile the opening hours."""

    def __init__(
        self, known: Availability, search: Search, member: User | None, now: datetime
    ) -> None:
        self.known, self.search = known, search
        quarters, venue = known.quarters, known.venue
        self.open = quarters.within(venue.openings(search.day))
        self.start, self.end = (lowest(self.open), highest(self.open) + 1) if self.open else (0, 0)
        self.all_day = quarters.stretch(self.start, self.end)
        self.past = quarters.stretch(0, quarters.ceil(now))
        me = member.pk if member else None
        mine = [row for row in known.rows if row.member == me] if me else []
        self.mine = [(known.leaves(row.place), row) for row in mine]
        #: No two bookings share a quarter hour of a leaf.
        self.others = known.by_leaf | {
            leaf: known.by_leaf[leaf] & ~taken for leaf, taken in known.spread(mine).items()
        }
        self.picks = {
            kind: _Picks(known, venue.limits(kind), search, now)
            for kind in {place.kind for place in known.places}
        }

    @property
    def window(self) -> Period | None:
        return self.known.quarters.period(self.start, self.end) if self.open else None

    def rows(self) -> list[Row]:
        if not self.open:
            return []
        search = self.search
        rows = []
        for place in self.known.places:
            is_suited = suits(place, search.party_size, search.features)
            runs = self._tiled(self._runs(place, may_pick=is_suited))
            rows.append(Row(place, runs, is_suited))
        return sorted(rows, key=lambda row: not row.suits)

    def _runs(self, place: Place, *, may_pick: bool) -> list[Run]:
        """Return what a place's row says; earlier ones have precedence where they overlap."""
        known, key = self.known, place.pk
        leaves = known.leaves(key)
        open_ = self.open & ~known.closed(key)
        free = open_ & ~known.taken(key)
        others = 0
        for leaf in leaves:
            others |= self.others.get(leaf, 0)
        picks = self.picks[place.kind]
        is_ = Is.LATER if picks.is_beyond else Is.FREE
        pick = picks.of if may_pick and not picks.is_beyond else _nothing
        found = [self._mine(row) for own, row in self.mine if own & leaves]
        found += [Run(Is.TAKEN, start, end) for start, end in runs(others)]
        found += [Run(Is.PAST, start, end) for start, end in runs(free & self.past)]
        found += [
            Run(is_, start, end, None, pick(start, end)) for start, end in runs(free & ~self.past)
        ]
        found += [Run(Is.CLOSED, start, end) for start, end in runs(self.all_day & ~open_)]
        return found

    def _mine(self, row: Occupancy) -> Run:
        first = self.known.quarters.first
        return Run(Is.MINE, row.start - first, row.end - first, code=UUID(row.code))

    def _tiled(self, found: list[Run]) -> list[Run]:
        """Return runs in order, without overlaps, cut at the edges of the window."""
        found.sort(key=_start)
        tiled: list[Run] = []
        at, last = self.start, self.end
        for run in found:
            _is, start, end, _code, _pick = run
            if start < at or end > last:
                start, end = max(start, at), min(end, last)
                run = run._replace(start=start, end=end)
            if start < end:
                tiled.append(run)
                at = end
        return tiled


def _nothing(start: int, end: int) -> None:
    """Pick nothing, wherever somebody clicks."""


class _Picks:
    """What clicking a free run of a kind of place selects: the searched time, or its own first."""

    def __init__(self, known: Availability, limits: Limits, search: Search, now: datetime) -> None:
        quarters, period = known.quarters, search.period
        self.is_beyond = search.day > last_day(known.venue, limits, now)
        self.searched: tuple[int, int] | None = None
        if period is not None and is_on_grid(period.starts_at) and is_on_grid(period.ends_at):
            self.searched = quarters.floor(period.starts_at), quarters.floor(period.ends_at)
        wanted = period.duration if period is not None else USUAL
        self.wanted = max(limits.shortest, min(wanted, limits.longest)) // SLOT
        self.shortest = -(-limits.min_duration // SLOT)
        self.step = limits.step // SLOT
        starts = known.venue.starts(search.day, limits.step)
        may_start = (quarters.floor(at) for at in starts if at >= now + limits.min_notice)
        full = known.full(search.party_size)
        self.starts = [start for start in may_start if not full >> start & 1]
        self.of = cache(self._of)

    def _of(self, start: int, end: int) -> tuple[int, int] | None:
        if self.searched and start <= self.searched[0] and self.searched[1] <= end:
            return self.searched
        first = bisect_left(self.starts, start)
        if first == len(self.starts):
            return None
        at = self.starts[first]
        room = min(self.wanted, end - at) // self.step * self.step
        return (at, at + room) if room >= max(self.shortest, 1) else None
