"""Opening hours of a week in a line."""

from datetime import time

import pytest

from bookings.words.weekly import weekly
from spaces.slots import Hours

pytestmark = pytest.mark.any_database


def on(*days, opens=8, closes=22):
    return [Hours(day, time(opens), time(closes)) for day in days]


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        ([], ""),
        (on(*range(7)), "Mon–Sun 8:00–22:00"),
        (on(*range(5)) + on(5, opens=10), "Mon–Fri 8:00–22:00, Sat 10:00–22:00"),
        (on(5, 6), "Sat, Sun 8:00–22:00"),
        (on(0, 2), "Mon 8:00–22:00, Wed 8:00–22:00"),
        (on(4, opens=18, closes=2) + on(4, opens=12, closes=15), "Fri 12:00–15:00, 18:00–2:00"),
    ],
)
def test_days_that_are_alike_are_joined(hours, words):
    assert weekly(hours) == words
