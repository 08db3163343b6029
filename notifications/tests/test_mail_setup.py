"""Mail about a change of set-up: what was moved, kept or cancelled by it."""

import pytest
from django.db import transaction

from accounts.factories import UserFactory
from bookings.deciding import stranding
from bookings.deciding.stranding import Act, Answer, Choice, Clock, Scope
from bookings.tests.acts import book
from notifications.tests.inbox import calendars, sent, text

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("site")]


@pytest.fixture
def change(tverskaya, now):
    """Change the space's set-up by the staff, who answer at once."""
    boss = UserFactory.create(username="boss", is_superuser=True)

    def change(act, **answer):
        told = Act(by=boss, now=now, answer=Answer(shown=None, **answer))
        with transaction.atomic(), stranding.changing(Scope(spaces=[tverskaya.pk]), told):
            act()

    return change


def shorter_days(space):
    return lambda: space.opening_hours.update(closes_at="12:00")


def to_zone(space, zone):
    return lambda: type(space).objects.filter(pk=space.pk).update(time_zone=zone)


def test_a_member_is_told_that_a_booking_is_kept(desk_12, tverskaya, anna, now, change):
    booking = book(desk_12, anna, now)
    sent(now)
    change(shorter_days(tverskaya), choice=Choice.KEEP)
    [message] = sent(now)
    assert message["Subject"] == "Still yours: Desk 12, Wed 25 Nov, 13:00–15:00"
    assert text(message).startswith(
        "Your booking stays as it is.\n"
        "Something at Tverskaya Coworking has changed:\n"
        "- The space is not open for all of that time.\n"
    )
    assert f"/bookings/{booking.code}/" in text(message)
    assert all("STATUS:CONFIRMED" in part.get_content() for part in calendars(message))


def test_a_member_is_told_why_a_booking_is_cancelled(desk_12, tverskaya, anna, now, change):
    book(desk_12, anna, now)
    sent(now)
    change(shorter_days(tverskaya), choice=Choice.CANCEL, reason="Shorter days")
    [message] = sent(now)
    assert message["Subject"] == "Cancelled: Desk 12, Wed 25 Nov, 13:00–15:00"
    assert "Reason: Shorter days" in text(message)


def test_a_member_is_told_of_the_new_zone_when_the_clock_is_kept(
    desk_12, tverskaya, anna, now, change
):
    book(desk_12, anna, now)
    sent(now)
    change(to_zone(tverskaya, "Europe/London"), clock=Clock.WALL)
    [message] = sent(now)
    assert message["Subject"] == "Moved: Desk 12, Wed 25 Nov, 13:00–15:00"
    assert "has another time zone now. Your booking keeps the time on the clock." in text(message)
    assert "(London time)" in text(message)
    assert "Before" not in text(message)


def test_a_member_is_told_the_new_time_when_the_moment_is_kept(
    desk_12, tverskaya, rita, now, change
):
    book(desk_12, rita, now)
    sent(now)
    change(to_zone(tverskaya, "Europe/London"), clock=Clock.INSTANT)
    [message] = sent(now)
    assert message["Subject"] == "Бронь остаётся за вами: Стол 12, ср, 25 ноября, 10:00–12:00"
    assert "Часовой пояс этого пространства изменился." in text(message)
