"""Who had which place when, as far as the order of requests and answers tells.

Nobody outside sees the moment at which a request takes place: it lies between its first try and
its answer. So each hold of a place has four times: it was gained between `since` and
`surely_since`, and given back between `surely_until` and `until`. See docs/decisions/0018.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf

from chaos.checker import OCCUPYING, QUARTER
from chaos.history import Act
from chaos.judging.run import MAKING, UNDECIDED, Run, Story, clock, instant, is_done, may_be_done

#: Nodes' clocks may differ by so many seconds.
SKEW = 300

Cell = tuple[int, datetime]


@dataclass(frozen=True)
class Hold:
    """One booking at one place and time, from gaining it until it was given back."""

    code: str  # of the booking
    member: str | None
    place: int
    starts_at: datetime
    ends_at: datetime
    since: float
    surely_since: float  # infinity: perhaps it never was
    surely_until: float
    until: float

    @property
    def is_sure(self) -> bool:
        return self.surely_since < inf

    def cells(self, leaves: dict[int, list[int]]) -> Iterator[Cell]:
        """Return the quarter hours of leaf places that it takes."""
        quarters = (self.ends_at - self.starts_at) // QUARTER
        for place in leaves.get(self.place, [self.place]):
            for n in range(quarters):
                yield place, self.starts_at + n * QUARTER

    def __str__(self) -> str:
        sure = f"{_shown(self.surely_since)} to {_shown(self.surely_until)}"
        period = f"{self.starts_at:%Y-%m-%dT%H:%M} to {self.ends_at:%H:%M}Z"
        return f"{self.member}'s {self.code} (place {self.place}, {period}; surely {sure})"


def _shown(at: float) -> str:
    return clock(at) if abs(at) < inf else ("the end" if at > 0 else "the beginning")


def of(run: Run) -> list[Hold]:
    """Return all holds that bookings had, or may have had."""
    found: list[Hold] = []
    for story in run.stories.values():
        if (first := _first(run, story)) is not None:
            found.append(first)
        member = story.row.login if story.row else None
        for act in story.amended:
            found += _gained(story, act, member or act.member, story.changes)
    for act in run.acts:
        if act.kind in MAKING | {"amend"} and not all(each.is_clear for each in act.tries):
            found += _attempt(act)
    return found


def _first(run: Run, story: Story) -> Hold | None:
    """Return the hold that a booking began with; None if it was refused or isn't decided."""
    row, made = story.row, story.made
    if row and row.state in UNDECIDED | {"REJECTED"}:
        return None
    if made:
        if made.told in ("REFUSED", "REJECTED"):
            return None
        held = _gained(story, made, made.member, story.changes)
        return held[0] if held else None
    events = run.tables.events.get(row.booking.id) if row else None
    if row is None or not events:
        return None
    codes = {place.code: pk for pk, place in run.tables.places.items()}
    place = codes.get(events[0].place, row.booking.place)
    was_there = row.created_at < run.began - SKEW
    return Hold(
        story.code,
        row.login,
        place,
        events[0].starts_at,
        events[0].ends_at,
        -inf,
        -inf if was_there and row.state in OCCUPYING else inf,
        _surely_until(None, story.changes, events[0].ends_at),
        _until(None, story.changes),
    )


def _gained(story: Story, act: Act, member: str, changes: Sequence[Act]) -> list[Hold]:
    starts_at, ends_at = instant(act.starts_at), instant(act.ends_at)
    if not (act.place and starts_at and ends_at):
        return []
    # A change that was acknowledged shows that the booking had been made before.
    known = [act.ended] if is_done(act) else []
    if act is story.made:
        known += [change.ended for change in changes if is_done(change)]
    return [
        Hold(
            story.code,
            member,
            act.place,
            starts_at,
            ends_at,
            act.began,
            min(known, default=inf),
            max(act.began, _surely_until(act, changes, ends_at)),
            _until(act, changes, is_first=act is story.made),
        )
    ]


def _surely_until(act: Act | None, changes: Iterable[Act], ends_at: datetime) -> float:
    """Return the first moment at which the place may have been given back."""
    began = act.began if act else -inf
    ending = [
        change.began
        for change in changes
        if change is not act and may_be_done(change) and change.ended >= began
    ]
    return min([*ending, ends_at.timestamp() - SKEW])


