"""Within a minute a board stays as it is: so it can be made for the full minute, and kept."""

import re
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st

from bookings.finding.availability import Availability
from bookings.finding.board import build, span_of
from bookings.finding.occupancy import Occupancy
from bookings.finding.search import Search
from bookings.views.board import next_minute
from spaces.limits import PolicyValues
from spaces.models import Place, Space
from spaces.quarters import EPOCH
from spaces.slots import SLOT, Hours, Period
from spaces.venue import ClosedPeriod, Venue

pytestmark = pytest.mark.any_database

NOW_LINE = re.compile('<path class="now"[^>]*>')
DAYS = [date(2026, 11, 25), date(2026, 3, 29), date(2026, 10, 25)]
policies = st.builds(
    PolicyValues,
    step_minutes=st.sampled_from([None, 15, 30]),
    min_notice_minutes=st.sampled_from([None, 0, 7, 60]),
    max_days_ahead=st.sampled_from([None, 0, 3]),
    cancel_deadline_minutes=st.sampled_from([None, 0, 50, 1440]),
    grace_minutes=st.sampled_from([None, 0, 10]),
)


def page_of(space, venue, search, places, rows, now):
    """Return a board's results without the line that marks the present."""
    known = Availability(space, venue, span_of(venue, search), places=places, rows=rows)
    request = RequestFactory().get("/")
    request.htmx, request.user = False, SimpleNamespace(is_authenticated=True, is_space_staff=False)
    today = venue.today(now)
    context = {
        "board": build(known, search, member=None, now=now, instead=(None, 0)),
        "form": SimpleNamespace(errors={}),
        "moving": None,
        "now": now,
        "space": space,
        "venue": venue,
        "zone": venue.zone,
        "today": today,
        "tomorrow": search.day + timedelta(days=1),
        "onward": max(today, search.day + timedelta(days=1)),
        "csrf_token": "token",
        "request_key": "key",
        "user": request.user,
    }
    return NOW_LINE.sub("", render_to_string("bookings/_results.html", context, request))


@settings(max_examples=60)
@given(
    zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
    week=st.sampled_from([(time(8), time(22)), (time(0), time(0)), (time(18), time(4))]),
    policy=policies,
    day=st.sampled_from(DAYS),
    start=st.integers(0, 90),
    closed=st.integers(0, 90),
    minute=st.integers(1, 24 * 60 - 1),
    seconds=st.floats(0.001, 59.999),
)
def test_a_board_of_the_full_minute_is_right_until_then(
    zone, week, policy, day, start, closed, minute, seconds
):
    every_day = tuple(Hours(weekday, *week) for weekday in range(7))
    venue = Venue(ZoneInfo(zone), every_day, policies=(policy,))
    midnight = venue.calendar_day(day).starts_at

    def at(quarter: int) -> datetime:
        return midnight + quarter * SLOT

    closure = ClosedPeriod(2, Period(at(closed), at(closed + 6)))
    venue = Venue(venue.zone, every_day, (closure,), (policy,))
    space = Space(pk=1, slug="loft", name="Loft", time_zone=zone)
    places = [Place(pk=n, number=n, space=space, capacity=n, kind="DESK") for n in (1, 2, 3)]
    first = (midnight - EPOCH) // SLOT + start
    rows = [Occupancy(1, first, first + 8, None, ""), Occupancy(3, first + 5, first + 9, None, "")]
    search = Search(day, Period(at(start), at(start + 4)))
    now = midnight + timedelta(minutes=minute - 1, seconds=seconds)
    at_the_full_minute = next_minute(now)
    assert now < at_the_full_minute <= now + timedelta(minutes=1)
    shown = [
        page_of(space, venue, search, places, rows, moment) for moment in (now, at_the_full_minute)
    ]
    if venue.today(now) == venue.today(at_the_full_minute):  # the date in words, the last day
        assert shown[0] == shown[1]
