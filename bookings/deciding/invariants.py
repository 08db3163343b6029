"""What must always hold for all bookings, whatever happened; see `manage.py check_bookings`.

Each check only compares results of one statement. A statement sees one moment of the database,
so this can run during live bookings, locks nobody out and needs no isolation level, which databases
name differently. Rows are streamed: memory doesn't grow with the number of bookings. (A place
whose parts change while this runs may be reported; check again.)
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, Max, OuterRef, Q

from bookings.deciding import daily, pacing, schema
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.states import OCCUPYING, UNDOING, State, may_follow
from bookings.waiting import WaitingParty
from spaces import setups, triggers
from spaces.models import Place, Policy, Shift
from spaces.slots import Period, slots
from spaces.venue import leaves as leaves_of

CHUNK = 2000

#: Events after which a booking still occupies its place, in the same state.
STAYING = {
    BookingEvent.Kind.MOVED,
    BookingEvent.Kind.AMENDED,
    BookingEvent.Kind.KEPT,
    BookingEvent.Kind.EXTENDED,
}

#: Events whose name isn't that of the state they lead to.
TELLING_MORE = {BookingEvent.Kind.SEATED, BookingEvent.Kind.FORGIVEN, BookingEvent.Kind.UNDONE}


@dataclass(frozen=True)
class Violation:
    """One invariant that doesn't hold, and where."""

    invariant: str
    subject: str
    problem: str
    #: Which explanation and repair fit; see `bookings.deciding.explaining`.
    kind: str = field(default="", compare=False)
    #: The bookings that it is about.
    about: Q | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.invariant}: {self.subject}: {self.problem}"


#: What later apps check, each of its own tables. An app adds to it when it is ready.
ALSO: list[Callable[[datetime], Iterator[Violation]]] = []


def violations(*, now: datetime) -> Iterator[Violation]:
    """Yield everything that is wrong, check by check."""
    leaves = Leaves()
    yield from doubled(leaves)
    yield from wrong_slots(leaves)
    yield from left_over_slots()
    yield from wrong_leases()
    yield from wrong_holds()
    yield from wrong_events()
    yield from repeated_requests()
    yield from exceeded_quotas(now)
    yield from exceeded_days(now)
    yield from too_many_at_once(now)
    yield from unwatched_setups()
    yield from missing_constraints()
    for check in ALSO:
        yield from check(now)


class Leaves(dict[int, frozenset[int]]):
    """The places whose slots a booking takes; all are read when one isn't known yet."""

    def __missing__(self, place: int) -> frozenset[int]:
        parts: dict[int, list[int]] = defaultdict(list)
        for whole, part in Place.parts.through.objects.values_list("from_place", "to_place"):
            parts[whole].append(part)
        self.update({pk: leaves_of(parts, pk) for pk in Place.objects.values_list("pk", flat=True)})
        if place not in self:
            raise KeyError(place)
        return self[place]


def doubled(leaves: Leaves) -> Iterator[Violation]:
    """No two occupying bookings share a leaf place and an instant. Doesn't use booked slots."""
    rows = Booking.objects.occupying().order_by("starts_at", "pk")
    held: dict[int, tuple[datetime, UUID]] = {}  # for each leaf: until when, by whom
    for code, place, starts_at, ends_at in rows.values_list(
        "code", "place", "starts_at", "ends_at"
    ).iterator(CHUNK):
        before = {held[leaf] for leaf in leaves[place] if leaf in held}
        for other in {other for until, other in before if until > starts_at}:
            yield Violation(
                "doubled",
                str(code),
                f"shares a place and a time with {other}",
                "doubled",
                Q(code__in=[code, other]),
            )
        for leaf in leaves[place]:
            if leaf not in held or held[leaf][0] < ends_at:
                held[leaf] = (ends_at, code)


def wrong_slots(leaves: Leaves) -> Iterator[Violation]:
    """An occupying booking has exactly the quarter hours of its leaves."""
    rows = Booking.objects.occupying().order_by("pk")
    fields = ("pk", "code", "place", "starts_at", "ends_at")
    joined = rows.values_list(*fields, "booked_slots__place", "booked_slots__slot").iterator(CHUNK)
    for (_, code, place, starts_at, ends_at), found in groupby(joined, lambda row: row[:5]):
        rows_of = Counter((leaf, slot) for *_, leaf, slot in found if leaf is not None)
        booked = set(rows_of)
        wanted = {
            (leaf, slot) for leaf in leaves[place] for slot in slots(Period(starts_at, ends_at))
        }
        twice = {row for row, count in rows_of.items() if count > 1}
        for kind, wrong in (
            ("missing", wanted - booked),
            ("foreign", booked - wanted),
            ("stored twice", twice),
        ):
            if wrong:
                leaf, slot = min(wrong)
                problem = f"{len(wrong)} {kind}, the first of place {leaf} at {slot.isoformat()}"
                yield Violation("slots", str(code), problem, f"slots {kind}", Q(code=code))


