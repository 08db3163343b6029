"""Saying yes at the same moment: python -m chaos waiting [--rounds N] [--engine postgresql|sqlite]

Rounds in which four things happen to one table at the same moment: two parties who wait at the
door, and were told that it is ready, say yes; a worker gives it back because the minutes to answer
are over; and somebody else books it. Each engine gets a throwaway database that writes to the disk.
Exits with 1 unless exactly one of yes, yes and the end won each time, everybody was told the truth,
and nobody else got a table that somebody had said yes to.
"""

import os
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.rounds import at_once, close, run

PLACES = 25
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Round:
    """What the four were told, and what is stored."""

    said: tuple[str, str]
    lapsed: str
    booked: str
    state: str
    parties: tuple[str, str]
    kinds: tuple[str, ...]
    slots: int

    @property
    def wrong(self) -> str:
        """Say what can't be; empty if one of the three has won."""
        if self.state not in ("CONFIRMED", "EXPIRED"):
            return "nobody won"
        if self.kinds != ("OFFERED", "AMENDED", self.state):
            return "the events tell something else"
        is_taken = self.state == "CONFIRMED"
        if sorted(self.parties) != (["COMING", "WAITING"] if is_taken else ["LAPSED", "LAPSED"]):
            return "the list says something else"
        truth = {"COMING": "COMING", "WAITING": "Missed", "LAPSED": "TooLate"}
        if self.said != tuple(truth[each] for each in self.parties):
            return "a party was told something else"
        if (self.lapsed == "1") == is_taken:
            return "the worker was told something else"
        if self.slots != (4 if is_taken else 0):
            return "the slots are not those of the state"
        if self.booked not in ("CONFIRMED", "REJECTED"):
            return "whoever booked had no answer"
        if self.booked == "CONFIRMED" and is_taken:
            return "somebody got a table that was taken"
        return ""


def main(arguments: Sequence[str]) -> int:
    """Play on each engine; return the exit code."""
    return run("waiting", __doc__, arguments, play=play, outcome=outcome)


def play(rounds: int) -> list[Round]:
    """Play rounds one after the other, in a Django that is set up."""
    from accounts.factories import UserFactory
    from spaces.factories import PolicyFactory, open_space

    this = f"{os.getpid()}-{time.time_ns()}"
    table = {"kind": "TABLE", "capacity": 4}
    space = open_space(
        slug=f"waiting-{this}", kind="RESTAURANT", places=PLACES, time_zone="UTC", place=table
    )
    PolicyFactory.create(space=space, step_minutes=15)
    host = UserFactory.create(username=f"host-{this}", is_superuser=True)
    bob = UserFactory.create(username=f"bob-{this}")
    tables = list(space.places.order_by("number"))
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    with ThreadPoolExecutor(4) as pool:
        found = [
            _round(pool, tables[n % PLACES], noon + timedelta(days=2 + n // PLACES), host, bob)
            for n in range(rounds)
        ]
        at_once(pool, [close] * 4)
    return found


def _round(pool: ThreadPoolExecutor, table: Any, at: datetime, host: Any, bob: Any) -> Round:
    from bookings.deciding import holds, services
    from bookings.deciding.waiting_list import Newcomer, add
    from bookings.deciding.walk_ins import Seat
    from bookings.deciding.wish import Wish
    from bookings.guests import BY_GUEST

    space = table.space
    first, second = (
        add(space, Newcomer(name=name, party_size=size), by=host, now=at)
        for name, size in (("Anna", 2), ("Boris", 3))
    )
    hold = holds.tell(first, Seat(table, at + HOUR), by=host, now=at).booking
    assert hold is not None
    holds.tell_too(second, hold, by=host, now=at)
    over = at + timedelta(minutes=space.hold_minutes)
    theirs = Wish(place=table, member=bob, starts_at=at + HOUR / 2, ends_at=at + HOUR)
    one, other, lapsed, booked = at_once(
        pool,
        [
            lambda: holds.confirm(first, by=BY_GUEST, now=over - SECOND).state,
            lambda: holds.confirm(second, by=BY_GUEST, now=over - SECOND).state,
            lambda: holds.let_holds_lapse(now=over),
            lambda: services.book(theirs, by=bob, now=over).state,
        ],
    )
    for row in (hold, first, second):
        row.refresh_from_db()
    return Round(
        (one, other),
        lapsed,
        booked,
        str(hold.state),
        (str(first.state), str(second.state)),
        tuple(hold.events.order_by("sequence").values_list("kind", flat=True)),
        hold.booked_slots.count(),
    )


def outcome(rounds: Sequence[Round]) -> dict[str, int]:
    winners = Counter(each.parties.index("COMING") for each in rounds if "COMING" in each.parties)
    return {
        "first said yes": winners[0],
        "second said yes": winners[1],
        "lapsed": sum(each.state == "EXPIRED" for each in rounds),
        "booked at once": sum(each.booked == "CONFIRMED" for each in rounds),
    }
