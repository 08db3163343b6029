"""What a space's bookings add up to over some of its local days.

The database adds up, by quarter hours: what comes back grows with the days, not with the bookings.
Local days and hours are made of these quarters here, so that they are right whatever the clocks do.

- A booking counts on the local day on which it starts; its time counts in the hours it covers, also
  after midnight.
- It counts as it is now: where it was moved to, and until when it lasted if somebody left early.
- Time is counted by leaf places: a hall of three rooms is three rooms' time, whoever books it.
- Hours, closures and places are those of today's set-up: earlier ones are not kept.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from typing import Any

from django.db.models import Case, Count, F, Func, IntegerField, QuerySet, Sum, Value, When

from bookings.deciding.counting import door_of
from bookings.finding.occupancy import Quarter
from bookings.finding.stretch import Days
from bookings.models import Booking, RefusalCount
from bookings.states import EVER_HELD, State
from spaces.models import Place, Space
from spaces.quarters import Quarters
from spaces.setups import Setup
from spaces.slots import SLOT

#: Somebody has, or had, the place for themselves.
KEPT = frozenset({State.CONFIRMED, State.CHECKED_IN, State.COMPLETED})
CAME = frozenset({State.CHECKED_IN, State.COMPLETED})
SHOWN = KEPT | {State.NO_SHOW, State.CANCELLED}

#: How far ahead people book: each bucket reaches to its number of hours; the last has no end.
LEADS = (1, 6, 24, 72, 168, 336, 672)

HOURS_A_DAY = 24


class Seconds(Func):
    """Whole seconds since 1970."""

    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "FLOOR(EXTRACT(EPOCH FROM %(expressions)s))::bigint"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "CAST(strftime('%%%%s', %(expressions)s) AS integer)"
        return self.as_sql(compiler, connection, template=template, **extra)


@dataclass
class Tally:
    """How many bookings of a day or a channel: kept, for how many people, and what became of
    others.
    """

    bookings: int = 0
    people: int = 0
    came: int = 0
    no_shows: int = 0
    cancelled: int = 0

    def add(self, state: str, bookings: int, people: int) -> None:
        if state in KEPT:
            self.bookings += bookings
            self.people += people
        if state in CAME:
            self.came += bookings
        self.no_shows += bookings * (state == State.NO_SHOW)
        self.cancelled += bookings * (state == State.CANCELLED)

    @property
    def no_show_share(self) -> float | None:
        """Return which part of those who were due did not come; None while nobody was."""
        due = self.came + self.no_shows
        return self.no_shows / due if due else None


@dataclass
class Cell:
    """One hour of one weekday: time of leaf places, booked and open."""

    booked: timedelta = timedelta(0)
    open: timedelta = timedelta(0)

    @property
    def share(self) -> float | None:
        """Return the part that is booked; None when it isn't open at all then."""
        return self.booked / self.open if self.open else None


@dataclass(frozen=True)
class Numbers:
    """All of a page. `days` has every day, also those without a booking."""

    days: dict[date, Tally]
    channels: dict[str, Tally]
    #: By weekday (0: Monday) and local hour; without those that are neither open nor booked.
    cells: dict[tuple[int, int], Cell]
    #: Bookings by how far ahead they were made: one number for each of LEADS, and one for beyond.
    leads: list[int]
    #: By code, the most frequent first: how many at which door. "" is one that isn't known.
    refused: dict[str, Counter[str]]
    total: Tally = field(default_factory=Tally)

    @cached_property
    def refusals(self) -> dict[str, int]:
        """By code, whatever the door."""
        return {code: doors.total() for code, doors in self.refused.items()}

    @cached_property
    def whole(self) -> Cell:
        """Everything together."""
        booked = sum((cell.booked for cell in self.cells.values()), timedelta(0))
        opened = sum((cell.open for cell in self.cells.values()), timedelta(0))
        return Cell(booked, opened)

    @cached_property
    def hours(self) -> list[int]:
        """Return the hours that the house knows, as its day runs: an evening's end after it."""
        known = sorted({hour for _weekday, hour in self.cells})
        if not known:
            return []
        gaps = {
            hour: (hour - known[n - 1]) % HOURS_A_DAY or HOURS_A_DAY for n, hour in enumerate(known)
        }
        first = known.index(max(known, key=lambda hour: (gaps[hour], -hour)))
        return known[first:] + known[:first]


def numbers(setup: Setup, days: Days) -> Numbers:
    """Add everything up, in five statements."""
    counting = _Counting(setup, days)
    by_day, by_channel = counting.days(), counting.channels()
    total = Tally()
    for tally in by_channel.values():
        for name, value in vars(tally).items():
            setattr(total, name, getattr(total, name) + value)
    return Numbers(
        days=by_day,
        channels=by_channel,
        cells=counting.cells(),
        leads=counting.leads(),
        refused=counting.refused(),
        total=total,
    )


