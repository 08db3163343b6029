"""A board's URL says what was chosen: each time is parsed back to the same instant."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from bookings.deciding import rules
from bookings.finding import searching
from bookings.words.local_time import LocalTimeError, read_period_on, write_clock
from spaces.limits import Limits, PolicyValues, strictest
from spaces.slots import Hours, Period
from spaces.venue import Venue

pytestmark = pytest.mark.any_database

HALF_HOUR = timedelta(minutes=30)
NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
ROUND_THE_CLOCK, BY_DAY, PAST_MIDNIGHT = (
    (time(0), time(0)),
    (time(8), time(22)),
    (time(18), time(4)),
)
NIGHTS = [
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Europe/Berlin", date(2027, 10, 31)),
    ("Asia/Kathmandu", date(2027, 3, 28)),
    ("Atlantic/Azores", date(2027, 3, 28)),  # at midnight
    ("Africa/Cairo", date(2027, 10, 28)),  # back over midnight
    ("Australia/Lord_Howe", date(2027, 4, 4)),  # by half an hour
    ("Antarctica/Troll", date(2027, 10, 31)),  # by two hours
]


def venue_in(zone, hours=ROUND_THE_CLOCK):
    return Venue(zone=ZoneInfo(zone), hours=tuple(Hours(weekday, *hours) for weekday in range(7)))


@pytest.mark.parametrize(
    ("step", "least", "most"),
    [(60, 130, 1440), (60, 60, 100), (45, 45, 1440), (1440, 60, 1440), (15, 20, 40)],
)
def test_the_default_time_can_be_booked(step, least, most):
    """Limits need not be whole steps; what is offered is."""
    limits = strictest([PolicyValues("", step, least, most)], kind="DESK")
    found, _ = searching.read(QueryDict(), venue=venue_in("Europe/Berlin"), limits=limits, now=NOW)
    assert rules.of_time(venue_in("Europe/Berlin"), limits, found.period, NOW) == []


def search(venue, **asked):
    query = QueryDict(mutable=True)
    query.update({name.strip("_"): str(value) for name, value in asked.items()})
    return searching.read(query, venue=venue, limits=Limits(step=HALF_HOUR), now=NOW)


@pytest.mark.parametrize("hours", [ROUND_THE_CLOCK, BY_DAY, PAST_MIDNIGHT])
@pytest.mark.parametrize(("zone", "night"), NIGHTS)
def test_every_time_in_three_days_is_parsed_back(zone, night, hours):
    venue = venue_in(zone, hours)
    for day in (night - timedelta(days=1), night, night + timedelta(days=1)):
        for starts_at in venue.starts(day, HALF_HOUR):
            for length in (1, 5, 12, 40):
                ends_at = starts_at + length * HALF_HOUR
                if not venue.is_open(0, Period(starts_at, ends_at)):
                    continue  # no board leads there
                from_, to = write_clock(starts_at, venue.zone), write_clock(ends_at, venue.zone)
                found, form = search(venue, date=day, from_=from_, to=to)
                assert found.period == Period(starts_at, ends_at), (day, from_, to, form.errors)


def test_a_night_that_skips_a_time_leaves_the_morning_before():
    """Saturday at 2:30 exists, though Sunday's doesn't."""
    found, _ = search(venue_in("Europe/Berlin"), date="2027-03-27", from_="02:30", to="03:30")
    assert found.period.starts_at == datetime(2027, 3, 27, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize("hours", [ROUND_THE_CLOCK, PAST_MIDNIGHT])
def test_a_skipped_time_is_reported(hours):
    day = date(2027, 3, 28) if hours is ROUND_THE_CLOCK else date(2027, 3, 27)
    found, form = search(venue_in("Europe/Berlin", hours), date=day, from_="02:30", to="03:30")
    assert found.period is None
    assert "02:30 does not exist" in str(form.errors)


def test_an_end_after_midnight_is_not_taken_for_one_before_the_start():
    """On the evening after the clocks were put forward, 2:30 is tomorrow's."""
    zone = ZoneInfo("Europe/Berlin")
    starts_at, ends_at = read_period_on(date(2027, 3, 28), "23:00", "02:30", zone)
    assert ends_at - starts_at == timedelta(hours=3, minutes=30)
    with pytest.raises(LocalTimeError, match="02:30 does not exist"):
        read_period_on(date(2027, 3, 28), "01:00", "02:30", zone)


def test_an_end_before_the_default_start_can_be_chosen():
    """Without scripts, both times are chosen before the page is loaded again."""
    _search, form = search(venue_in("UTC", BY_DAY), from_="14:00", to="15:00")
    offered = [value for value, _label in form.fields["to"].widget.choices]
    assert offered[0] == "08:30"
    assert offered[-1] == "22:00"
