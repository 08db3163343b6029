"""A change of set-up and a booking at the same moment: one of them knows of the other."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from accounts.factories import UserFactory
from bookings.deciding import services
from bookings.deciding.errors import Refused
from bookings.deciding.invariants import violations
from bookings.deciding.stranding import unfit
from bookings.models import Booking
from bookings.states import State
from bookings.tests import acts
from bookings.tests.asked import shown
from bookings.tests.crowd import at_once
from spaces.factories import open_space
from spaces.models import Place
from spaces.tests.staff import filled_in, list_url, page

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
HOUR = timedelta(hours=1)


@pytest.fixture
def house():
    return open_space(slug="loft", name="Loft", places=1)


@pytest.fixture
def boss():
    boss = UserFactory.create(username="boss", is_superuser=True)
    client = Client()
    client.force_login(boss)
    return client


def book(place, member, starts_at=NOON):
    return acts.book(place, member, datetime.now(UTC), starts_at, 1)


def nothing_is_wrong():
    now = datetime.now(UTC)
    return list(violations(now=now)) == [] and list(unfit(now=now)) == []


def shorter_days(boss, space):
    changes = {f"opening_hours-{n}-closes_at": "11:00" for n in range(7)}
    return filled_in(boss, page(space)) | {"is_active": "on"} | changes


def test_a_booking_at_that_moment_is_shown_or_refused(house, boss):
    desk = house.places.get()
    alice = UserFactory.create(username="alice")
    for day in range(ROUNDS):
        house.opening_hours.update(closes_at="22:00")
        fields = shorter_days(boss, house)
        answer, booking = at_once(
            lambda fields=fields: boss.post(page(house), fields),
            lambda at=NOON + timedelta(days=day): book(desk, alice, at),
        )
        assert (answer.status_code, type(booking)) in {(409, Booking), (302, Refused)}
        assert nothing_is_wrong()
        if isinstance(booking, Booking):  # out of the next round's way
            services.cancel(booking, by=alice, now=datetime.now(UTC))


def test_an_answer_is_not_about_a_booking_made_at_that_moment(house, boss):
    desk = house.places.get()
    alice, bob = UserFactory.create(username="alice"), UserFactory.create(username="bob")
    withdraw = {"action": "withdraw", "_selected_action": [desk.pk]}
    for day in range(ROUNDS):
        Place.objects.update(is_bookable=True)
        noon = NOON + timedelta(days=day)
        book(desk, alice, noon)
        cancel = {"bookings-choice": "cancel", "bookings-reason": "It is broken"}
        gone = withdraw | cancel | shown(boss.post(list_url(Place), withdraw))
        answer, booking = at_once(
            lambda gone=gone: boss.post(list_url(Place), gone),
            lambda at=noon + HOUR: book(desk, bob, at),
        )
        assert (answer.status_code, type(booking)) in {(409, Booking), (302, Refused)}
        if answer.status_code == 409:
            assert boss.post(list_url(Place), gone | shown(answer)).status_code == 302
        assert not Booking.objects.occupying().exists()
        assert nothing_is_wrong()


def test_a_member_who_cancels_at_that_moment_deadlocks_nobody(house, boss):
    desk = house.places.get()
    alice = UserFactory.create(username="alice")
    withdraw = {"action": "withdraw", "_selected_action": [desk.pk]}
    for day in range(ROUNDS):
        Place.objects.update(is_bookable=True)
        booking = book(desk, alice, NOON + timedelta(days=day))
        keep = withdraw | {"bookings-shown": str(booking.code), "bookings-choice": "keep"}
        answer, _cancelled = at_once(
            lambda keep=keep: boss.post(list_url(Place), keep),
            lambda booking=booking: services.cancel(booking, by=alice, now=datetime.now(UTC)),
        )
        assert answer.status_code == 302
        booking.refresh_from_db()
        assert booking.state == State.CANCELLED
        assert nothing_is_wrong()


def test_whoever_is_made_inactive_at_that_moment_books_first_or_not_at_all(house, boss):
    desk = house.places.get()
    for day in range(ROUNDS):
        person = UserFactory.create(username=f"person{day}")
        url = page(person)
        fields = filled_in(boss, url) | {"is_active": ""}
        dates = {f"{name}_{n}": "" for name in ("last_login", "date_joined") for n in (0, 1)}
        answer, booking = at_once(
            lambda url=url, fields=fields | dates: boss.post(url, fields),
            lambda person=person, at=NOON + timedelta(days=day): book(desk, person, at),
        )
        assert (answer.status_code, type(booking)) in {(409, Booking), (302, Refused)}
        assert nothing_is_wrong()


def test_a_booking_at_the_moment_of_another_zone_is_asked_about_or_knows_it(boss):
    """Either it was there, and the list is shown again; or it was made in the new zone."""
    loft = open_space(time_zone="Europe/Berlin", opens_at=time(0), closes_at=time(0), places=2)
    one, two = loft.places.order_by("number")
    alice, bob = UserFactory.create(username="alice"), UserFactory.create(username="bob")
    first = book(one, alice)
    for day in range(ROUNDS):
        zone = ("Europe/London", "Europe/Berlin")[day % 2]
        fields = filled_in(boss, page(loft)) | {"is_active": "on", "time_zone": zone}
        asked = boss.post(page(loft), fields)
        told = fields | shown(asked) | {"bookings-clock": "wall"}
        answer, booking = at_once(
            lambda told=told: boss.post(page(loft), told),
            lambda at=NOON + timedelta(days=day): book(two, bob, at),
        )
        assert isinstance(booking, Booking)
        known = booking.events.count()
        if answer.status_code == 409:
            assert boss.post(page(loft), told | shown(answer)).status_code == 302
            assert booking.events.count() == known + 1
        else:
            assert (answer.status_code, known) == (302, 1)
        services.cancel(booking, by=bob, now=datetime.now(UTC))
        first.refresh_from_db()
        assert first.starts_at.astimezone(ZoneInfo(zone)).hour == NOON.hour + 1  # as in Berlin
        assert nothing_is_wrong()
