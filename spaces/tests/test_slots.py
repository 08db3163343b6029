"""Opening hours, a day and a zone become open periods and slots."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.slots import (
    SLOT,
    Hours,
    Period,
    day_period,
    hours_of_day,
    instant,
    is_on_grid,
    merge,
    slots,
    starts,
    subtract,
)
from spaces.tests.clock import days, open_ticks, weeks

pytestmark = pytest.mark.any_database

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)

periods = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12)).map(
        lambda at: Period(EPOCH + SLOT * at[0], EPOCH + SLOT * (at[0] + at[1]))
    ),
    max_size=6,
)


def covered(stretches):
    return [slot for stretch in stretches for slot in slots(stretch)]


def utc(*at):
    return datetime(*at, tzinfo=UTC)


@given(days, weeks)
def test_slots_cover_exactly_the_opening_hours_and_never_overlap(day, hours):
    zone, date_ = day
    found = covered(hours_of_day(hours, date_, zone))
    assert found == sorted(open_ticks(hours, date_, zone))


@given(days, weeks)
def test_everything_is_on_the_grid(day, hours):
    zone, date_ = day
    assert all(is_on_grid(slot) for slot in covered(hours_of_day(hours, date_, zone)))


@given(days)
def test_days_follow_each_other_without_a_gap(day):
    zone, date_ = day
    today, tomorrow = day_period(date_, zone), day_period(date_ + timedelta(days=1), zone)
    assert today.starts_at <= today.ends_at == tomorrow.starts_at


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", SPRING, 23),
        ("Europe/Berlin", AUTUMN, 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Santiago", date(2026, 9, 6), 23),
        ("America/Santiago", date(2026, 4, 4), 25),
        ("America/Havana", date(2026, 11, 1), 25),
        ("Pacific/Apia", date(2011, 12, 30), 0),
        ("Pacific/Apia", date(2011, 12, 31), 24),
        ("Europe/Moscow", AUTUMN, 24),
        ("Asia/Kathmandu", SPRING, 24),
    ],
)
def test_a_day_is_as_long_as_its_clock_makes_it(zone, day, hours):
    assert day_period(day, ZoneInfo(zone)).duration == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("day", "at", "opening", "closing"),
    [
        (SPRING, time(1, 45), utc(2026, 3, 29, 0, 45), utc(2026, 3, 29, 0, 45)),
        (SPRING, time(2, 30), utc(2026, 3, 29, 1), utc(2026, 3, 29, 1)),
        (SPRING, time(2, 15), utc(2026, 3, 29, 1), utc(2026, 3, 29, 1)),
        (SPRING, time(3, 0), utc(2026, 3, 29, 1), utc(2026, 3, 29, 1)),
        (AUTUMN, time(1, 45), utc(2026, 10, 24, 23, 45), utc(2026, 10, 24, 23, 45)),
        (AUTUMN, time(2, 30), utc(2026, 10, 25, 0, 30), utc(2026, 10, 25, 1, 30)),
        (AUTUMN, time(3, 0), utc(2026, 10, 25, 2), utc(2026, 10, 25, 2)),
    ],
)
def test_skipped_times_are_the_jump_and_repeated_times_open_first_and_close_last(
    day, at, opening, closing
):
    assert instant(day, at, BERLIN) == opening
    assert instant(day, at, BERLIN, closing=True) == closing


@pytest.mark.parametrize(
    ("evening", "opens", "closes"),
    [
        (date(2026, 3, 28), utc(2026, 3, 28, 17), utc(2026, 3, 29, 1)),  # 2:00 is skipped
        (date(2026, 10, 24), utc(2026, 10, 24, 16), utc(2026, 10, 25, 1)),  # 2:00 comes twice
        (date(2026, 11, 24), utc(2026, 11, 24, 17), utc(2026, 11, 25, 1)),
    ],
)
def test_a_restaurant_open_past_midnight_survives_both_nights(evening, opens, closes):
    hours = [Hours(evening.weekday(), time(18), time(2))]
    assert hours_of_day(hours, evening, BERLIN) == [Period(opens, closes)]


def test_opening_hours_within_a_skipped_hour_are_empty():
    assert hours_of_day([Hours(6, time(2), time(3))], SPRING, BERLIN) == []


def test_a_skipped_day_has_no_hours():
    hours = [Hours(weekday, time(8), time(22)) for weekday in range(7)]
    assert hours_of_day(hours, date(2011, 12, 30), ZoneInfo("Pacific/Apia")) == []


def test_kathmandu_opens_at_a_quarter_past_in_utc():
    hours = [Hours(2, time(9), time(17))]
    assert hours_of_day(hours, date(2026, 11, 25), ZoneInfo("Asia/Kathmandu")) == [
        Period(utc(2026, 11, 25, 3, 15), utc(2026, 11, 25, 11, 15))
    ]


@given(periods)
def test_merging_keeps_the_time_and_removes_overlaps(some):
    merged = merge(some)
    assert covered(merged) == sorted({slot for period in some for slot in slots(period)})
    assert all(a.ends_at < b.starts_at for a, b in pairwise(merged))


@given(periods, periods)
def test_subtracting_leaves_what_no_hole_covers(some, holes):
    left = covered(subtract(some, holes))
    assert left == sorted(set(covered(some)) - set(covered(holes)))


def test_an_empty_hole_cuts_nothing():
    day = Period(EPOCH, EPOCH + SLOT * 8)
    assert subtract([day], [Period(EPOCH + SLOT, EPOCH + SLOT)]) == [day]


@given(periods, st.integers(1, 8).map(lambda n: SLOT * n))
def test_starts_are_whole_steps_that_fit_and_never_overlap(some, step):
    for opening in some:
        found = list(starts(opening, step))
        assert found == [opening.starts_at + step * n for n in range(opening.duration // step)]


def test_periods_that_touch_do_not_overlap():
    first = Period(EPOCH, EPOCH + SLOT)
    second = Period(first.ends_at, first.ends_at + SLOT)
    assert not first.overlaps(second)
    assert first.overlaps(Period(EPOCH, second.ends_at))


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (utc(2026, 1, 1, 0, 45), True),
        (datetime(2026, 1, 1, 12, 0, tzinfo=ZoneInfo("Asia/Kathmandu")), True),
        (utc(2026, 1, 1, 0, 50), False),
        (utc(2026, 1, 1, 0, 45, 1), False),
        (utc(2026, 1, 1, 0, 45, 0, 1), False),
    ],
)
def test_the_grid_is_the_utc_quarter_hour(at, expected):
    assert is_on_grid(at) is expected
