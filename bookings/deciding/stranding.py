"""What a change of set-up would strand: bookings that no longer fit, and what happens to them.

Hours, a zone, places, policies, groups, accounts: anything that changes them does so in `changing`.
It checks every booking that the change may affect before and after, and raises a question, so that
everything is rolled back, until an answer says what to do with those that no longer fit.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding import clocks, rules
from bookings.deciding.errors import BookingError
from bookings.deciding.rules import Problem
from bookings.deciding.standing import Standing, survey
from bookings.deciding.steps import take_slots
from bookings.deciding.transitions import cancel_all, record_all
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.querysets import BookingQuerySet
from spaces.models import Space
from spaces.services import lock_setup


class Choice(StrEnum):
    """What to do with bookings that no longer fit."""

    KEEP = "keep"
    CANCEL = "cancel"


class Clock(StrEnum):
    """What a booking keeps when its space's zone changes."""

    WALL = "wall"
    INSTANT = "instant"


@dataclass(frozen=True)
class Answer:
    """A person's decision about the bookings that were `shown` (None: about all there are)."""

    shown: Collection[UUID] | None = ()
    choice: Choice | None = None
    reason: str = ""
    clock: Clock | None = None

    def is_about(self, standings: Iterable["Standing"]) -> bool:
        if self.shown is None:
            return True
        return {standing.booking.code for standing in standings} <= set(self.shown)


UNANSWERED = Answer()

#: The spaces whose bookings are being watched: they need no other guard.
_watched: ContextVar[Collection[int]] = ContextVar("watched", default=())


def is_watched(space: int) -> bool:
    return space in _watched.get()


@dataclass(frozen=True)
class Scope:
    """Whose bookings a change may affect: those in spaces, and those of people."""

    spaces: Collection[int] = ()
    people: Collection[int] = ()

    def lock(self) -> None:
        """Keep new bookings waiting, in lock order: people, then places."""
        people = User.objects.filter(pk__in=self.people).order_by("pk")
        list(people.select_for_update(no_key=True).values_list("pk"))
        if self.spaces:
            lock_setup(*self.spaces)

    def upcoming(self, now: datetime) -> BookingQuerySet[Booking]:
        found: Any = Booking.objects.upcoming(now)
        touched: BookingQuerySet[Booking] = found.touched_by(spaces=self.spaces, people=self.people)
        return touched


@dataclass(frozen=True)
class Stranded:
    """A booking as it was before the change, and why it doesn't fit afterwards."""

    booking: Booking
    zone: ZoneInfo
    problems: tuple[Problem, ...]
    after: Standing

    @property
    def must_go(self) -> bool:
        return any(problem.code == "parts_taken" for problem in self.problems)


class Question(BookingError):
    """The change is waiting for a person's answer about `found`; everything must be rolled back."""

    code = "strands_bookings"

    def __init__(self, found: Collection[Stranded]) -> None:
        super().__init__(_("Some bookings would not fit this change; nothing has been changed."))
        self.found = list(found)


class WhichClock(Question):
    """The zone changes: do bookings keep the time on the clock, or their instant?"""


class WhatBecomes(Question):
    """Bookings no longer fit: are they kept as they are, or cancelled?"""


@dataclass
class Outcome:
    """What happened to bookings."""

    moved: int = 0
    kept: int = 0
    cancelled: int = 0


@dataclass(frozen=True)
class Act:
    """Who is changing the set-up, when, and what they answered."""

    by: User | None
    now: datetime
    answer: Answer = field(default=UNANSWERED)


@contextmanager
def changing(scope: Scope, act: Act) -> Iterator[Outcome]:
    """Change a set-up inside this block, in a transaction.

    Raises a Question at the end, before anything else is done, when bookings no longer fit and the
    answer doesn't cover all of them.
    """
    scope.lock()
    before = survey(scope.upcoming(act.now), now=act.now)
    zones = dict(Space.objects.filter(pk__in=scope.spaces).values_list("pk", "time_zone"))
    outcome = Outcome()
    token = _watched.set(scope.spaces)
    try:
        yield outcome
    finally:
        _watched.reset(token)
    if act.answer.clock != Clock.INSTANT:
        clocks.keep_closures(zones, now=act.now)
    _settle(scope, before, act, outcome)


def foresee(space: Space, change: Callable[[], object], act: Act) -> list[Stranded]:
    """Make a change, look which bookings would no longer fit, and take it back."""
    found: list[Stranded] = []
    with transaction.atomic():
        try:
            with changing(Scope(spaces=[space.pk]), Act(by=act.by, now=act.now)):
                change()
        except Question as question:
            found = question.found
        transaction.set_rollback(True)
    return found


