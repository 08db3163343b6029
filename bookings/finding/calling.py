"""What somebody on the phone asks for: a day, a time, how many, how long; and what is free then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from uuid import UUID

from accounts.numbers import read_whole
from bookings.deciding import lengths, rules
from bookings.deciding.choosing import candidates, suits
from bookings.deciding.rules import Problem
from bookings.finding.availability import Availability, Offer, next_free
from bookings.finding.board import usual_period
from bookings.finding.searching import first_day, on_the_day
from bookings.forms import MOST_PEOPLE
from bookings.words.local_time import LocalTimeError, read_day, write_clock
from spaces.clocks import in_full
from spaces.limits import Limits
from spaces.models import Space
from spaces.setups import Setup
from spaces.slots import Period
from spaces.venue import Venue

#: How many come if nobody has said yet.
COUPLE, ALONE = 2, 1
#: The most lengths to choose from.
MOST_LENGTHS = 24
A_DAY = 24 * 60  # minutes


@dataclass(frozen=True)
class Wanted:
    """A call as far as it is understood; `errors` are what could not be read, by field."""

    setup: Setup
    venue: Venue
    day: date
    starts_at: datetime | None
    length: timedelta
    is_usual_length: bool
    people: int
    place: UUID | None
    errors: dict[str, str]

    @property
    def period(self) -> Period | None:
        if self.starts_at is None:
            return None
        return Period(self.starts_at, self.starts_at + self.length)

    @property
    def limits(self) -> Limits:
        return self.venue.limits(self.setup.space.main_kind)

    @cached_property
    def choices(self) -> list[timedelta]:
        """Return how long bookings may be, and the one that was asked for."""
        limits = self.limits
        found = set() if self.is_usual_length else {self.length}
        length = limits.shortest
        while length <= limits.longest and len(found) < MOST_LENGTHS:
            found.add(length)
            length += limits.step
        return sorted(found)


def read(data: Mapping[str, str], setup: Setup, *, now: datetime) -> Wanted:
    """Understand a call; what was left out gets its default."""
    venue = setup.venue((), now)
    limits = venue.limits(setup.space.main_kind)
    errors: dict[str, str] = {}
    try:
        day = read_day(data["date"]) if data.get("date") else first_day(venue, limits, now)
    except LocalTimeError as error:
        errors["date"], day = str(error), venue.today(now)
    kind, people = setup.space.main_kind, _people(data.get("party", ""), setup.space)
    usual = usual_period(venue, limits, day, now, kind=kind, party_size=people)
    starts_at = usual.starts_at if usual else None
    if data.get("from"):
        try:
            starts_at = on_the_day(in_full(data["from"]), day, venue)
        except LocalTimeError as error:
            errors["from"], starts_at = str(error), None
    length = _length(data.get("length", ""))
    by_house = lengths.until(venue, kind, starts_at or now, people).duration
    return Wanted(
        setup=setup,
        venue=venue,
        day=day,
        starts_at=starts_at,
        length=length or by_house,
        is_usual_length=length is None,
        people=people,
        place=code(data.get("place", "")),
        errors=errors,
    )


@dataclass(frozen=True)
class Found:
    """What is free as asked, best fit first; if nothing is, why, and the next time that is.

    Both offers and problems: too many arrive then, and the staff may let them in all the same.
    """

    offers: list[Offer] = field(default_factory=list)
    next: Offer | None = None
    problems: list[Problem] = field(default_factory=list)


def find(wanted: Wanted, *, now: datetime) -> Found:
    period = wanted.period
    if period is None:
        return Found()
    known = _known(wanted, period)
    if found := _best(known, wanted, period, now):
        return Found(found)
    following = next_free(known, period, party_size=wanted.people, now=now)[0]
    if full := known.problems(period, wanted.people):
        # The staff may let in more than may arrive at that time.
        crowded = _best(_known(wanted, period, any_pace=True), wanted, period, now)
        return Found(crowded, following, full)
    return Found(next=following, problems=_problems(wanted, period, now))


def _known(wanted: Wanted, period: Period, *, any_pace: bool = False) -> Availability:
    span = wanted.venue.day_span(wanted.day)
    return Availability(
        wanted.setup.space,
        wanted.venue,
        Period(min(span.starts_at, period.starts_at), max(span.ends_at, period.ends_at)),
        places=wanted.setup.bookable,
        in_house=True,
        any_pace=any_pace,
    )


def _best(known: Availability, wanted: Wanted, period: Period, now: datetime) -> list[Offer]:
    found = known.offers(period, party_size=wanted.people, now=now)
    chosen = candidates(wanted.setup, wanted.venue, wanted.people)
    order = {place.pk: n for n, place in enumerate(chosen)}
    found.sort(key=lambda offer: order.get(offer.place.pk, len(order)))
    found.sort(key=lambda offer: offer.place.code != wanted.place)  # what was pressed comes first
    return found


def _problems(wanted: Wanted, period: Period, now: datetime) -> list[Problem]:
    """Return what forbids that time; nothing where the places are taken, and no more."""
    people = wanted.people
    largest_first = sorted(wanted.setup.bookable, key=lambda place: -place.capacity)
    return min(
        (
            rules.problems(wanted.venue, place, period, party_size=people, now=now, by_house=True)
            for place in largest_first
            if suits(place, people) or place == largest_first[0]
        ),
        key=len,
        default=[],
    )


def clock(wanted: Wanted) -> str:
    return write_clock(wanted.starts_at, wanted.venue.zone) if wanted.starts_at else ""


def _length(text: str) -> timedelta | None:
    try:
        minutes = read_whole(text)
    except ValueError:
        return None
    return timedelta(minutes=minutes) if 0 < minutes <= A_DAY else None


def _people(text: str, space: Space) -> int:
    try:
        return min(max(read_whole(text), 1), MOST_PEOPLE)
    except ValueError:
        return COUPLE if space.kind == Space.Kind.RESTAURANT else ALONE


def code(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