class _Counting:
    def __init__(self, setup: Setup, days: Days) -> None:
        self._days = days
        self.span = days.span(setup.space.zone)
        # With the closures of then, which a venue of today leaves out.
        self.venue = venue = setup.venue((), self.span.starts_at)
        self.quarters = Quarters(self.span)
        self.space: Space = setup.space
        #: What can be had at all, through itself or as a part.
        self.counted = frozenset(
            leaf for place in setup.bookable for leaf in venue.leaves(place.pk)
        )
        self.weight = self._weight(setup.places)

    def _weight(self, places: tuple[Place, ...]) -> Case:
        """Return how many counted leaves a booking takes, as an expression."""
        by_weight: dict[int, list[int]] = defaultdict(list)
        for place in places:
            by_weight[len(self.venue.leaves(place.pk) & self.counted)].append(place.pk)
        by_weight.pop(1, None)
        cases = [When(place__in=keys, then=Value(n)) for n, keys in sorted(by_weight.items())]
        return Case(*cases, default=Value(1), output_field=IntegerField())

    @cached_property
    def _touching(self) -> QuerySet[Booking]:
        return Booking.objects.in_space(self.space).overlapping(self.span).order_by()

    @cached_property
    def _starting(self) -> QuerySet[Booking]:
        return self._touching.filter(starts_at__gte=self.span.starts_at)

    @cached_property
    def _starts(self) -> list[tuple[int, str, str, int, int, int]]:
        """Quarter hour, state, channel, bookings, people, leaves; some began before the days."""
        rows = self._touching.filter(state__in=sorted(SHOWN)).annotate(at=Quarter("starts_at"))
        return list(
            rows.values_list("at", "state", "channel").annotate(
                Count("pk"), Sum("party_size"), leaves=Sum(self.weight)
            )
        )

    def days(self) -> dict[date, Tally]:
        found = {day: Tally() for day in self._days}
        for at, state, _channel, bookings, people, _leaves in self._starts:
            if at >= self.quarters.first:
                found[self._local(at).date()].add(state, bookings, people)
        return found

    def _local(self, at: int) -> datetime:
        return self.quarters.at(at - self.quarters.first).astimezone(self.venue.zone)

    def channels(self) -> dict[str, Tally]:
        found: dict[str, Tally] = {}
        for at, state, channel, bookings, people, _leaves in self._starts:
            if at >= self.quarters.first:
                found.setdefault(channel, Tally()).add(state, bookings, people)
        return found

    def cells(self) -> dict[tuple[int, int], Cell]:
        found: dict[tuple[int, int], Cell] = {}
        for n, (booked, opened) in enumerate(zip(self._booked(), self._open(), strict=True)):
            if booked or opened:
                local = self._local(n + self.quarters.first)
                cell = found.setdefault((local.weekday(), local.hour), Cell())
                cell.booked += booked * SLOT
                cell.open += opened * SLOT
        return found

    def _booked(self) -> Iterator[int]:
        """Yield how many leaves are booked, for each quarter hour."""
        first, count = self.quarters.first, self.quarters.count
        change = [0] * (count + 1)
        for at, state, _channel, _bookings, _people, leaves in self._starts:
            if state in KEPT:
                change[max(at - first, 0)] += leaves
        ends = self._touching.filter(state__in=sorted(KEPT)).annotate(at=Quarter("ends_at"))
        for at, leaves in ends.values_list("at").annotate(leaves=Sum(self.weight)):
            change[min(at - first, count)] -= leaves
        return accumulate(change[:count])

    def _open(self) -> list[int]:
        """Return how many leaves can be booked, for each quarter hour."""
        openings = self.quarters.within(self.venue.openings_around(self.span))
        # Most leaves share theirs, so each set is spread out once.
        alike = Counter(
            openings & ~self.quarters.touched(self.venue.closed(leaf)) for leaf in self.counted
        )
        found = [0] * self.quarters.count
        for bits, leaves in alike.items():
            for n, bit in enumerate(reversed(f"{bits:b}")):
                if bit == "1":
                    found[n] += leaves
        return found

    def leads(self) -> list[int]:
        """Count what was booked, also if it was cancelled since; but no walk-ins."""
        booked = self._starting.filter(state__in=sorted(EVER_HELD))
        ahead = booked.exclude(channel=Booking.Channel.WALK_IN).annotate(
            ahead=Seconds("starts_at") - Seconds("created_at")
        )
        buckets = [When(ahead__lt=hours * 3600, then=Value(n)) for n, hours in enumerate(LEADS)]
        bucket = Case(*buckets, default=Value(len(LEADS)), output_field=IntegerField())
        counted = dict(ahead.annotate(bucket=bucket).values_list("bucket").annotate(Count("pk")))
        return [counted.get(n, 0) for n in range(len(LEADS) + 1)]

    def refused(self) -> dict[str, Counter[str]]:
        """Count by reason and door what was wished for these days; one wish can have several.

        What left a booking that was refused, and what was refused at once.
        """
        refused = self._starting.filter(state=State.REJECTED)
        days = (self._days.first, self._days.last)
        counts = RefusalCount.objects.filter(space=self.space.pk, day__range=days)
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for code, door, n in counts.order_by().values_list("code", "door").annotate(Sum("count")):
            found[code][door] += n
        by_channel = refused.values_list(F("problems"), F("channel")).annotate(Count("pk"))
        for codes, channel, wishes in by_channel:
            for code in set(codes):
                found[code][door_of(channel)] += wishes
        return dict(sorted(found.items(), key=lambda each: (-each[1].total(), each[0])))
