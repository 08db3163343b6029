"""Coming at the last moment: python -m chaos unclaimed [--rounds N] [--engine postgresql|sqlite]

Rounds in which three things happen to one booking at the same moment: its member checks in, a
worker releases it because nobody has, and somebody else books part of its time. Each engine gets a
throwaway database that writes to the disk. Exits with 1 unless of check-in and release exactly one
won each time, everybody was told the truth, and nobody else got a place that somebody had claimed.
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
HELD = timedelta(minutes=20)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Round:
    """What the three were told, and what is stored."""

    came: str
    released: str
    booked: str
    state: str
    kinds: tuple[str, ...]
    slots: int

    @property
    def wrong(self) -> str:
        """Say what can't be; empty if one of the two has won."""
        if self.state not in ("CHECKED_IN", "NO_SHOW"):
            return "nobody won"
        if self.kinds != ("CONFIRMED", self.state):
            return "the events tell something else"
        is_here = self.state == "CHECKED_IN"
        if (self.came == "CHECKED_IN") != is_here:
            return "the member was told something else"
        if (self.released == "1") == is_here:
            return "the worker was told something else"
        if self.slots != (4 if is_here else 0):
            return "the slots are not those of the state"
        if self.booked not in ("CONFIRMED", "REJECTED"):
            return "whoever booked had no answer"
        if self.booked == "CONFIRMED" and is_here:
            return "somebody got a place that was claimed"
        return ""


def main(arguments: Sequence[str]) -> int:
    """Play on each engine; return the exit code."""
    return run("unclaimed", __doc__, arguments, play=play, outcome=outcome)


def play(rounds: int) -> list[Round]:
    """Play rounds one after the other, in a Django that is set up."""
    from accounts.factories import UserFactory
    from spaces.factories import PolicyFactory, open_space

    this = f"{os.getpid()}-{time.time_ns()}"
    space = open_space(slug=f"unclaimed-{this}", places=PLACES, time_zone="UTC")
    minutes = HELD // timedelta(minutes=1)
    PolicyFactory.create(space=space, step_minutes=15, release_after_minutes=minutes)
    alice, bob = (UserFactory.create(username=f"{name}-{this}") for name in ("alice", "bob"))
    places = list(space.places.order_by("number"))
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    with ThreadPoolExecutor(3) as pool:
        found = [
            _round(pool, places[n % PLACES], noon + timedelta(days=2 + n // PLACES), alice, bob)
            for n in range(rounds)
        ]
        at_once(pool, [close] * 3)
    return found


def _round(pool: ThreadPoolExecutor, place: Any, at: datetime, alice: Any, bob: Any) -> Round:
    from bookings.deciding import services, visits
    from bookings.deciding.no_shows import release_unclaimed
    from bookings.deciding.wish import Wish

    mine = Wish(place=place, member=alice, starts_at=at, ends_at=at + HOUR)
    booking = services.book(mine, by=alice, now=at - HOUR)
    theirs = Wish(place=place, member=bob, starts_at=at + HOUR / 2, ends_at=at + HOUR)
    now = at + HELD
    came, released, booked = at_once(
        pool,
        [
            lambda: visits.check_in(booking, by=alice, now=now).state,
            lambda: release_unclaimed(now=now),
            lambda: services.book(theirs, by=bob, now=now).state,
        ],
    )
    booking.refresh_from_db()
    return Round(
        came,
        released,
        booked,
        str(booking.state),
        tuple(booking.events.order_by("sequence").values_list("kind", flat=True)),
        booking.booked_slots.count(),
    )


def outcome(rounds: Sequence[Round]) -> dict[str, int]:
    told = Counter(each.state for each in rounds)
    return {
        "checked in": told["CHECKED_IN"],
        "released": told["NO_SHOW"],
        "booked at once": sum(each.booked == "CONFIRMED" for each in rounds),
    }
