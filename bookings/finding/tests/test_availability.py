"""What is free is laid out on integers: compared here with the rules, and with time itself."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookings.deciding import rules
from bookings.finding.availability import Availability
from bookings.finding.occupancy import Occupancy, occupancies
from bookings.models import Booking
from bookings.tests.acts import TEN, book, hours
from spaces import setups
from spaces.factories import ClosureFactory, open_space
from spaces.limits import PolicyValues, strictest
from spaces.models import Place, Space
from spaces.quarters import runs
from spaces.slots import SLOT, Hours, Period
from spaces.venue import ClosedPeriod, Venue

ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo"]
WEEKS = [(time(8), time(22)), (time(0), time(0)), (time(18), time(4)), (time(9, 30), time(13))]
#: Days on which clocks change, and one on which they don't.
DAYS = [date(2026, 3, 29), date(2026, 10, 25), date(2026, 10, 29), date(2026, 11, 25)]
limits = st.builds(
    PolicyValues,
    step_minutes=st.sampled_from([None, 15, 30, 45, 60, 120]),
    min_minutes=st.sampled_from([None, 0, 20, 90]),
    max_minutes=st.sampled_from([None, 60, 100, 480]),
    min_notice_minutes=st.sampled_from([None, 0, 7, 60, 3000]),
    max_days_ahead=st.sampled_from([None, 0, 1, 3]),
)


def venue_of(zone, week, policy=None, **kwargs):
    every_day = tuple(Hours(weekday, *week) for weekday in range(7))
    policies = (policy,) if policy else ()
    return Venue(zone=ZoneInfo(zone), hours=every_day, policies=policies, **kwargs)


@pytest.mark.any_database
@given(
    zone=st.sampled_from(ZONES),
    week=st.sampled_from(WEEKS),
    policy=limits,
    day=st.sampled_from(DAYS),
    quarters=st.integers(-1, 40),
    minutes=st.integers(-5000, 2000),
)
def test_the_starts_of_a_day_are_those_that_no_rule_forbids(
    zone, week, policy, day, quarters, minutes
):
    venue, strict = venue_of(zone, week, policy), strictest([policy], kind="DESK")
    now = venue.calendar_day(day).starts_at + timedelta(minutes=minutes)
    duration = quarters * SLOT
    allowed = [
        at
        for at in venue.starts(day, strict.step)
        if not rules.of_time(venue, strict, Period(at, at + duration), now)
    ]
    assert rules.starts(venue, strict, duration, day, now) == allowed


PARTS = {10: (1, 2), 11: (10, 3)}  # a pair, and a hall that it is a part of
quarter = st.integers(-8, 104)
taken = st.lists(st.tuples(st.sampled_from([1, 2, 3, 4, 10, 11]), quarter, st.integers(1, 9)))


@pytest.mark.any_database
@given(
    zone=st.sampled_from(ZONES),
    week=st.sampled_from(WEEKS),
    day=st.sampled_from(DAYS),
    taken=taken,
    closed=taken,
    start=quarter,
    length=st.integers(1, 8),
)
def test_a_place_is_offered_if_it_is_open_and_none_of_its_parts_is_taken(
    zone, week, day, taken, closed, start, length
):
    places = [Place(pk=pk, number=pk, kind="DESK") for pk in (1, 2, 3, 4, 10, 11)]
    space = Space(time_zone=zone)
    for place in places:
        place.space = space
    midnight = venue_of(zone, week).calendar_day(day).starts_at
    venue = venue_of(
        zone,
        week,
        PolicyValues(step_minutes=15),
        parts=PARTS,
        closures=tuple(ClosedPeriod(pk, period(midnight, a, n)) for pk, a, n in closed),
    )
    first = (midnight - datetime(1970, 1, 1, tzinfo=UTC)) // SLOT
    rows = [Occupancy(pk, first + a, first + a + n, None, "") for pk, a, n in taken]
    span = venue.day_span(day)
    asked = period(midnight, start, length)
    known = Availability(space, venue, span, places=places, rows=rows)
    offers = known.offers(asked, party_size=1, now=midnight - timedelta(days=1))

    def is_free(place):
        return venue.is_open(place.pk, asked) and not any(
            venue.leaves(pk) & venue.leaves(place.pk) and asked.overlaps(period(midnight, a, n))
            for pk, a, n in taken
        )

    expected = [p.pk for p in places if is_free(p) and span.contains(asked)]
    assert [offer.place.pk for offer in offers] == expected
    for offer in offers:
        longer = Period(asked.starts_at, offer.free_until)
        assert venue.is_open(offer.place.pk, longer)
        assert longer.ends_at <= span.ends_at


def period(midnight, start, length):
    return Period(midnight + start * SLOT, midnight + (start + length) * SLOT)


@pytest.mark.django_db
def test_the_rows_of_a_day_are_what_the_bookings_say(space, desk, alice, bob, now):
    made = [book(desk, alice, now), book(desk, bob, now, TEN + hours(3))]
    book(desk, alice, now, TEN + hours(48))
    rows = occupancies(space, Period(TEN, TEN + hours(12)))
    first = (TEN - datetime(1970, 1, 1, tzinfo=UTC)) // SLOT
    assert [row[:4] for row in rows] == [
        (desk.pk, first, first + 8, alice.pk),
        (desk.pk, first + 12, first + 20, bob.pk),
    ]
    assert [[row.is_of(booking) for row in rows] for booking in made] == [
        [True, False],
        [False, True],
    ]


@pytest.mark.django_db
def test_only_what_holds_a_place_is_read(space, desk, alice, now):
    book(desk, alice, now)
    Booking.objects.update(state="CANCELLED")
    book(open_space(places=1).places.get(), alice, now)
    assert occupancies(space, Period(TEN, TEN + hours(12))) == []


@pytest.mark.django_db
def test_hours_and_closures_off_the_grid_never_offer_what_cannot_be_booked(space, now):
    """Forms don't take such a set-up, but a hand in the database can leave one."""
    space.opening_hours.update(opens_at=time(8, 7))
    ClosureFactory.create(space=space, starts_at=TEN + timedelta(minutes=50))
    setup = setups.current(space.pk)
    venue = setup.venue((), now)
    known = Availability(space, venue, venue.day_span(TEN.date()), places=setup.bookable)
    first, *_others = runs(known.free(known.places[0].pk))
    free = Period(TEN - timedelta(minutes=105), TEN + timedelta(minutes=45))
    assert known.quarters.period(*first) == free
