"""What must hold, judged from plain records: the answers people got and the rows that are left.

Shares no code with the application, so that a mistake there can't hide itself here.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

OCCUPYING = frozenset({"AWAITING_APPROVAL", "OFFERED", "CONFIRMED", "CHECKED_IN"})
QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Booking:
    """A row of the final database."""

    id: int
    code: UUID
    member: int | None
    key: str | None
    place: int
    starts_at: datetime
    ends_at: datetime
    state: str
    decided_at: datetime | None = None

    @property
    def occupies(self) -> bool:
        return self.state in OCCUPYING

    @property
    def quarters(self) -> list[datetime]:
        count = (self.ends_at - self.starts_at) // QUARTER
        return [self.starts_at + n * QUARTER for n in range(count)]


@dataclass(frozen=True)
class Slot:
    """A place that is taken for a quarter hour."""

    booking: int
    place: int
    at: datetime


@dataclass(frozen=True)
class Quota:
    """How many upcoming bookings a member may have at some places together."""

    most: int
    places: frozenset[int]
    members: frozenset[int] | None  # None: everybody
    since: datetime  # what was decided before isn't bound by it


@dataclass(frozen=True)
class Answer:
    """What somebody was told: a state; REFUSED without a booking; or ERROR with its text."""

    round: int
    member: int
    key: str
    told: str
    code: UUID | None = None
    text: str = ""


#: The leaf places of composites; a place that isn't here is its own.
Leaves = Mapping[int, Sequence[int]]


def lost(answers: Iterable[Answer], bookings: Iterable[Booking]) -> Iterator[str]:
    """Find acknowledged bookings that don't exist, or are another's."""
    by_code = {booking.code: booking for booking in bookings}
    for answer in answers:
        if answer.code is None:
            continue
        found = by_code.get(answer.code)
        if found is None:
            yield f"lost: {answer}"
        elif (found.member, found.key) != (answer.member, answer.key):
            yield f"another's: {answer} is {found}"


def overlapping(bookings: Iterable[Booking], leaves: Leaves) -> Iterator[str]:
    """Find occupying bookings that share a quarter hour of a leaf place."""
    holders: dict[tuple[int, datetime], Booking] = {}
    for booking in bookings:
        if not booking.occupies:
            continue
        cells = _cells(booking, leaves)
        for other in {holders[cell] for cell in cells if cell in holders}:
            yield f"overlap: {booking} and {other}"
        for cell in cells:
            holders.setdefault(cell, booking)


def wrong_slots(
    bookings: Iterable[Booking], slots: Iterable[Slot], leaves: Leaves
) -> Iterator[str]:
    """Find bookings whose slots aren't exactly the quarters that they occupy."""
    held: dict[int, Counter[tuple[int, datetime]]] = defaultdict(Counter)
    for slot in slots:
        held[slot.booking][slot.place, slot.at] += 1
    for booking in bookings:
        expected = Counter(_cells(booking, leaves) if booking.occupies else ())
        if (found := held.pop(booking.id, Counter())) != expected:
            yield f"slots: {booking} misses {expected - found}, has besides {found - expected}"
    for booking_id, found in held.items():
        yield f"slots of no booking: {booking_id} {found}"


def repeated(bookings: Iterable[Booking]) -> Iterator[str]:
    """Find request keys that made more than one booking."""
    made = Counter((each.member, each.key) for each in bookings if each.key is not None)
    yield from (f"key made {n} bookings: {key}" for key, n in made.items() if n > 1)


def exceeded(bookings: Iterable[Booking], quotas: Iterable[Quota], at: datetime) -> Iterator[str]:
    """Find members who have more upcoming bookings at a moment than a quota allows."""
    ahead = [each for each in bookings if each.occupies and each.ends_at > at]
    for quota in quotas:
        counted = Counter(each.member for each in ahead if _is_bound(each, quota))
        for member, n in counted.items():
            if n > quota.most:
                yield f"quota: {n} upcoming bookings of member {member}, and {quota}"


def _is_bound(booking: Booking, quota: Quota) -> bool:
    if booking.member is None or booking.place not in quota.places:
        return False
    if booking.decided_at is None or booking.decided_at <= quota.since:
        return False
    return quota.members is None or booking.member in quota.members


def contradicted(
    told: Iterable[tuple[UUID, frozenset[str]]], bookings: Iterable[Booking]
) -> Iterator[str]:
    """Find bookings in another state than the last answer about them allows.

    For example ("...", {"CANCELLED"}) for one whose cancelling was acknowledged.
    """
    states = {booking.code: booking.state for booking in bookings}
    for code, allowed in told:
        if code in states and states[code] not in allowed:
            yield f"told {sorted(allowed)}, is {states[code]}: {code}"


def unknown(answers: Iterable[Answer], bookings: Iterable[Booking]) -> Iterator[str]:
    """Find bookings that hold a place, but nobody was told of; everybody was answered."""
    told = {answer.code for answer in answers}
    for booking in bookings:
        if booking.occupies and booking.code not in told:
            yield f"nobody was told of: {booking}"


def contested(
    answers: Sequence[Answer],
    bookings: Sequence[Booking],
    *,
    rounds: int,
    members: int,
    leaves: Leaves | None = None,
) -> dict[int, list[str]]:
    """Judge rounds in which everybody wanted the same: return what is wrong, by round.

    With `leaves` they wanted places that share parts: several may have won.
    """
    by_round: dict[int, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_round[answer.round].append(answer)
    by_key = {(booking.member, booking.key): booking for booking in bookings}
    found = {n: _round(by_round[n], by_key, members, leaves) for n in range(rounds)}
    return {n: wrong for n, wrong in found.items() if wrong}


def _round(
    answers: Sequence[Answer],
    by_key: Mapping[tuple[int | None, str | None], Booking],
    members: int,
    leaves: Leaves | None,
) -> list[str]:
    wrong = []
    if len({answer.member for answer in answers}) != members or len(answers) != members:
        wrong.append(f"{len(answers)} answers for {members} members")
    told = [answer for answer in answers if answer.told in OCCUPYING]
    rows = [(answer, by_key.get((answer.member, answer.key))) for answer in answers]
    holding = [row for _, row in rows if row and row.occupies]
    if leaves is None:
        if len(told) != 1:
            wrong.append(f"{len(told)} were told that they won")
        if len(holding) != 1:
            wrong.append(f"{len(holding)} bookings occupy the place")
    else:
        wrong += overlapping(holding, leaves)
        wrong += _lost_to_nobody([row for _, row in rows if row], holding, leaves)
    for answer, row in rows:
        if answer.told == "ERROR":
            wrong.append(f"error: {answer.text}")
        elif answer.told != (row.state if row else "REFUSED"):
            wrong.append(f"{answer} but {row}")
    return wrong


def _lost_to_nobody(
    rows: Sequence[Booking], holding: Sequence[Booking], leaves: Leaves
) -> Iterator[str]:
    """Find refused bookings that nothing was in the way of."""
    taken = {cell for row in holding for cell in _cells(row, leaves)}
    if not holding:
        yield "nobody won"
    for row in rows:
        if not row.occupies and taken.isdisjoint(_cells(row, leaves)):
            yield f"refused, though it was free: {row}"


def _cells(booking: Booking, leaves: Leaves) -> list[tuple[int, datetime]]:
    """Return the quarter hours of leaf places that a booking takes, or would."""
    places = leaves.get(booking.place, [booking.place])
    return [(place, at) for place in places for at in booking.quarters]
