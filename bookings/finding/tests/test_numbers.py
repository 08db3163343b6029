"""A small scene in which every number is counted by hand, on a weekend when the clocks go back.

Bar is open on Saturday night, 22:00–4:00, which is seven hours on that night, and on Monday,
10:00–12:00. Tables 1 and 2 can be pushed together as 3; table 4 was withdrawn.

    Sat 24 Oct 23:00 ─┬─ table 3, six people, all came ─┬─ 1:00
    Sun 25 Oct  1:00 ─┼─ table 1, two people, are there ┼─ 3:00, three hours later
                      └─ table 2, four people, nobody came (2:00)
    Mon 26 Oct 10:00 ─── table 1, a walk-in of three, left at 11:00
               11:00 ─── table 2, one person, moved there from 10:00
"""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.factories import UserFactory
from bookings.finding.numbers import Cell, Tally, numbers
from bookings.finding.stretch import Days
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import local
from spaces import setups
from spaces.factories import (
    ClosureFactory,
    OpeningHoursFactory,
    PlaceFactory,
    SpaceFactory,
    open_space,
)

SAT, SUN, MON = (date(2026, 10, day) for day in (24, 25, 26))
WEEKEND = Days(SAT, MON)
HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)


def put(place, state, starts, ends, people, *, ahead=HOUR, **more):
    """Write a booking as it is in the end, made so long before its start."""
    starts_at, ends_at = (local(place.space, f"2026-10-{at}") for at in (starts, ends))
    made = starts_at - ahead
    more.setdefault("member", UserFactory.create())
    if state == State.CHECKED_IN:
        more["checked_in_at"] = starts_at
    return Booking.objects.create(
        place=place,
        state=state,
        starts_at=starts_at,
        ends_at=ends_at,
        party_size=people,
        created_at=made,
        decided_at=made,
        **more,
    )


@pytest.fixture
def bar(db):
    space = SpaceFactory.create(
        slug="bar", name="Bar", kind="RESTAURANT", time_zone="Europe/Berlin"
    )
    for weekday, opens, closes in ((5, 22, 4), (0, 10, 12)):
        OpeningHoursFactory.create(
            space=space, weekday=weekday, opens_at=time(opens), closes_at=time(closes)
        )
    one, two, both = (PlaceFactory.create(space=space, number=n, kind="TABLE") for n in (1, 2, 3))
    both.parts.add(one, two)
    gone = PlaceFactory.create(space=space, number=4, kind="TABLE", is_bookable=False)
    ClosureFactory.create(
        space=space,
        place=two,
        starts_at=local(space, "2026-10-25T03:00"),
        ends_at=local(space, "2026-10-25T04:00"),
    )
    walk_in, api = Booking.Channel.WALK_IN, Booking.Channel.API
    put(both, State.COMPLETED, "24T23:00", "25T01:00", 6, ahead=72 * HOUR)
    put(one, State.CHECKED_IN, "25T01:00", "25T03:00", 2, ahead=71 * HOUR, channel=api)
    put(two, State.NO_SHOW, "25T01:00", "25T02:00", 4, ahead=700 * HOUR)
    put(one, State.COMPLETED, "26T10:00", "26T11:00", 3, ahead=-HALF, channel=walk_in)
    put(two, State.CONFIRMED, "26T11:00", "26T12:00", 1, ahead=5 * HOUR)
    put(one, State.CANCELLED, "26T11:00", "26T12:00", 5, ahead=672 * HOUR)
    put(one, State.REJECTED, "26T10:00", "26T11:00", 1, problems=["slot_taken"])
    put(one, State.REJECTED, "26T10:15", "26T11:00", 9, problems=["slot_taken", "closed"])
    # Not of these days, or nobody's.
    put(one, State.COMPLETED, "23T23:00", "24T00:30", 7)
    put(gone, State.COMPLETED, "27T00:00", "27T01:00", 7)
    put(one, State.CREATED, "26T10:00", "26T11:00", 7)
    put(one, State.EXPIRED, "26T10:00", "26T11:00", 7)
    elsewhere = open_space(slug="elsewhere", time_zone="Europe/Berlin", places=1)
    put(elsewhere.places.get(), State.COMPLETED, "26T10:00", "26T11:00", 7)
    return space