def left_over_slots() -> Iterator[Violation]:
    """A booking that occupies nothing has no booked slots."""
    rows = BookedSlot.objects.exclude(booking__state__in=OCCUPYING)
    found = rows.values_list("booking__code", "booking__state").annotate(n=Count("pk"))
    for code, state, count in found.order_by("booking__code").iterator(CHUNK):
        problem = f"{count} left over although it is {state}"
        yield Violation("slots", str(code), problem, "slots left over", Q(code=code))


def wrong_leases() -> Iterator[Violation]:
    """A booking has a lease exactly while somebody is deciding it."""
    checking = Q(state=State.CHECKING_AVAILABILITY)
    leased = Q(lease_expires_at__isnull=False)
    rows = Booking.objects.filter((leased & ~checking) | (checking & ~leased)).order_by("pk")
    for code, state, lease in rows.values_list("code", "state", "lease_expires_at").iterator(CHUNK):
        problem = (
            f"{state} with a lease until {lease.isoformat()}"
            if lease
            else f"{state} without a lease"
        )
        yield Violation("leases", str(code), problem, "leases", Q(code=code))


def wrong_holds() -> Iterator[Violation]:
    """A place is held exactly while some party at the door may still say yes to it."""
    told = WaitingParty.objects.told().filter(booking=OuterRef("pk"))
    held = Booking.objects.filter(~Exists(told), state=State.OFFERED).order_by("pk")
    for code in held.values_list("code", flat=True).iterator(CHUNK):
        yield Violation("holds", str(code), "held for nobody", "hold", Q(code=code))
    parties = WaitingParty.objects.told().order_by("pk")
    wrong = parties.filter(Q(booking=None) | ~Q(booking__state=State.OFFERED))
    for code, booking, state in wrong.values_list(
        "code", "booking__code", "booking__state"
    ).iterator(CHUNK):
        has = f"and {booking} is {state}" if booking else "but of no table"
        about = Q(code=booking) if booking else None
        yield Violation("holds", f"party {code}", f"was told, {has}", "told", about)


def wrong_events() -> Iterator[Violation]:
    """Events are numbered from 1, follow allowed transitions, and end at the row's state."""
    rows = Booking.objects.order_by("pk", "events__sequence")
    fields = ("pk", "code", "state", "place__code", "starts_at", "ends_at", "party_size")
    event = ("events__sequence", "events__kind", "events__data")
    joined = rows.values_list(*fields, *event).iterator(CHUNK)
    for (_, code, state, *row), found in groupby(joined, lambda row: row[:7]):
        events = [
            (sequence, kind, data) for *_, sequence, kind, data in found if sequence is not None
        ]
        for problem in _problems_of_life([state, *row], events):
            yield Violation("events", str(code), problem, "events", Q(code=code))


def _problems_of_life(row: list[Any], events: list[tuple[int, str, Any]]) -> Iterator[str]:
    if [sequence for sequence, *_ in events] != list(range(1, len(events) + 1)):
        yield f"numbered {[sequence for sequence, *_ in events]}"
    if not events:
        yield "none"
        return
    try:
        told = [(kind, *_read(data)) for _, kind, data in events]
    except (KeyError, TypeError, ValueError) as error:
        yield f"unreadable: {error!r}"
        return
    kind, first, *_ = told[0]
    if kind != first or not (first == State.CREATED or may_follow(State.CREATED, first)):
        yield f"begins with {kind}, {first}"
    for (_, earlier, *_), (kind, later, *_) in pairwise(told):
        if not _follows(kind, earlier, later):
            yield f"{kind}, {later} after {earlier}"
        elif kind not in {*STAYING, *TELLING_MORE} and kind != later:
            yield f"{kind} says {later}"
    if list(told[-1][1:]) != row:
        yield f"the last says {_shown(told[-1][1:])}, the row {_shown(row)}"


def _read(data: Any) -> tuple[State, UUID, datetime, datetime, int]:
    """Return what an event remembers, in the form of the row.

    See also `bookings.words.representation`.
    """
    return (
        State(data["state"]),
        UUID(data["place"]["code"]),
        datetime.fromisoformat(data["starts_at"]),
        datetime.fromisoformat(data["ends_at"]),
        data["party_size"],
    )


def _follows(kind: str, earlier: State, later: State) -> bool:
    """Tell whether an event of this kind may lead from one state to the other."""
    stays = earlier == later and earlier in OCCUPYING
    if kind in STAYING:
        return stays
    if kind == BookingEvent.Kind.FORGIVEN:
        return earlier == later == State.NO_SHOW
    if kind == BookingEvent.Kind.UNDONE:
        return later in UNDOING.get(earlier, ())
    if kind == BookingEvent.Kind.SEATED:
        return later == State.CHECKED_IN and earlier in {State.CONFIRMED, State.CHECKED_IN}
    return not stays and may_follow(earlier, later)


def _shown(values: Any) -> str:
    return " ".join(str(value) for value in values)


