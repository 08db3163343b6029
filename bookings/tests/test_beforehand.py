"""The board tells a member what they may not book, or how much of it, before they press."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.deciding import services
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from spaces.factories import PolicyFactory

pytestmark = pytest.mark.django_db

NOTE = 'role="note"'


@pytest.fixture
def look(client, soon):
    """Return what somebody's board says for some hours of the day after tomorrow."""

    def look(member=None, length=2, start=0, **query):
        client.logout()
        if member is not None:
            client.force_login(member)
        starts_at = soon + hours(start)
        times = {"from": f"{starts_at:%H:%M}", "to": f"{starts_at + hours(length):%H:%M}"}
        page = client.get("/spaces/loft/", {"date": f"{soon:%Y-%m-%d}", **times, **query})
        assert page.status_code == 200
        return page.text.replace('<span class="whole">', "").replace("</span>", "")

    return look


def test_what_is_left_of_a_day_is_said(space, desk, alice, bob, soon, look):
    PolicyFactory.create(space=space, max_minutes_per_day=240)
    for who in (None, alice, bob):
        assert NOTE not in look(who)
    book(desk, alice, soon - hours(20), soon, 3)
    assert "A member may book up to 4 hours a day here. Left on" in look(alice, 1, 4)
    assert ": 1 hour." in look(alice, 1, 4)
    assert "It would fit on" not in look(alice, 1, 4)
    assert "It would fit on" in look(alice, 2, 4)
    for who in (None, bob):  # whose pages are kept apart
        assert NOTE not in look(who, 1, 4)
    book(desk, alice, soon - hours(20), soon + hours(4), 1)
    assert "Nothing is left on" in look(alice, 1, 6)
    assert NOTE not in look(alice, 1, 4, date=f"{soon + timedelta(days=1):%Y-%m-%d}")


def test_whoever_moves_a_booking_has_its_hours_too(space, desk, alice, soon, look):
    PolicyFactory.create(space=space, max_minutes_per_day=120)
    booking = book(desk, alice, datetime.now(UTC), soon, 2)
    assert "Nothing is left" in look(alice)
    assert NOTE not in look(alice, 2, 4, move=booking.code).split('id="results"')[1]
    services.cancel(booking, by=alice, now=datetime.now(UTC))
    assert NOTE not in look(alice)


def test_who_did_not_come_too_often_reads_it_before_they_press(space, desk, alice, bob, soon, look):
    PolicyFactory.create(space=space, max_no_shows=1, no_show_days=30)
    assert NOTE not in look(alice)
    missed = book(desk, alice, soon - hours(480), soon - hours(240))
    Booking.objects.filter(pk=missed.pk).update(state=State.NO_SHOW)
    assert "1 no-show in 30 days: no booking here before" in look(alice)
    assert NOTE not in look(bob)
    Booking.objects.update(forgiven_at=soon)
    assert NOTE not in look(alice)


def test_nothing_is_read_where_no_rule_asks(space, desk, alice, soon, client):
    client.force_login(alice)
    client.get("/spaces/loft/")

    def statements():
        with CaptureQueriesContext(connection) as found:
            client.get("/spaces/loft/")
        return len(found)

    before = statements()
    PolicyFactory.create(space=space, max_minutes_per_day=240, max_no_shows=1, no_show_days=30)
    client.get("/spaces/loft/")
    assert statements() == before + 2


def test_who_has_as_many_as_they_may_is_told_before(space, desk, alice, bob, soon, look):
    PolicyFactory.create(space=space, max_upcoming=1)
    assert NOTE not in look(alice)
    booking = book(desk, alice, datetime.now(UTC), soon, 1)
    said = "A member may have 1 upcoming booking here at a time."
    assert said in look(alice, 1, 4)
    for who in (None, bob):
        assert NOTE not in look(who, 1, 4)
    assert said not in look(alice, 2, 4, move=booking.code).split('id="results"')[1]
    services.cancel(booking, by=alice, now=datetime.now(UTC))
    assert NOTE not in look(alice, 1, 4)


def test_a_quota_of_a_kind_names_it(space, desk, alice, soon, look):
    PolicyFactory.create(space=space, kind="DESK", max_upcoming=1)
    book(desk, alice, datetime.now(UTC), soon, 1)
    assert "1 upcoming booking here at a time (desk)." in look(alice, 1, 4)
