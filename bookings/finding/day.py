"""One day of one space, as its staff see it: who is here, who comes next, who comes later."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from bookings.deciding.visits import ARRIVES_AT_MOST_BEFORE
from bookings.models import Booking
from bookings.states import OCCUPYING, TRANSITIONS, UNDECIDED, State
from spaces.models import Place, Space
from spaces.setups import Setup
from spaces.slots import SLOT, Period, merge, subtract
from spaces.venue import Venue

#: What a day's page has rows for: everything but refused tries.
SHOWN = (*sorted(OCCUPYING), *UNDECIDED, State.COMPLETED, State.NO_SHOW, State.CANCELLED)

#: Who starts within that is next.
NEXT = timedelta(hours=1)

#: After so many visits somebody is a regular.
REGULAR = 5

#: So many rows are unfolded at first; the later hours only name who comes.
UNFOLDED = 8


@dataclass(frozen=True)
class Known:
    """How often somebody came to this space before the day."""

    visits: int = 0
    no_shows: int = 0

    @property
    def is_first(self) -> bool:
        return not self.visits

    @property
    def is_regular(self) -> bool:
        return self.visits >= REGULAR


@dataclass(frozen=True)
class Line:
    """One booking as a row of the day. `known` is None for guests whom nobody has recognised."""

    booking: Booking
    known: Known | None
    now: datetime

    @property
    def name(self) -> str:
        member = self.booking.member
        return self.booking.guest_name or (member.get_full_name() if member else "")

    @property
    def contacts(self) -> list[str]:
        """Return what the guest left, or how the member can be reached."""
        booking = self.booking
        if booking.member is not None:
            return [booking.member.email] if booking.member.email else []
        guest = booking.guest
        found = [booking.guest_contact, *([guest.phone, guest.email] if guest else [])]
        return [
            contact
            for n, contact in enumerate(found)
            if contact and not any(contact in earlier for earlier in found[:n])
        ]

    @property
    def is_over(self) -> bool:
        booking = self.booking
        return not booking.is_undecided and not booking.is_upcoming(self.now)

    @property
    def is_here(self) -> bool:
        return self.booking.state == State.CHECKED_IN and not self.is_over

    @property
    def is_offered(self) -> bool:
        """A party at the door was told, and has not said yes: see the waiting list."""
        return self.booking.state == State.OFFERED

    @property
    def is_due(self) -> bool:
        """Their time has come, and nobody has said that they are here."""
        is_expected = not self.is_over and not self.is_here and not self.is_offered
        return is_expected and self.booking.starts_at <= self.now

    @property
    def is_long_due(self) -> bool:
        """Nobody has said anything about them for an hour: perhaps nobody does in this house."""
        return self.is_due and self.booking.starts_at < self.now - NEXT

    @property
    def has_come(self) -> bool:
        return self.booking.checked_in_at is not None

    @property
    def verbs(self) -> list[str]:
        """What one press can say about them now, the likeliest first."""
        if self.booking.is_undecided or self.is_over or self.is_offered:
            return []
        sits = self.booking.place.kind == Place.Kind.TABLE
        seat = ["seat"] if sits and not self.booking.seated_at else []
        if self.is_here:
            return [*seat, "leave", "extend"]
        if self.now < self.booking.starts_at - ARRIVES_AT_MOST_BEFORE:
            return []
        return ["arrive", *seat, *(["no_show", "leave", "extend"] if self.is_due else [])]

    @property
    def is_pressing(self) -> bool:
        """Something can be said about them at any moment."""
        return self.is_due or self.is_here

    @property
    def first_verbs(self) -> list[str]:
        """What a phone has room for: of those who come much later, nothing."""
        is_next = self.booking.starts_at <= self.now + NEXT
        return self.verbs[: 3 if self.is_pressing else int(is_next)]

    @property
    def other_verbs(self) -> list[str]:
        return self.verbs[len(self.first_verbs) :]

    @property
    def can_cancel(self) -> bool:
        return not self.is_over and State.CANCELLED in TRANSITIONS[State(self.booking.state)]

    @property
    def can_move(self) -> bool:
        return not self.is_over and self.booking.occupies

    @property
    def is_gone(self) -> bool:
        """It is no visit of this day any more: cancelled, or nobody came."""
        return self.booking.state in {State.CANCELLED, State.NO_SHOW}

    @property
    def late_minutes(self) -> int:
        return (self.now - self.booking.starts_at) // timedelta(minutes=1) if self.is_due else 0


@dataclass(frozen=True)
class Group:
    """Rows under one heading: «now», «next», an hour. `at` is the hour's beginning."""

    name: str
    lines: list[Line]
    at: datetime | None = None
    is_open: bool = True

    @property
    def key(self) -> str:
        return f"{self.name}-{int(self.at.timestamp())}" if self.at else self.name

    @property
    def people(self) -> int:
        return sum(line.booking.party_size for line in self.lines)