def repeated_requests() -> Iterator[Violation]:
    """One request key of one member, one booking."""
    keyed = Booking.objects.filter(member__isnull=False, request_key__isnull=False)
    found = keyed.values_list("member", "request_key").annotate(n=Count("pk")).filter(n__gt=1)
    for member, key, count in found.order_by("member", "request_key").iterator(CHUNK):
        problem = f"{count} bookings of the key {key!r}"
        theirs = Q(member=member, request_key=key)
        yield Violation("request", f"member {member}", problem, "request", theirs)


def exceeded_quotas(now: datetime) -> Iterator[Violation]:
    """Nobody got more upcoming bookings than a limit allows after it was set.

    A group's or tier's quotas are left out: nobody knows when a member joined it.
    """
    policy = "place__space__policies__"
    limited = Q(
        **{
            f"{policy}max_upcoming__isnull": False,
            f"{policy}group__isnull": True,
            f"{policy}tier__isnull": True,
            f"{policy}shift__isnull": True,
            f"{policy}changed_at__lt": F("decided_at"),
        }
    ) & (Q(**{f"{policy}kind": ""}) | Q(**{f"{policy}kind": F("place__kind")}))
    rows = Booking.objects.upcoming(now).filter(limited, member__isnull=False).order_by()
    # Compared by alias: naming the policy's column again would join all policies again.
    counted = rows.annotate(limit=F(f"{policy}max_upcoming")).values(
        "member", f"{policy}pk", "limit"
    )
    exceeded = counted.annotate(n=Count("pk")).filter(n__gt=F("limit"))
    for member, pk, limit, count in exceeded.values_list(
        "member", f"{policy}pk", "limit", "n"
    ).iterator(CHUNK):
        problem = f"{count} upcoming bookings, and policy {pk} allows {limit}"
        theirs = Q(
            member=member,
            place__space__policies=pk,
            state__in=OCCUPYING,
            ends_at__gt=now,
        )
        yield Violation("quota", f"member {member}", problem, "quota", theirs)


def exceeded_days(now: datetime) -> Iterator[Violation]:
    """Nobody got more hours of a local day than a limit allows after it was set.

    Left out as in `exceeded_quotas`; and what the house let last longer, or kept against the rules.
    """
    limited = Policy.objects.filter(max_minutes_per_day__isnull=False, group=None, tier=None)
    for policy in limited.select_related("space").order_by("pk"):
        rows = Booking.objects.upcoming(now).in_space(policy.space).order_by()
        rows = rows.filter(member__isnull=False, decided_at__gt=policy.changed_at)
        rows = rows.exclude(events__kind__in=[BookingEvent.Kind.KEPT, BookingEvent.Kind.EXTENDED])
        if policy.kind:
            rows = rows.filter(place__kind=policy.kind)
        found = rows.values_list("member", "starts_at", "ends_at").iterator(CHUNK)
        most = timedelta(minutes=policy.max_minutes_per_day or 0)
        for (member, day), total in sorted(daily.totals(policy.space.zone, found).items()):
            if total > most:
                problem = f"{total} on {day}, and policy {policy.pk} allows {most}"
                theirs = Q(member=member, place__space=policy.space_id, state__in=OCCUPYING)
                yield Violation("hours", f"member {member}", problem, "hours", theirs)


def too_many_at_once(now: datetime) -> Iterator[Violation]:
    """No quarter hour of a shift begins with more people than its limits allowed when they booked.

    Bookings from before the shift's last change are left out, those that a change of set-up
    moved or kept against the rules, and whom the staff let in all the same.
    """
    paced = Shift.objects.filter(
        Q(covers_online__isnull=False) | Q(covers_in_house__isnull=False)
    ).order_by()
    for space in sorted(set(paced.values_list("space", flat=True))):
        before = setups.current(space)
        changed = paced.filter(space=space).aggregate(last=Max("changed_at"))["last"]
        if changed is None:
            continue
        rows = Booking.objects.upcoming(now).filter(place__space=space, decided_at__gt=changed)
        rows = rows.exclude(events__kind=BookingEvent.Kind.KEPT)
        rows = rows.exclude(Exists(pacing.let_in().filter(booking=OuterRef("pk"))))
        found = rows.order_by().values_list("starts_at", "channel", "party_size")
        problems = pacing.exceeded(before.venue((), now), found.iterator(CHUNK))
        if setups.current(space).stamp == before.stamp:  # otherwise it changed meanwhile
            for problem in problems:
                yield Violation("pacing", str(before.space), problem, "pacing")


def unwatched_setups() -> Iterator[Violation]:
    """Every change of a set-up is told to the processes that keep it: no trigger is missing."""
    for name in triggers.missing(connection):
        yield Violation("set-up", name, "this trigger is missing: run manage.py migrate", "set-up")


def missing_constraints() -> Iterator[Violation]:
    """Every constraint and index that the models ask for is in the database, and holds."""
    for name in schema.missing(connection):
        yield Violation("schema", name, "the database lacks this constraint or index", "schema")
