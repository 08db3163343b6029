"""The order of requests and answers is taken for neither more nor less than it says."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import permutations
from math import inf

import pytest

from chaos.checker import QUARTER
from chaos.judging.holds import Hold, Index, at_once

pytestmark = pytest.mark.any_database

NOON = datetime(2026, 12, 2, 12, tzinfo=UTC)


@dataclass
class Windows:
    """Requests at one place: gained and given back at any moments within these."""

    holds: list[Hold]

    @property
    def can_be(self) -> bool:
        """Try every order in which the place can have gone from one to the next."""
        return any(self._fits(order) for order in permutations(self.holds))

    def _fits(self, order):
        at = -inf
        for hold in order:
            gained = max(at, hold.since)
            at = max(gained, hold.surely_until)
            if gained > hold.surely_since or at > hold.until:
                return False
        return True

    @property
    def is_refuted(self) -> bool:
        return any(at_once(Index(self.holds, {})))


def some(rng, count, longest):
    holds = []
    for number in range(count):
        since = rng.uniform(0, 20)
        surely_since = rng.choice([since + rng.uniform(0, longest), inf])
        surely_until = since + rng.uniform(0, 12)
        until = rng.choice([max(surely_since, surely_until) + rng.uniform(0, longest), inf])
        window = since, surely_since, surely_until, until
        holds.append(Hold(str(number), "m", 1, NOON, NOON + QUARTER, *window))
    return Windows(holds)


def test_two_bookings_are_refuted_exactly_when_no_order_explains_them():
    rng, seen = random.Random(1), set()
    for _ in range(3000):
        pair = some(rng, 2, 8)
        assert pair.is_refuted != pair.can_be
        seen.add(pair.can_be)
    assert seen == {True, False}


def test_what_some_order_explains_is_never_refuted():
    rng, seen = random.Random(2), set()
    for _ in range(3000):
        several = some(rng, rng.randrange(3, 6), 3)
        assert not (several.can_be and several.is_refuted)
        seen.add(several.can_be)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("leaves", "other", "found"),
    [({}, 2, 0), ({2: [1, 3]}, 2, 1), ({2: [3, 4]}, 2, 0), ({1: [5, 6], 2: [6, 7]}, 2, 1)],
)
def test_places_with_parts_in_common_are_one_place(leaves, other, found):
    windows = (0.0, 1.0, 9.0, inf)
    one = Hold("a", "m", 1, NOON, NOON + QUARTER, *windows)
    two = Hold("b", "m", other, NOON, NOON + QUARTER, *windows)
    assert len([*at_once(Index([one, two], leaves))]) == found


def test_another_quarter_hour_is_free():
    windows = (0.0, 1.0, 9.0, inf)
    one = Hold("a", "m", 1, NOON, NOON + QUARTER, *windows)
    two = Hold("b", "m", 1, NOON + QUARTER, NOON + 2 * QUARTER, *windows)
    assert not [*at_once(Index([one, two], {}))]