def _until(act: Act | None, changes: Iterable[Act], *, is_first: bool = True) -> float:
    """Return the first moment at which the place has been given back for sure."""
    ended = act.ended if act else -inf
    ending = [
        change.ended
        for change in changes
        if change is not act
        and is_done(change)
        and (is_first or change.kind == "cancel" or change.began >= ended)
    ]
    return min(ending, default=inf)


def _attempt(act: Act) -> list[Hold]:
    """Return what a request without a clear answer may have held before it failed."""
    starts_at, ends_at = instant(act.starts_at), instant(act.ends_at)
    if not (act.place and starts_at and ends_at):
        return []
    name = act.code or f"attempt {act.key}"
    return [
        Hold(name, act.member, act.place, starts_at, ends_at, act.began, inf, act.began, act.ended)
    ]


class Index:
    """The holds of each quarter hour of each leaf place."""

    def __init__(self, holds: Iterable[Hold], leaves: dict[int, list[int]]) -> None:
        self.leaves = leaves
        self.by_cell: dict[Cell, list[Hold]] = defaultdict(list)
        for hold in holds:
            for cell in hold.cells(leaves):
                self.by_cell[cell].append(hold)

    def overlapping(self, place: int, starts_at: datetime, ends_at: datetime) -> Iterator[Hold]:
        """Yield the holds that share a quarter hour with this, some of them repeatedly."""
        asked = Hold("", None, place, starts_at, ends_at, 0, 0, 0, 0)
        for cell in asked.cells(self.leaves):
            yield from self.by_cell.get(cell, ())


def at_once(index: Index) -> Iterator[tuple[Hold, Hold]]:
    """Find two bookings that both had a place, in whatever order their requests took place.

    One of them must have given it back before the other gained it: neither can be, if each was
    surely still there when the other was there at the latest.
    """
    found = set()
    for holds in index.by_cell.values():
        there: list[Hold] = []
        for hold in sorted((h for h in holds if h.is_sure), key=lambda h: h.surely_since):
            there = [other for other in there if other.surely_until > hold.surely_since]
            for other in there:
                if other.code != hold.code and hold.surely_until > other.surely_since:
                    found.add((other, hold))
            there.append(hold)
    yield from sorted(found, key=lambda pair: pair[1].surely_since)


def doubled(run: Run, index: Index) -> Iterator[str]:
    """Say which two bookings had one place at one time; not those that still have it."""
    for one, other in at_once(index):
        if not (_is_left(one, run) and _is_left(other, run)):
            yield f"both had it: {one} and {other}"


def _is_left(hold: Hold, run: Run) -> bool:
    row = run.by_code.get(hold.code)
    if row is None or not row.booking.occupies:
        return False
    left = row.booking.place, row.booking.starts_at, row.booking.ends_at
    return left == (hold.place, hold.starts_at, hold.ends_at)


def unjustified(run: Run, index: Index) -> Iterator[str]:
    """Find refusals of a place as taken at times when nobody can have had it."""
    for act, since, until in _refusals(run):
        starts_at, ends_at = instant(act.starts_at), instant(act.ends_at)
        if not (act.place and starts_at and ends_at):
            continue
        mine = {run.code_of(act), f"attempt {act.key}"}
        holds = index.overlapping(act.place, starts_at, ends_at)
        if not any(h.since <= until and h.until >= since and h.code not in mine for h in holds):
            asked = f"place {act.place}, {act.starts_at} to {act.ends_at}"
            shown = f"between {_shown(since)} and {_shown(until)}"
            yield f"{act.member} was told that {asked} is taken {shown}, but nobody had it"


def _refusals(run: Run) -> Iterator[tuple[Act, float, float]]:
    """Yield the acts that were refused because of somebody else, and when that was decided.

    Any try may have been the one that decided: refusals are kept, and answered again.
    """
    for act in run.acts:
        row = run.by_code.get(run.code_of(act)) if act.kind in MAKING else None
        if row and row.state == "REJECTED" and "slot_taken" in row.problems:
            yield act, act.began, inf if act.kind == "queue" else act.ended
        elif act.told == "REFUSED" and "slot_taken" in act.text:
            yield act, act.began, act.ended


def sure_at(holds: Iterable[Hold], since: float, until: float) -> Iterator[Hold]:
    """Yield the holds that surely lasted from one moment to the other."""
    return (h for h in holds if h.surely_since <= since and h.surely_until >= until)
