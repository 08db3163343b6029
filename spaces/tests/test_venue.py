"""When a space is open, with its closures and composites."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.slots import SLOT, Hours, Period, slots
from spaces.tests.clock import ODD_DAYS, days, open_ticks, ticks, weeks
from spaces.venue import ClosedPeriod, Venue

pytestmark = pytest.mark.any_database

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
ALWAYS = tuple(Hours(weekday, time(0), time(0)) for weekday in range(7))
DESK, OTHER = 1, 2
#: A hall made of a half and a corner; the half is two tables.
HALL, HALF, CORNER, TABLE, SECOND = 10, 11, 12, 13, 14
PARTS = {HALL: (HALF, CORNER), HALF: (TABLE, SECOND)}


def utc(*at):
    return datetime(*at, tzinfo=UTC)


def around(day):
    return [day + timedelta(days=n) for n in range(-1, 3)]


def open_around(hours, day, zone):
    """Return the open quarter hours, by the wall clock, of a day and its neighbours."""
    return {at for near in around(day) for at in open_ticks(hours, near, zone)}


@given(days, weeks)
def test_days_partition_the_open_time(day, hours):
    zone, middle = day
    venue = Venue(zone=zone, hours=tuple(hours))
    found = [at for near in around(middle) for o in venue.openings(near) for at in slots(o)]
    assert len(found) == len(set(found))
    last = around(middle)[-1] + timedelta(days=1)
    expected = open_around(hours, middle, zone) - open_ticks(hours, last, zone)
    assert set(found) - open_ticks(hours, last, zone) == expected


@given(days, weeks, st.integers(-96, 96), st.integers(1, 120), st.booleans())
def test_a_period_is_open_when_all_its_quarter_hours_are(day, hours, offset, length, closed):
    zone, middle = day
    starts_at = ticks(middle, before=0)[0] + SLOT * offset
    period = Period(starts_at, starts_at + SLOT * length)
    hole = Period(ticks(middle)[200], ticks(middle)[220])
    closures = (ClosedPeriod(DESK, hole),) if closed else ()
    venue = Venue(zone=zone, hours=tuple(hours), closures=closures)
    expected = {
        at
        for n in range(-3, 4)
        for at in open_ticks(hours, middle + timedelta(days=n), zone)
        if not closed or not hole.starts_at <= at < hole.ends_at
    }
    assert venue.is_open(DESK, period) == (set(slots(period)) <= expected)


@given(days, weeks, st.integers(1, 12).map(lambda n: SLOT * n))
def test_every_offered_start_is_a_start(day, hours, step):
    zone, middle = day
    venue = Venue(zone=zone, hours=tuple(hours))
    found = venue.starts(middle, step)
    assert all(venue.is_start(at, step) for at in found)
    assert all(b - a >= step for a, b in pairwise(found))


@given(days, weeks, st.integers(1, 12).map(lambda n: SLOT * n))
def test_a_start_that_is_not_offered_has_no_whole_step_left(day, hours, step):
    zone, middle = day
    venue = Venue(zone=zone, hours=tuple(hours))
    offered = set(venue.starts(middle, step))
    for opening in venue.openings(middle):
        for at in set(slots(opening)) - offered:
            assert not venue.is_start(at, step) or at + step > opening.ends_at


@pytest.mark.parametrize(("zone", "day"), ODD_DAYS)
def test_round_the_clock_is_open_over_every_midnight(zone, day):
    venue = Venue(zone=ZoneInfo(zone), hours=ALWAYS)
    start = ticks(day, before=1)[0]
    assert venue.is_open(DESK, Period(start, start + timedelta(days=3)))


@pytest.mark.parametrize(("zone", "day"), ODD_DAYS)
def test_round_the_clock_steps_are_counted_from_each_midnight(zone, day):
    venue = Venue(zone=ZoneInfo(zone), hours=ALWAYS)
    today = venue.calendar_day(day)
    step = 5 * HOUR
    assert [at for at in slots(today) if venue.is_start(at, step)] == [
        at for at in slots(today) if (at - today.starts_at) % step == timedelta(0)
    ]
    assert venue.is_start(today.ends_at, step)


def test_a_booking_may_cross_midnight_where_the_hours_of_two_days_touch():
    hours = (Hours(4, time(18), time(0)), Hours(5, time(0), time(2)))
    venue = Venue(zone=BERLIN, hours=hours)
    assert venue.is_open(DESK, Period(utc(2026, 11, 27, 22), utc(2026, 11, 28, 1)))
    assert not venue.is_open(DESK, Period(utc(2026, 11, 27, 22), utc(2026, 11, 28, 1, 15)))


def test_a_break_at_noon_is_not_open():
    venue = Venue(zone=BERLIN, hours=(Hours(2, time(9), time(12)), Hours(2, time(13), time(18))))
    assert not venue.is_open(DESK, Period(utc(2026, 11, 25, 10), utc(2026, 11, 25, 13)))
    assert venue.is_open(DESK, Period(utc(2026, 11, 25, 12), utc(2026, 11, 25, 13)))


def test_steps_are_counted_from_each_opening():
    venue = Venue(
        zone=BERLIN, hours=(Hours(2, time(9), time(12)), Hours(2, time(13, 30), time(16)))
    )
    assert venue.starts(date(2026, 11, 25), HOUR) == [
        *(utc(2026, 11, 25, hour) for hour in (8, 9, 10)),
        *(utc(2026, 11, 25, hour, 30) for hour in (12, 13)),
    ]


@pytest.mark.parametrize(("day", "count"), [(date(2026, 3, 28), 8), (date(2026, 10, 24), 9)])
def test_a_night_has_as_many_starts_as_hours(day, count):
    venue = Venue(zone=BERLIN, hours=(Hours(5, time(18), time(2)),))
    assert len(venue.starts(day, HOUR)) == count


def test_today_is_the_date_at_the_space():
    venue = Venue(zone=ZoneInfo("Pacific/Apia"), hours=())
    assert venue.today(utc(2026, 11, 25, 12)) == date(2026, 11, 26)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (utc(2026, 11, 28, 0, 45), date(2026, 11, 27)),  # 1:45 on Saturday is Friday's night
        (utc(2026, 11, 28, 1), date(2026, 11, 28)),
        (utc(2026, 11, 27, 12), date(2026, 11, 27)),
    ],
)
def test_the_night_belongs_to_the_day_that_opened(at, day):
    assert Venue(zone=BERLIN, hours=(Hours(4, time(18), time(2)),)).day_of(at) == day


@pytest.mark.parametrize(
    ("day", "ends_at"),
    [
        (date(2026, 11, 27), utc(2026, 11, 28, 1)),
        (date(2026, 11, 28), utc(2026, 11, 28, 23)),
    ],
)
def test_a_day_spans_its_night(day, ends_at):
    venue = Venue(zone=BERLIN, hours=(Hours(4, time(18), time(2)),))
    assert venue.day_span(day) == Period(venue.calendar_day(day).starts_at, ends_at)


@pytest.mark.parametrize(
    ("place", "leaves"),
    [
        (HALL, {TABLE, SECOND, CORNER}),
        (HALF, {TABLE, SECOND}),
        (TABLE, {TABLE}),
        (DESK, {DESK}),
    ],
)
def test_a_composite_takes_its_innermost_parts(place, leaves):
    assert Venue(zone=BERLIN, hours=(), parts=PARTS).leaves(place) == leaves


@pytest.mark.parametrize(
    ("closed", "concerned"),
    [
        (None, {HALL, HALF, CORNER, TABLE, SECOND, DESK}),
        (TABLE, {TABLE, HALF, HALL}),
        (HALF, {TABLE, SECOND, HALF, HALL}),
        (HALL, {TABLE, SECOND, CORNER, HALF, HALL}),
        (DESK, {DESK}),
    ],
)
def test_a_closure_concerns_every_place_that_shares_a_leaf(closed, concerned):
    closure = ClosedPeriod(closed, Period(utc(2026, 11, 25, 10), utc(2026, 11, 25, 11)))
    venue = Venue(zone=BERLIN, hours=ALWAYS, closures=(closure,), parts=PARTS)
    places = {HALL, HALF, CORNER, TABLE, SECOND, DESK}
    assert {place for place in places if venue.closed(place)} == concerned
