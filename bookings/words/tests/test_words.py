"""Times in words: when a date includes its year."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from bookings.words import words
from spaces.slots import Period

pytestmark = pytest.mark.any_database

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.mark.parametrize(
    ("value", "today", "expected"),
    [
        (date(2026, 11, 25), date(2026, 11, 27), "Wed 25 Nov"),
        (date(2026, 12, 31), date(2026, 3, 1), "Thu 31 Dec"),
        (date(2027, 1, 4), date(2026, 12, 31), "Mon 4 Jan 2027"),
        (date(2025, 12, 31), date(2026, 1, 1), "Wed 31 Dec 2025"),
        (date(2026, 11, 2), date(2026, 1, 1), "Mon 2 Nov 2026"),
        (date(2026, 11, 1), date(2026, 1, 1), "Sun 1 Nov"),
        (date(2026, 1, 1), date(2026, 11, 27), "Thu 1 Jan 2026"),
        (date(2026, 2, 1), date(2026, 11, 27), "Sun 1 Feb"),
    ],
)
def test_a_day_includes_the_year_when_it_is_not_obvious(value, today, expected):
    assert words.day(value, today) == expected


def test_the_year_is_said_in_russian_too():
    with translation.override("ru"):
        assert words.day(date(2027, 1, 4), date(2026, 11, 27)) == "пн, 4 января 2027"
        assert words.day(date(2026, 11, 29), date(2026, 11, 27)) == "вс, 29 ноября"


def test_which_year_it_is_depends_on_the_zone():
    now = datetime(2026, 12, 31, 22, tzinfo=UTC)  # 1:00 on 1 January in Moscow
    assert words.day_at(now, MOSCOW, now) == "Fri 1 Jan"
    assert words.day_at(now - timedelta(hours=2), MOSCOW, now) == "Thu 31 Dec 2026"


def test_both_ends_of_a_night_include_their_year():
    night = Period(datetime(2026, 12, 31, 19, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC))
    seen = words.when(night, MOSCOW, datetime(2026, 12, 1, tzinfo=UTC))
    assert seen == "Thu 31 Dec, 22:00 – Fri 1 Jan 2027, 2:00"
    far = words.when(night, MOSCOW, datetime(2025, 12, 1, tzinfo=UTC))
    assert far == "Thu 31 Dec 2026, 22:00 – Fri 1 Jan 2027, 2:00"


def test_a_near_day_has_a_name_whatever_its_year():
    assert words.relative_day(date(2027, 1, 1), date(2026, 12, 31)) == "Tomorrow"
    assert words.relative_day(date(2027, 1, 2), date(2026, 12, 31)) == "Sat 2 Jan 2027"
