"""Public holidays of a space's country, and dates that are closed every year."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from bookings.deciding.holidays import YEARS, close_coming_years
from bookings.states import State
from bookings.tests.acts import book
from spaces.days_off import coming, every_year
from spaces.models import Closure, Space, YearlyClosure

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

HOLIDAYS = "/staff/loft/holidays/"
CHRISTMAS = "2026-12-25"
EVE = datetime(2026, 12, 25, 10, tzinfo=UTC)


def browser(person):
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def british(space):
    Space.objects.filter(pk=space.pk).update(country="GB")


def local_days():
    return [closure.starts_at.date() for closure in Closure.objects.order_by("starts_at")]


def test_the_coming_years_holidays_are_listed_and_closed(manager, british, clock):
    clock.now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    desk_of = browser(manager)
    page = desk_of.get(HOLIDAYS).text
    assert "Christmas Day" in page
    assert f'value="{CHRISTMAS}"' in page
    answer = desk_of.post(HOLIDAYS, {"act": "close", "day": [CHRISTMAS, "2026-12-24"]})
    assert answer["Location"] == HOLIDAYS
    closure = Closure.objects.get()  # Christmas Eve is no public holiday
    assert (closure.reason, closure.starts_at.date()) == ("Christmas Day", date(2026, 12, 25))
    assert f'value="{CHRISTMAS}"' not in desk_of.get(HOLIDAYS).text


def test_bookings_in_the_way_are_shown_first(manager, british, alice, desk, clock):
    clock.now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    booking = book(desk, alice, clock.now, EVE)
    desk_of = browser(manager)
    sent = {"act": "close", "day": [CHRISTMAS]}
    page = desk_of.post(HOLIDAYS, sent)
    assert (page.status_code, "1 booking falls on these days" in page.text) == (409, True)
    assert not Closure.objects.exists()
    back = desk_of.post(HOLIDAYS, sent | {"choice": "back"})
    assert f'value="{CHRISTMAS}" checked' in back.text
    blind = desk_of.post(HOLIDAYS, sent | {"choice": "cancel", "shown": ""})
    assert blind.status_code == 409
    desk_of.post(HOLIDAYS, sent | {"choice": "cancel", "shown": str(booking.code)})
    booking.refresh_from_db()
    assert booking.state == State.CANCELLED
    assert Closure.objects.get().reason == "Christmas Day"


def test_a_date_is_closed_every_year(manager, alice, desk, clock):
    clock.now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    sent = {"act": "yearly", "day": "24", "month": "12", "days": "2", "reason": "Family"}
    desk_of = browser(manager)
    assert desk_of.post(HOLIDAYS, sent)["Location"] == HOLIDAYS
    days = [date(2026 + n, 12, day) for n in range(YEARS) for day in (24, 25)]
    assert local_days() == days
    clock.now = datetime(2027, 1, 2, 9, tzinfo=UTC)
    assert [close_coming_years(now=clock.now), close_coming_years(now=clock.now)] == [1, 0]
    assert local_days() == [*days, date(2029, 12, 24), date(2029, 12, 25)]
    code = YearlyClosure.objects.get().code
    browser(manager).post(HOLIDAYS, {"act": "stop", "code": code})
    assert local_days() == days[:2]  # what is past stays
    assert not YearlyClosure.objects.exists()


def test_bookings_in_the_way_of_a_yearly_closure_are_shown_first(manager, alice, desk, clock):
    clock.now = datetime(2026, 11, 30, 9, tzinfo=UTC)
    booking = book(desk, alice, clock.now, EVE)
    sent = {"act": "yearly", "day": "25", "month": "12", "days": "1", "reason": "Family"}
    desk_of = browser(manager)
    assert desk_of.post(HOLIDAYS, sent).status_code == 409
    assert not YearlyClosure.objects.exists()
    desk_of.post(HOLIDAYS, sent | {"choice": "keep", "shown": str(booking.code)})
    booking.refresh_from_db()
    assert (booking.state, Closure.objects.count()) == (State.CONFIRMED, YEARS)


@pytest.mark.parametrize(
    "wrong", [{"day": "31", "month": "2"}, {"days": "0"}, {"reason": ""}, {"month": "13"}]
)
def test_nothing_typed_is_lost(manager, wrong):
    sent = {"act": "yearly", "day": "24", "month": "12", "days": "2", "reason": "Family & all"}
    page = browser(manager).post(HOLIDAYS, sent | wrong)
    assert page.status_code == 422
    assert "reason" in wrong or "Family &amp; all" in page.text
    assert not YearlyClosure.objects.exists()


def test_the_same_date_twice_is_said(manager):
    sent = {"act": "yearly", "day": "24", "month": "12", "days": "1", "reason": "Family"}
    assert browser(manager).post(HOLIDAYS, sent).status_code == 302
    assert browser(manager).post(HOLIDAYS, sent).status_code == 422
    assert Closure.objects.count() in {YEARS, YEARS - 1}


def test_a_leap_day_comes_every_year():
    assert every_year(2, 29, 2027) == date(2027, 2, 28)
    assert every_year(2, 29, 2028) == date(2028, 2, 29)


def test_holidays_of_no_country_and_an_unknown_one(manager, space):
    assert "in which country" in browser(manager).get(HOLIDAYS).text
    Space.objects.filter(pk=space.pk).update(country="RU")
    space.refresh_from_db()
    found = coming(space, today=date(2026, 11, 30))
    assert date(2027, 1, 7) in {each.day for each in found}
    assert all(each.day < date(2026, 11, 30) + timedelta(days=365) for each in found)
    names = {each.day: each.name for each in found}
    assert names[date(2027, 3, 8)] == "International Women’s Day"
    assert names[date(2027, 2, 22)] == "Day off"  # for a Saturday: "(substituted from 02/20/2027)"