@pytest.fixture
def found(bar):
    return numbers(setups.current("bar"), WEEKEND)


def test_each_day_has_what_starts_on_it(found):
    assert found.days == {
        SAT: Tally(bookings=1, people=6, came=1),
        SUN: Tally(bookings=1, people=2, came=1, no_shows=1),
        MON: Tally(bookings=2, people=4, came=1, cancelled=1),
    }
    assert found.total == Tally(bookings=4, people=12, came=3, no_shows=1, cancelled=1)
    assert found.total.no_show_share == 1 / 4


def test_no_rate_before_anybody_was_due(found):
    assert Tally(bookings=3, people=3).no_show_share is None
    assert found.days[SUN].no_show_share == 1 / 2
    assert found.days[SAT].no_show_share == 0


def test_each_hour_has_the_time_of_leaf_places_booked_and_open(found):
    assert found.cells == {
        (5, 0): Cell(HALF, 0 * HOUR),  # the end of Friday's, kept though it is closed
        (5, 22): Cell(0 * HOUR, 2 * HOUR),
        (5, 23): Cell(2 * HOUR, 2 * HOUR),  # both tables
        (6, 0): Cell(2 * HOUR, 2 * HOUR),  # past midnight
        (6, 1): Cell(1 * HOUR, 2 * HOUR),  # nobody came to the other
        (6, 2): Cell(2 * HOUR, 4 * HOUR),  # comes twice
        (6, 3): Cell(0 * HOUR, 1 * HOUR),  # one is closed
        (0, 10): Cell(1 * HOUR, 2 * HOUR),
        (0, 11): Cell(1 * HOUR, 2 * HOUR),  # left early; moved
    }
    assert (found.whole.booked, found.whole.open) == (9.5 * HOUR, 17 * HOUR)
    assert found.cells[6, 2].share == 1 / 2
    assert found.cells[5, 0].share is None


def test_hours_are_in_the_order_of_the_houses_day(found):
    assert found.hours == [22, 23, 0, 1, 2, 3, 10, 11]


def test_how_far_ahead_counts_what_was_booked_but_no_walk_in(found):
    # under 1, 6, 24, 72, 168, 336, 672 hours, and beyond
    assert found.leads == [0, 1, 0, 1, 1, 0, 0, 2]


def test_refusals_by_rule(found):
    assert found.refusals == {"slot_taken": 2, "closed": 1}


def test_channels(found):
    assert found.channels == {
        "PAGE": Tally(bookings=2, people=7, came=1, no_shows=1, cancelled=1),
        "API": Tally(bookings=1, people=2, came=1),
        "WALK_IN": Tally(bookings=1, people=3, came=1),
    }


def test_a_night_without_an_hour(bar):
    """The other weekend: 2:00 does not come, so Saturday night has five hours."""
    found = numbers(setups.current("bar"), Days(date(2026, 3, 28), date(2026, 3, 29)))
    opened = {key: cell.open for key, cell in found.cells.items()}
    assert opened == dict.fromkeys(((5, 22), (5, 23), (6, 0), (6, 1), (6, 3)), 2 * HOUR)


def test_a_closure_that_is_over_was_still_one(bar):
    setup = setups.current("bar")
    later = local(bar, "2026-10-26T09:00")
    two = bar.places.get(number=2)
    assert setup.venue((), later).closed(two.pk) == []  # a venue of then has forgotten it
    assert numbers(setup, Days(SUN, SUN)).cells[6, 3].open == 1 * HOUR


def test_an_empty_house_has_numbers_too(db):
    SpaceFactory.create(slug="empty")
    found = numbers(setups.current("empty"), WEEKEND)
    assert (found.cells, found.hours, found.whole.share) == ({}, [], None)
    assert found.days == {day: Tally() for day in WEEKEND}


def test_statements_don_t_grow_with_bookings(bar):
    setup = setups.current("bar")

    def statements(days):
        with CaptureQueriesContext(connection) as caught:
            numbers(setup, days)
        return len(caught)

    assert statements(WEEKEND) == statements(Days(date(2025, 10, 25), MON)) == 5
