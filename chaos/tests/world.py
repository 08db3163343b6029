"""A booking site of some lines, with members who use it at the same time, and mistakes to plant.

Time is simulated. A request takes place at some moment between its first try and its answer, in one
step, unless the site has the `bug` that a test wants to be found.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chaos.checker import OCCUPYING, QUARTER, Booking, Quota, Slot
from chaos.history import Act, Heard, Try
from chaos.judging.run import Run
from chaos.judging.tables import Endpoint, Event, Place, Row, Tables

START = 1_796_000_000.0  # in 2026
NINE = datetime(2026, 12, 20, 9, tzinfo=UTC)
PLACES = {n: Place(str(UUID(int=n)), 2 if n == 4 else 1) for n in (1, 2, 3, 4, 9)}
LEAVES = {9: [1, 2]}
KINDS = ["book"] * 3 + ["queue"] + ["amend", "cancel", "board"] * 2
MEMBERS = {f"m{n}": n for n in range(1, 6)}
QUOTA = Quota(3, frozenset({1, 2, 3, 9}), None, datetime.fromtimestamp(START - 900, UTC))
HOOK = Endpoint(1, "hook", 1, (), True, START - 900, True)
CANCELS = Endpoint(2, "cancels", 1, ("CANCELLED",), True, START - 900, True)
KAFKA = Endpoint(3, "kafka", None, (), True, START - 900, True)


@dataclass
class Kept:
    """A booking as the site keeps it."""

    id: int
    member: str
    key: str | None
    place: int
    starts_at: datetime
    ends_at: datetime
    state: str
    created_at: float
    problems: tuple[str, ...] = ()

    @property
    def code(self) -> str:
        return str(UUID(int=1000 + self.id))

    @property
    def cells(self) -> set[tuple[int, datetime]]:
        return cells(self.place, self.starts_at, self.ends_at)


def cells(place: int, starts_at: datetime, ends_at: datetime) -> set[tuple[int, datetime]]:
    quarters = [starts_at + n * QUARTER for n in range((ends_at - starts_at) // QUARTER)]
    return {(leaf, at) for leaf in LEAVES.get(place, [place]) for at in quarters}


@dataclass
class World:
    seed: int
    bug: str = ""
    acts: int = 150
    now: float = START
    kept: list[Kept] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    told: list[Act] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    slots: dict[tuple[int, datetime], int] = field(default_factory=dict)
    answers: dict[str, dict[str, object]] = field(default_factory=dict)  # by key
    mine: dict[str, list[str]] = field(default_factory=dict)  # what members know they have

    def __post_init__(self) -> None:
        self.rng, self.agenda, self.number = random.Random(self.seed), [], 0

    def live(self) -> Run:
        """Let everybody do something until enough was done; return what is left to judge."""
        self.now = START - 4000
        for number in (1, 2):
            self.kept.append(self.booking("m5", None, 4, number, self.now))
            self.occupy(self.kept[-1])
            self.record(self.kept[-1], "CONFIRMED")
        self.now = START
        for member in MEMBERS:
            self.later(self.rng.random(), lambda member=member: self.act(member))
        while self.agenda:
            self.now, _, step = heapq.heappop(self.agenda)
            step()
        return Run.of([*self.told, *self.heard], self.tables())

    def later(self, seconds: float, step: Callable[[], None]) -> None:
        self.number += 1
        heapq.heappush(self.agenda, (self.now + seconds, self.number, step))

    # --- Members ----------------------------------------------------------------------------------

    def act(self, member: str) -> None:
        """Begin something, and something else after its answer."""
        if self.number > self.acts * 4:
            return
        kind = self.rng.choice(KINDS)
        mine = self.mine.get(member, [])
        if kind in ("amend", "cancel") and not mine:
            kind = "book"
        place = self.rng.choice([1, 1, 2, 3, 9])
        starts_at = NINE + self.rng.randrange(28) * QUARTER
        ends_at = starts_at + self.rng.randrange(1, 5) * QUARTER
        if kind == "board":
            starts_at, ends_at = NINE, NINE + timedelta(hours=9)
        code = self.rng.choice(mine) if kind in ("amend", "cancel") else ""
        if kind == "cancel":
            place = 0
        asked = Act(
            member,
            kind,
            "api",
            [],
            "",
            key=f"k{self.number}",
            code=code,
            place=place,
            starts_at=starts_at.isoformat() if place else "",
            ends_at=ends_at.isoformat() if place else "",
        )
        self.attempt(asked, ())

    def attempt(self, asked: Act, tries: tuple[Try, ...]) -> None:
        """Send a request: it may get lost on its way, or its answer may, and is sent again."""
        at, fate = self.now, self.rng.random()
        takes = self.rng.uniform(0.01, 3)
        answer: dict[str, object] = {}

        def happen() -> None:
            if asked.kind != "amend":
                answer.update(getattr(self, asked.kind)(asked))
                return
            # Its answer is kept: a try that comes later gets the same, whatever is true by then.
            if asked.key not in self.answers:
                self.answers[asked.key] = self.amend(asked)
            answer.update(self.answers[asked.key])

        def answered() -> None:
            good = fate >= 0.15
            status = 409 if answer.get("told") == "REFUSED" else 200
            done = (*tries, Try(at, self.now - at, status if good else self.rng.choice([0, 503])))
            if good or len(done) == 3:
                told = answer if good else {}
                self.finish(replace(asked, tries=list(done), **{"told": "", **told}))
            else:
                self.later(0.2, lambda: self.attempt(asked, done))

        if fate >= 0.07:
            self.later(self.rng.uniform(0, takes), happen)
        self.later(takes, answered)

    def finish(self, act: Act) -> None:
        self.told.append(act)
        mine = self.mine.setdefault(act.member, [])
        if act.kind in ("book", "queue") and act.told in ("CONFIRMED", "CREATED"):
            mine.append(act.code)
        if act.kind == "cancel" and act.told == "CANCELLED" and act.code in mine:
            mine.remove(act.code)
        self.later(self.rng.uniform(0, 2), lambda: self.act(act.member))

    # --- The site ---------------------------------------------------------------------------------

    def is_wrong(self, bug: str, chance: float = 0.5) -> bool:
        """Tell whether the mistake happens this time."""
        return self.bug == bug and self.rng.random() < chance

    def booking(self, member: str, key: str | None, place: int, n: int, at: float) -> Kept:
        starts_at = NINE + n * timedelta(hours=1)
        number = len(self.kept) + 1
        return Kept(number, member, key, place, starts_at, starts_at + QUARTER, "CONFIRMED", at)

    def book(self, asked: Act) -> dict[str, object]:
        earlier = [b for b in self.kept if (b.member, b.key) == (asked.member, asked.key)]
        if earlier and self.bug != "key ignored":
            return self.answer(earlier[0])
        if self.is_wrong("answer before commit", 0.2):
            return {"told": "CONFIRMED", "code": str(UUID(int=self.rng.getrandbits(100)))}
        kept = self.insert(asked)
        if self.upcoming(asked.member) >= 3 and not self.is_wrong("quota forgotten"):
            return {"told": "REFUSED", "text": "too_many_upcoming"}
        self.decide(kept)
        if self.is_wrong("refused but kept", 0.2):
            return {"told": "REFUSED", "text": "slot_taken"}
        if self.is_wrong("another's key"):
            kept.key = f"{kept.key}?"
        if self.is_wrong("elsewhere"):
            kept.starts_at, kept.ends_at = kept.starts_at + QUARTER, kept.ends_at + QUARTER
        return self.answer(kept)

    def insert(self, asked: Act) -> Kept:
        starts_at, ends_at = map(datetime.fromisoformat, (asked.starts_at, asked.ends_at))
        where = (asked.place, starts_at, ends_at)
        key = None if self.bug == "key ignored" else asked.key
        return Kept(len(self.kept) + 1, asked.member, key, *where, "CREATED", self.now)

    def upcoming(self, member: str) -> int:
        counted = QUOTA.places
        return sum(
            b.member == member and b.state in OCCUPYING and b.place in counted for b in self.kept
        )

    def decide(self, kept: Kept) -> None:
        if kept not in self.kept:
            self.kept.append(kept)
        is_taken = not kept.cells.isdisjoint(self.slots)
        if is_taken and self.is_wrong("constraint dropped"):
            is_taken = False
        if not is_taken and self.is_wrong("phantom", 0.3):
            is_taken = True
        kept.state = "REJECTED" if is_taken else "CONFIRMED"
        kept.problems = ("slot_taken",) if is_taken else ()
        if not is_taken:
            self.occupy(kept)
        self.record(kept, kept.state)

    def answer(self, kept: Kept) -> dict[str, object]:
        if kept.state == "REJECTED":
            return {"told": "REFUSED", "text": " ".join(kept.problems), "code": kept.code}
        return {"told": kept.state, "code": kept.code}

    def queue(self, asked: Act) -> dict[str, object]:
        earlier = [b for b in self.kept if (b.member, b.key) == (asked.member, asked.key)]
        if earlier:
            return self.answer(earlier[0])
        kept = self.insert(asked)
        self.kept.append(kept)
        self.record(kept, "CREATED")
        if not self.is_wrong("never decided"):
            self.later(self.rng.uniform(0, 2), lambda: self.work(kept))
        return {"told": "CREATED", "code": kept.code}

    def work(self, kept: Kept) -> None:
        kept.state = "CHECKING_AVAILABILITY"
        self.record(kept, kept.state)
        if self.upcoming(kept.member) >= 3:
            kept.state, kept.problems = "REJECTED", ("too_many_upcoming",)
            self.record(kept, "REJECTED")
        else:
            self.decide(kept)

    def of_code(self, code: str) -> Kept | None:
        return next((kept for kept in self.kept if kept.code == code), None)

    def amend(self, asked: Act) -> dict[str, object]:
        kept, wanted = self.of_code(asked.code), self.insert(asked)
        there = (wanted.place, wanted.starts_at, wanted.ends_at)
        if kept is None or kept.state != "CONFIRMED":
            return {"told": "REFUSED", "text": "wrong_state"}
        if there == (kept.place, kept.starts_at, kept.ends_at):
            return {"told": "CONFIRMED"}
        others = {cell for cell, owner in self.slots.items() if owner != kept.id}
        if not wanted.cells.isdisjoint(others):
            return {"told": "REFUSED", "text": "slot_taken"}
        if self.is_wrong("amendment lost"):
            return {"told": "CONFIRMED"}
        self.leave(kept)
        kept.place, kept.starts_at, kept.ends_at = there
        self.occupy(kept)
        self.record(kept, "MOVED")
        if self.is_wrong("refused but moved"):
            return {"told": "REFUSED", "text": "slot_taken"}
        return {"told": "CONFIRMED"}

    def cancel(self, asked: Act) -> dict[str, object]:
        kept = self.of_code(asked.code)
        if kept and kept.state == "CANCELLED":
            return {"told": "CANCELLED"}
        if kept is None or kept.state != "CONFIRMED":
            return {"told": "REFUSED", "text": "wrong_state"}
        if self.is_wrong("not cancelled"):
            return {"told": "CANCELLED"}
        kept.state = "CANCELLED"
        if not self.is_wrong("slots forgotten"):
            self.leave(kept)
        self.record(kept, "CANCELLED")
        if self.is_wrong("refused but cancelled"):
            return {"told": "REFUSED", "text": "too_late"}
        return {"told": "CANCELLED"}

    def board(self, asked: Act) -> dict[str, object]:
        theirs = [b for b in self.kept if b.state in OCCUPYING and PLACES[b.place].space == 1]
        own = [b.code for b in theirs if b.member == asked.member]
        if self.is_wrong("another's board"):
            own = [b.code for b in theirs]
        if self.is_wrong("old board"):
            own = own[:-1]
        if self.is_wrong("cancelled on board"):
            own += [b.code for b in self.kept if b.member == asked.member]
        return {"told": "READ", "own": own}

    # --- What it leaves ---------------------------------------------------------------------------

    def occupy(self, kept: Kept) -> None:
        self.slots |= dict.fromkeys(kept.cells, kept.id)

    def leave(self, kept: Kept) -> None:
        self.slots = {cell: owner for cell, owner in self.slots.items() if owner != kept.id}

    def record(self, kept: Kept, kind: str) -> None:
        if self.now >= START and self.is_wrong("event forgotten", 0.2):
            return
        number = 1 + sum(event.booking == kept.id for event in self.events)
        place, state = PLACES[kept.place].code, kept.state
        where = (place, kept.starts_at, kept.ends_at)
        event = Event(len(self.events) + 1, kept.id, number, kind, self.now, state, *where)
        self.events.append(event)
        if self.now > START:
            self.tell(event, kept)

    def tell(self, event: Event, kept: Kept) -> None:
        for to in (HOOK, CANCELS, KAFKA):
            if to.space in (None, PLACES[kept.place].space) and event.kind in (
                to.kinds or [event.kind]
            ):
                if self.is_wrong("relay skips", 0.1):
                    continue
                self.hear(to.name, event, kept, 0.0 if self.bug != "disorder" else 9.0)

    def hear(self, name: str, event: Event, kept: Kept, late: float) -> None:
        at = self.now + self.rng.uniform(0, late) + event.sequence * 1e-6
        words = f"booking.{event.kind.lower()}"
        if self.is_wrong("wrong word", 0.1):
            words = "booking.kept"
        heard = Heard(name, at, f"{kept.code}.{event.sequence}", kept.code, words, event.sequence)
        self.heard.append(heard)
        if self.rng.random() < 0.1:  # at least once
            self.heard.append(replace(heard, at=at + 5))
        if self.is_wrong("made up", 0.1):
            self.heard.append(replace(heard, sequence=99))

    def tables(self) -> Tables:
        rows = [
            Row(
                Booking(
                    b.id,
                    UUID(b.code),
                    MEMBERS[b.member],
                    b.key,
                    b.place,
                    b.starts_at,
                    b.ends_at,
                    b.state,
                    datetime.fromtimestamp(b.created_at, UTC),
                ),
                b.member,
                b.problems,
                b.created_at,
            )
            for b in self.kept
        ]
        events: dict[int, list[Event]] = {}
        for event in self.events:
            events.setdefault(event.booking, []).append(event)
        return Tables(
            rows=rows,
            slots=[Slot(owner, place, at) for (place, at), owner in self.slots.items()],
            places=PLACES,
            leaves=LEAVES,
            quotas=[QUOTA],
            members=MEMBERS,
            events=events,
            endpoints=[HOOK, CANCELS, KAFKA],
        )
