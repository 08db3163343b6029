"""A run as it is judged: its history, put together with the rows that it left."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from chaos.checker import OCCUPYING
from chaos.history import Act, Fault, Heard
from chaos.judging.tables import Row, Tables

MAKING = frozenset({"book", "queue"})
CHANGING = frozenset({"amend", "cancel"})
READING = frozenset({"board", "search", "history"})
UNDECIDED = frozenset({"CREATED", "CHECKING_AVAILABILITY"})
REFUSED = "REFUSED"


@dataclass
class Story:
    """One booking: who asked for it, what was asked of it since, and the row it became."""

    code: str
    row: Row | None = None
    made: Act | None = None
    changes: list[Act] = field(default_factory=list)

    @property
    def amended(self) -> list[Act]:
        """Amendments that took place, or may have."""
        return [act for act in self.changes if act.kind == "amend" and may_be_done(act)]

    @property
    def cancelled(self) -> list[Act]:
        """Cancellations that took place, or may have."""
        return [act for act in self.changes if act.kind == "cancel" and may_be_done(act)]

    def __str__(self) -> str:
        if self.row is None:
            return f"booking {self.code}"
        row = self.row.booking
        return f"booking {self.code} of {self.row.login} ({row.state}, {spot(row.place, row)})"


@dataclass
class Run:
    """What is judged."""

    tables: Tables
    acts: list[Act] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @classmethod
    def of(cls, lines: Iterable[Act | Heard | Fault], tables: Tables) -> "Run":
        run = cls(tables)
        for line in lines:
            if isinstance(line, Heard):
                run.heard.append(line)
            elif isinstance(line, Fault):
                run.faults.append(line)
            elif line.tries:
                run.acts.append(line)
        return run

    @cached_property
    def began(self) -> float:
        return min((act.began for act in self.acts), default=0.0)

    @cached_property
    def ended(self) -> float:
        return max((each.ended for act in self.acts for each in act.tries), default=0.0)

    @cached_property
    def by_key(self) -> dict[tuple[str | None, str | None], Row]:
        return {(row.login, row.booking.key): row for row in self.tables.rows if row.booking.key}

    @cached_property
    def by_code(self) -> dict[str, Row]:
        return {row.code: row for row in self.tables.rows}

    @cached_property
    def stories(self) -> dict[str, Story]:
        """Return every booking that is in the database or that an answer named, by its code."""
        found = {code: Story(code, row) for code, row in self.by_code.items()}
        for act in self.acts:
            if act.kind in READING:
                continue
            if not (code := self.code_of(act)):
                continue
            story = found.setdefault(code, Story(code))
            if act.kind in CHANGING:
                story.changes.append(act)
            else:
                story.made = story.made or act
        return found

    def code_of(self, act: Act) -> str:
        """Return the booking an act is about; by its key, where nobody was told the code."""
        if act.code:
            return act.code.lower()
        if act.kind in MAKING and (row := self.by_key.get((act.member, act.key))):
            return row.code
        return ""


def was_told(act: Act) -> bool:
    """Tell whether somebody was told of a booking, and not that there is none."""
    return bool(act.told) and act.told not in (REFUSED, "READ")


def may_be_done(act: Act) -> bool:
    """Tell whether an act took place, or may have: nobody knows what became of an unclear try."""
    return act.told != REFUSED or not all(each.is_clear for each in act.tries)


def is_done(act: Act) -> bool:
    """Tell whether an act was acknowledged."""
    if act.kind == "cancel":
        return act.told == "CANCELLED"
    return act.told in OCCUPYING


def instant(text: str) -> datetime | None:
    """Read a time of a history."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def clock(at: float) -> str:
    """Write a moment of a history."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f}"[:-3]


def spot(place: int, period: object) -> str:
    """Write a place and a time, of an act or of a row."""
    starts_at, ends_at = getattr(period, "starts_at", ""), getattr(period, "ends_at", "")
    if isinstance(starts_at, str):
        return f"place {place}, {starts_at} to {ends_at}"
    return f"place {place}, {starts_at:%Y-%m-%dT%H:%M} to {ends_at:%H:%M}Z"


def brief(act: Act) -> str:
    """Write an act, for a sentence that says what is wrong with it."""
    tries = f", {len(act.tries)} tries" if len(act.tries) > 1 else ""
    asked = f" {spot(act.place, act)}" if act.place else ""
    about = f" of {act.code or act.key}"
    told = act.told or "nothing"
    return f"{act.member}'s {act.kind}{about}{asked} at {clock(act.began)}{tries}, told {told}"


def by_space(tables: Tables) -> dict[int, list[int]]:
    """Return the places of each space."""
    found: dict[int, list[int]] = defaultdict(list)
    for pk, place in tables.places.items():
        found[place.space].append(pk)
    return found
