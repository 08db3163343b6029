"""One day in a space as the board shows it: what is free at the chosen time, and the whole day."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from bookings.deciding import rules
from bookings.deciding.rules import Problem
from bookings.finding.advice import Advice, advice
from bookings.finding.availability import Availability, Offer, next_free, suits
from bookings.finding.search import Search
from bookings.models import Booking
from spaces.features import Feature
from spaces.limits import Limits
from spaces.models import Place, Space
from spaces.slots import SLOT, Period, merge, subtract
from spaces.venue import Venue

USUAL = timedelta(hours=2)


class Is(StrEnum):
    """What a run of the timeline is."""

    FREE = "free"
    PAST = "past"
    TAKEN = "taken"
    MINE = "mine"
    CLOSED = "closed"


@dataclass(frozen=True)
class Run:
    """One unbroken stretch of a row; `columns` counts quarter hours."""

    is_: Is
    period: Period
    code: UUID | None = None  # of the viewer's own booking
    pick: Period | None = None  # what clicking a free run selects

    @property
    def columns(self) -> int:
        return self.period.duration // SLOT


@dataclass(frozen=True)
class Row:
    place: Place
    runs: list[Run]


@dataclass(frozen=True)
class Board:
    """Everything the page needs. Times are UTC; templates show them in `venue.zone`."""

    space: Space
    venue: Venue
    search: Search
    window: Period | None  # what the timeline shows; None when nothing opens that day
    offers: list[Offer] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)  # with the search, for every place
    why_not: list[Problem] = field(default_factory=list)  # why the picked place is not offered
    first: Offer | None = None  # the next free time, when nothing is free
    advice: list[Advice] = field(default_factory=list)  # what to try when nothing is free
    tomorrow: int = 0  # places free at that time the next day, when nothing is
    features: frozenset[str] = frozenset()  # that the space's places have, to choose from

    @property
    def wishes(self) -> list[str]:
        """Return the chosen features in words."""
        return [str(Feature(name).label) for name in self.search.features]

    @property
    def picked(self) -> Offer | None:
        return next((o for o in self.offers if o.place.code == self.search.place), None)

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


def usual_period(venue: Venue, limits: Limits, day: date, now: datetime) -> Period | None:
    """Return the time a board shows by default: the next start, for two hours."""
    duration = max(limits.shortest, min(limits.longest, USUAL // limits.step * limits.step))
    starts = [at for at in venue.starts(day, limits.step) if at >= now + limits.min_notice]
    fits = (Period(at, at + duration) for at in starts)
    openings = merge(venue.openings_around(venue.day_span(day)))
    return next((p for p in fits if any(o.contains(p) for o in openings)), None)


def build(
    space: Space,
    venue: Venue,
    search: Search,
    *,
    member: User | None,
    now: datetime,
    moving: Booking | None = None,
) -> Board:
    """Lay out one day. Takes two queries, one more when nothing is free."""
    span = venue.day_span(search.day)
    period = search.period
    if period is not None and period.duration > timedelta(0):
        span = Period(min(span.starts_at, period.starts_at), max(span.ends_at, period.ends_at))
    known = Availability(space, venue, span, but=moving)
    openings = venue.openings(search.day)
    window = _window(openings)
    rows = [_row(known, place, window, openings, search, member, now) for place in known.places]
    features = frozenset(name for place in known.places for name in place.features)
    board = Board(space, venue, search, window, rows=rows if window else [], features=features)
    if period is None:
        return board
    offers = known.offers(period, party_size=search.party_size, now=now, features=search.features)
    if search.by_number:
        offers.sort(key=lambda offer: offer.place.number)
    if offers:
        return replace(board, offers=offers, why_not=_why_not(known, search, period, offers, now))
    misfits = _misfits(known.places, search)
    problems = [*_common_problems(known, period, now), *misfits]
    helpful = advice(known, search, problems, now)
    board = replace(board, problems=problems, advice=helpful)
    return board if misfits else _with_next(board, known, now, moving)


def _with_next(board: Board, known: Availability, now: datetime, moving: Booking | None) -> Board:
    """Add what is free instead: the next time of this length, and the same time tomorrow."""
    period, search, venue = board.search.period, board.search, board.venue
    assert period is not None
    kinds = {place.kind for place in known.places}
    longest = max((venue.limits(kind).max_duration for kind in kinds), default=timedelta(0))
    if not timedelta(0) < period.duration <= longest:
        return board
    first, tomorrow = next_free(
        known,
        period,
        party_size=search.party_size,
        now=now,
        features=search.features,
        but=moving,
    )
    return replace(board, first=first, tomorrow=tomorrow)


def _window(openings: list[Period]) -> Period | None:
    if not openings:
        return None
    return Period(openings[0].starts_at, openings[-1].ends_at)


def _common_problems(known: Availability, period: Period, now: datetime) -> list[Problem]:
    """Return what forbids this period for every place, whoever books."""
    lists = [
        rules.problems(known.venue, place, period, party_size=1, now=now) for place in known.places
    ]
    return [p for p in lists[0] if all(p in found for found in lists)] if lists else []


def _misfits(places: list[Place], search: Search) -> list[Problem]:
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
    """Return why the picked place is not among the offers."""
    place = next((place for place in known.places if place.code == search.place), None)
    if place is None or any(offer.place == place for offer in offers):
        return []
    found = rules.problems(known.venue, place, period, party_size=search.party_size, now=now)
    named = {"place": str(place)}
    if not suits(place, 1, search.features):
        message = _("%(place)s does not have all the features you chose.") % named
        found.append(Problem("features_missing", message))
    return found or [Problem("slot_taken", _("%(place)s is taken at that time.") % named)]


def _row(
    known: Availability,
    place: Place,
    window: Period | None,
    openings: list[Period],
    search: Search,
    member: User | None,
    now: datetime,
) -> Row:
    if window is None:
        return Row(place, [])
    occupied = known.occupied(place)
    mine = {o for o in occupied if member is not None and o.member == member.pk}
    taken = [o.period for o in occupied - mine]
    open_time = subtract(openings, known.venue.closed(place.pk))
    free = subtract(open_time, [o.period for o in occupied])
    runs = [Run(Is.MINE, o.period, code=o.code) for o in mine]
    runs += [Run(Is.TAKEN, period) for period in merge(taken)]
    runs += [Run(Is.CLOSED, gap) for gap in subtract([window], open_time)]
    present = Period(min(now, window.starts_at), now)
    for stretch in free:
        future = subtract([stretch], [_on_grid(present)])
        runs += [Run(Is.PAST, past) for past in subtract([stretch], future)]
        runs += [
            Run(Is.FREE, part, pick=_pick(known.venue, place, part, search, now)) for part in future
        ]
    return Row(place, _clipped(runs, window))


def _on_grid(past: Period) -> Period:
    """Round the end of the past up to the next quarter hour."""
    over = (past.ends_at - past.starts_at) % SLOT
    return Period(past.starts_at, past.ends_at + (SLOT - over if over else timedelta(0)))


def _clipped(runs: list[Run], window: Period) -> list[Run]:
    """Return runs that tile the window: cut at its edges, in order, without overlaps."""
    tiled: list[Run] = []
    at = window.starts_at
    for run in sorted(runs, key=lambda run: (run.period.starts_at, run.is_ == Is.CLOSED)):
        cut = Period(max(run.period.starts_at, at), min(run.period.ends_at, window.ends_at))
        if cut.starts_at < cut.ends_at:
            tiled.append(Run(run.is_, cut, run.code, run.pick))
            at = cut.ends_at
    return tiled


def _pick(venue: Venue, place: Place, free: Period, search: Search, now: datetime) -> Period | None:
    """Return what clicking a free run selects: the searched time if it fits, else its first."""
    limits = venue.limits(place.kind)
    if search.period is not None and free.contains(search.period):
        return search.period
    wanted = search.period.duration if search.period is not None else USUAL
    wanted = max(limits.shortest, min(wanted, limits.longest))
    earliest = now + limits.min_notice
    for at in venue.starts(search.day, limits.step):
        if at < max(free.starts_at, earliest) or at >= free.ends_at:
            continue
        room = min(wanted, free.ends_at - at) // limits.step * limits.step
        if room >= limits.min_duration:
            return Period(at, at + room)
    return None