@dataclass(frozen=True)
class Day:
    """What the page of a day shows."""

    setup: Setup
    venue: Venue
    on: date
    span: Period
    now: datetime
    lines: list[Line] = field(default_factory=list)

    @property
    def is_today(self) -> bool:
        return self.venue.day_of(self.now) == self.on

    @property
    def zone(self) -> ZoneInfo:
        return self.venue.zone

    @cached_property
    def booked(self) -> list[Line]:
        return [line for line in self.lines if not line.is_gone]

    @property
    def people(self) -> int:
        return sum(line.booking.party_size for line in self.booked)

    @property
    def arrived(self) -> int:
        return sum(line.has_come for line in self.booked)

    @cached_property
    def groups(self) -> list[Group]:
        """The rows, those of now first; of another day, by the hour."""
        found = [group for group in self._groups() if group.lines]
        left, unfolded = UNFOLDED, []
        for n, group in enumerate(found):
            if group.name == "unmarked":
                unfolded.append(Group(group.name, group.lines, is_open=len(found) == 1))
                continue
            is_open = n == 0 or len(group.lines) <= left
            left = left - len(group.lines) if is_open else 0
            unfolded.append(Group(group.name, group.lines, group.at, is_open))
        return unfolded

    def _groups(self) -> Iterator[Group]:
        if not self.is_today:
            yield from self._by_hour(self.booked)
            return
        ahead = [line for line in self.booked if not line.is_over]
        due = [line for line in ahead if line.is_due]
        coming = [line for line in ahead if not line.is_due and not line.is_here]
        soon = [line for line in coming if line.booking.starts_at <= self.now + NEXT]
        yield Group("due", [line for line in due if not line.is_long_due])
        yield Group("here", [line for line in ahead if line.is_here])
        yield Group("unmarked", [line for line in due if line.is_long_due])
        yield Group("next", soon)
        yield from self._by_hour(coming[len(soon) :])

    def _by_hour(self, lines: list[Line]) -> Iterator[Group]:
        for hour, its in groupby(lines, key=self._hour):
            yield Group("hour", list(its), hour)

    def _hour(self, line: Line) -> datetime:
        """Return when the hour of a row began; those from the day before are of the first."""
        at = max(line.booking.starts_at, self.span.starts_at)
        local = at.astimezone(self.zone)
        return at - timedelta(minutes=local.minute, seconds=local.second)

    @property
    def finished(self) -> list[Line]:
        """The rows that are folded: over, cancelled, or nobody came."""
        if not self.is_today:
            return [line for line in self.lines if line.is_gone]
        return [line for line in self.lines if line.is_gone or line.is_over]

    @cached_property
    def free_now(self) -> int | None:
        """How many places could be taken this minute; None while the house is closed."""
        openings = merge(self.venue.openings_around(Period(self.now, self.now)))
        closed = [closure.period for closure in self.venue.closures if closure.place is None]
        is_open = any(p.starts_at <= self.now < p.ends_at for p in subtract(openings, closed))
        if not self.is_today or not is_open:
            return None
        taken = self._taken_now()
        return sum(taken.isdisjoint(self.venue.leaves(place.pk)) for place in self.setup.bookable)

    def _taken_now(self) -> set[int]:
        running = Period(self.now, self.now + timedelta(microseconds=1))
        held = {
            line.booking.place_id
            for line in self.lines
            if line.booking.occupies and line.booking.period.overlaps(running)
        }
        for closure in self.venue.closures:
            if closure.place is not None and closure.period.overlaps(running):
                held.add(closure.place)
        return {leaf for place in held for leaf in self.venue.leaves(place)}

    @property
    def covers(self) -> list[tuple[datetime, int]]:
        """How many people come in each quarter hour in which somebody comes."""
        if self.setup.space.kind != Space.Kind.RESTAURANT:
            return []
        counted: Counter[datetime] = Counter()
        for line in self.booked:
            if line.booking.starts_at >= self.span.starts_at:
                counted[line.booking.starts_at] += line.booking.party_size
        return sorted(counted.items())


def span_of(venue: Venue, on: date) -> Period:
    """Return when a venue's day begins and ends: its night belongs to it, not the one before."""
    whole = venue.day_span(on)
    before = venue.day_span(on - timedelta(days=1)).ends_at
    return Period(min(max(whole.starts_at, before), whole.ends_at - SLOT), whole.ends_at)


def build(setup: Setup, on: date, *, now: datetime) -> Day:
    """Read a day. Takes one statement for its bookings, and at most two for who they are."""
    venue = setup.venue((), now)
    span = span_of(venue, on)
    rows = list(
        Booking.objects.in_space(setup.space)
        .filter(state__in=SHOWN)
        .overlapping(span)
        .select_related("member", "guest")
        .order_by("starts_at", "place__number", "pk")
    )
    return Day(setup, venue, on, span, now, lines_of(setup, rows, before=span.starts_at, now=now))


def lines_of(
    setup: Setup, rows: Collection[Booking], *, before: datetime, now: datetime
) -> list[Line]:
    """Make rows of bookings that came with their people; the places come from the set-up."""
    members = _known(setup.space, "member", {row.member_id for row in rows}, before)
    guests = _known(setup.space, "guest", {row.guest_id for row in rows}, before)
    lines = []
    for row in rows:
        place = setup.place(row.place_id)
        if place is not None:
            row.place = place
        known = members.get(row.member_id) or guests.get(row.guest_id)
        is_somebody = row.member_id or row.guest_id
        lines.append(Line(row, (known or Known()) if is_somebody else None, now))
    return lines


def _known(
    space: Space, whose: str, keys: Iterable[int | None], before: datetime
) -> dict[int | None, Known]:
    """Count the earlier visits of these members or guests, by key."""
    wanted = {key for key in keys if key is not None}
    if not wanted:
        return {}
    rows = (
        Booking.objects.in_space(space)
        .filter(
            **{f"{whose}__in": wanted},
            state__in=[State.COMPLETED, State.NO_SHOW],
            starts_at__lt=before,
        )
        .order_by()
        .values_list(whose)
        .annotate(
            visits=Count("pk", filter=Q(state=State.COMPLETED)),
            no_shows=Count("pk", filter=Q(state=State.NO_SHOW)),
        )
    )
    return {key: Known(visits, no_shows) for key, visits, no_shows in rows}