def _settle(scope: Scope, before: Mapping[int, Standing], act: Act, outcome: Outcome) -> None:
    """Compare with the state after the change; ask, or carry out the answer."""
    answer = act.answer
    after = survey(scope.upcoming(act.now), now=act.now)
    if not any(_differs(pk, before, after) for pk in after):
        return
    # From here on nobody can cancel or move one of them: we settle exactly what we ask about.
    list(scope.upcoming(act.now).order_by("pk").select_for_update(no_key=True).values_list("pk"))
    after = survey(scope.upcoming(act.now), now=act.now)
    moved = {pk for pk in after if pk in before and clocks.differ(before[pk], after[pk])}
    if moved and (answer.clock is None or not answer.is_about(after[pk] for pk in moved)):
        raise WhichClock([_stranded(pk, before, after) for pk in after if pk in moved])
    extra: dict[int, Problem] = {}
    if moved and answer.clock == Clock.WALL:
        extra = clocks.keep_walls(moved, before, after, by=act.by, now=act.now)
        outcome.moved = len(moved) - len(extra)
        after = survey(scope.upcoming(act.now), now=act.now)
    extra |= _take_new_parts(before, after)
    lines = [_stranded(pk, before, after, extra) for pk in after]
    gone = _answered([line for line in lines if line.problems], act)
    outcome.cancelled = len(gone)
    kept = []
    for line in lines:
        codes = [problem.code for problem in line.problems]
        if line.booking.pk in moved and answer.clock == Clock.INSTANT:
            codes.insert(0, "zone_moved")
        if codes and line.booking.pk not in gone:
            kept.append((line.after.booking, codes))
    record_all(BookingEvent.Kind.KEPT, kept, by=act.by, now=act.now)
    outcome.kept = len(kept)


def _differs(pk: int, before: Mapping[int, Standing], after: Mapping[int, Standing]) -> bool:
    if pk not in before:
        return bool(after[pk].problems)
    earlier, later = before[pk], after[pk]
    return (
        bool(later.problems.keys() - earlier.problems.keys())
        or earlier.leaves != later.leaves
        or clocks.differ(earlier, later)
    )


def _stranded(
    pk: int,
    before: Mapping[int, Standing],
    after: Mapping[int, Standing],
    extra: Mapping[int, Problem] = MappingProxyType({}),
) -> Stranded:
    """Return a booking with its new problems; without any it isn't stranded."""
    earlier, later = before.get(pk, after[pk]), after[pk]
    known = before[pk].problems if pk in before else {}
    problems = [problem for code, problem in later.problems.items() if code not in known]
    if pk in extra:
        problems.append(extra[pk])
    return Stranded(earlier.booking, earlier.zone, tuple(problems), later)


def _take_new_parts(
    before: Mapping[int, Standing], after: Mapping[int, Standing]
) -> dict[int, Problem]:
    """Give bookings of places with new parts the slots of those parts, first come, first served.

    The constraint decides who gets them; a booking that doesn't is left without, and has to go.
    """
    changed = sorted(pk for pk in after if pk in before and before[pk].leaves != after[pk].leaves)
    BookedSlot.objects.filter(booking__in=changed).delete()
    found = {}
    for pk in changed:
        is_free = take_slots(after[pk].booking, after[pk].leaves)
        code = "parts_changed" if is_free else "parts_taken"
        found[pk] = Problem(code, rules.reason(code))
    return found


def _answered(stranded: Collection[Stranded], act: Act) -> set[int]:
    """Carry out the answer for stranded bookings; return the keys of the cancelled ones."""
    if not stranded:
        return set()
    answer = act.answer
    if answer.choice is None or not answer.is_about(line.after for line in stranded):
        raise WhatBecomes(stranded)
    gone: set[int] = set()
    if answer.choice == Choice.CANCEL:
        bookings = [line.after.booking for line in stranded]
        cancelled = cancel_all(bookings, by=act.by, now=act.now, reason=answer.reason)
        gone = {booking.pk for booking in cancelled}
    if any(line.must_go and line.booking.pk not in gone for line in stranded):
        raise WhatBecomes(stranded)
    return gone


def unfit(*, now: datetime) -> Iterator[Standing]:
    """Yield upcoming bookings that the current set-up would not allow, space by space."""
    for space in Space.objects.order_by("pk").values_list("pk", flat=True):
        for standing in survey(Scope(spaces=[space]).upcoming(now), now=now).values():
            if standing.problems:
                yield standing
