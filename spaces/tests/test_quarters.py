"""Sets of quarter hours as integers do what sets of numbers do."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from spaces.quarters import (
    Quarters,
    end_of_run,
    from_on,
    highest,
    lowest,
    members,
    runs,
    with_room,
)
from spaces.slots import SLOT, Period, merge, subtract

EPOCH = datetime(2026, 3, 29, tzinfo=UTC)
DAY = Period(EPOCH, EPOCH + timedelta(hours=25))
sets = st.sets(st.integers(0, 40))
minutes = st.integers(-100, 25 * 60 + 100)


def bits(numbers):
    return sum(1 << n for n in numbers)


@given(sets)
def test_members_and_runs(numbers):
    packed = bits(numbers)
    assert list(members(packed)) == sorted(numbers)
    found = list(runs(packed))
    assert [n for start, end in found for n in range(start, end)] == sorted(numbers)
    assert all(end not in numbers for _start, end in found)
    if numbers:
        assert (lowest(packed), highest(packed)) == (min(numbers), max(numbers))


@given(sets, st.integers(1, 12))
def test_room_for_some_in_a_row(numbers, length):
    expected = {n for n in numbers if set(range(n, n + length)) <= numbers}
    assert set(members(with_room(bits(numbers), length))) == expected


@given(sets, st.integers(-3, 45))
def test_what_comes_after(numbers, start):
    assert set(members(bits(numbers) & from_on(start))) == {n for n in numbers if n >= start}
    end = end_of_run(bits(numbers), max(start, 0))
    assert end == next(n for n in range(max(start, 0), 100) if n not in numbers)


def periods(pairs):
    return [Period(EPOCH + timedelta(minutes=a), EPOCH + timedelta(minutes=b)) for a, b in pairs]


@given(st.lists(st.tuples(minutes, minutes), max_size=5))
def test_open_time_is_rounded_in_and_closed_time_out(pairs):
    """A quarter hour is open if all of it is, and closed if any of it is."""
    asked = merge(periods(pairs))
    quarters = Quarters(DAY)
    each = [quarters.period(n, n + 1) for n in range(quarters.count)]
    assert set(members(quarters.within(asked))) == {
        n for n, quarter in enumerate(each) if not subtract([quarter], asked)
    }
    assert set(members(quarters.touched(asked))) == {
        n for n, quarter in enumerate(each) if any(quarter.overlaps(p) for p in asked)
    }


@given(minutes)
def test_instants_and_back(minute):
    at, quarters = EPOCH + timedelta(minutes=minute), Quarters(DAY)
    assert quarters.at(quarters.floor(at)) <= at < quarters.at(quarters.floor(at) + 1)
    assert quarters.at(quarters.ceil(at) - 1) < at <= quarters.at(quarters.ceil(at))


def test_a_span_off_the_grid_covers_what_it_touches():
    span = Period(EPOCH + timedelta(minutes=7), EPOCH + timedelta(minutes=31))
    quarters = Quarters(span)
    assert quarters.period(0, quarters.count) == Period(EPOCH, EPOCH + 3 * SLOT)
