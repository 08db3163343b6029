"""Cancelling: the service first, then the page."""

from datetime import time, timedelta
from uuid import uuid4

import pytest

from accounts.factories import StaffRoleFactory
from bookings.deciding import services
from bookings.deciding.errors import TooLate, WrongState
from bookings.deciding.transitions import move_to
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, book, hours, local, move
from spaces.factories import PolicyFactory, open_space

pytestmark = pytest.mark.django_db
ALL_DAY = {"opens_at": time(0), "closes_at": time(0)}


@pytest.fixture
def booking(desk, alice, now):
    return book(desk, alice, now)


def test_the_place_is_given_back_and_the_booking_kept(booking, desk, alice, bob, now):
    services.cancel(booking, by=alice, now=now)

    booking.refresh_from_db()
    assert booking.state == State.CANCELLED
    assert booking.booked_slots.count() == 0
    assert list(booking.events.order_by("sequence").values_list("sequence", "kind", "actor")) == [
        (1, "CONFIRMED", alice.pk),
        (2, "CANCELLED", alice.pk),
    ]
    assert book(desk, bob, now).state == State.CONFIRMED


def test_it_can_be_cancelled_once(booking, alice, now):
    services.cancel(booking, by=alice, now=now)
    with pytest.raises(WrongState):
        services.cancel(booking, by=alice, now=now)
    assert booking.events.count() == 2


def test_a_member_may_until_the_deadline_and_not_a_second_later(space, booking, alice):
    PolicyFactory.create(space=space, cancel_deadline_minutes=90)
    PolicyFactory.create(space=space, kind="DESK", cancel_deadline_minutes=120)
    deadline = TEN - hours(2)
    with pytest.raises(TooLate):
        services.cancel(booking, by=alice, now=deadline + timedelta(seconds=1))
    assert services.cancel(booking, by=alice, now=deadline).state == State.CANCELLED


def test_a_member_may_not_cancel_a_booking_that_has_started(booking, alice):
    with pytest.raises(TooLate):
        services.cancel(booking, by=alice, now=TEN)


def test_staff_may_until_the_end_and_say_why(space, booking, host):
    PolicyFactory.create(space=space, cancel_deadline_minutes=120)
    services.cancel(booking, by=host, now=TEN + hours(1), reason="Water on the floor")
    assert booking.events.get(sequence=2).reason == "Water on the floor"


def test_nobody_cancels_a_past_booking(booking, host):
    with pytest.raises(WrongState):
        services.cancel(booking, by=host, now=TEN + hours(2))


def test_staff_of_another_space_has_no_exemption(booking):
    stranger = StaffRoleFactory.create(role="MANAGER").user
    with pytest.raises(TooLate):
        services.cancel(booking, by=stranger, now=TEN)


@pytest.mark.parametrize(
    ("zone", "starts", "last_moment"),
    [
        # Two hours before, in elapsed time: nights of 25 and 23 hours included.
        ("Europe/Berlin", "2026-10-25T04:00", "2026-10-25T02:00+01:00"),
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00+02:00"),
        ("Europe/Berlin", "2026-03-29T04:00", "2026-03-29T01:00"),
        ("Asia/Kathmandu", "2026-11-25T10:00", "2026-11-25T08:00"),
        ("Europe/Moscow", "2026-11-25T01:00", "2026-11-24T23:00"),
    ],
)
def test_the_deadline_is_elapsed_time_in_every_zone(alice, zone, starts, last_moment):
    space = open_space(time_zone=zone, places=1, **ALL_DAY)
    PolicyFactory.create(space=space, cancel_deadline_minutes=120)
    starts_at, deadline = local(space, starts), local(space, last_moment)
    booking = book(space.places.get(), alice, starts_at - hours(48), starts_at, length=1)
    with pytest.raises(TooLate):
        services.cancel(booking, by=alice, now=deadline + timedelta(seconds=1))
    services.cancel(booking, by=alice, now=deadline)


def test_a_booking_moved_meanwhile_is_cancelled_where_it_is(space, booking, alice, now):
    stale = Booking.objects.with_place().get()
    move(booking, now, TEN + hours(4), place=space.places.get(number=2))
    services.cancel(stale, by=alice, now=now)
    told = booking.events.get(sequence=3).data
    assert (told["place"]["name"], told["starts_at"]) == ("Desk 2", "2026-11-25T14:00:00+00:00")


def test_a_decision_based_on_an_old_time_is_not_carried_out(booking, now):
    """The worker read a booking whose time was over; it has just been moved to tomorrow."""
    stale = Booking.objects.with_place().get()
    move(booking, now, TEN + hours(24))
    with pytest.raises(WrongState):
        move_to(State.COMPLETED, stale, by=None, now=TEN + hours(2))
    booking.refresh_from_db()
    assert booking.state == State.CONFIRMED


def test_after_a_move_the_new_start_counts(booking, alice, now):
    move(booking, now, TEN + hours(4))
    assert services.cancel(booking, by=alice, now=TEN + hours(1)).state == State.CANCELLED


class TestPage:
    @pytest.fixture
    def upcoming(self, desk, alice, soon):
        return book(desk, alice, soon - hours(24), soon)

    def test_post_cancels_and_returns_to_the_booking(self, client, upcoming, alice):
        client.force_login(alice)
        answer = client.post(f"/bookings/{upcoming.code}/cancel/")
        assert (answer.status_code, answer.url) == (302, f"/bookings/{upcoming.code}/?cancelled=1")
        upcoming.refresh_from_db()
        assert upcoming.state == State.CANCELLED

    def test_get_asks_first(self, client, upcoming, alice):
        client.force_login(alice)
        answer = client.get(f"/bookings/{upcoming.code}/cancel/")
        assert answer.status_code == 200
        upcoming.refresh_from_db()
        assert upcoming.state == State.CONFIRMED

    def test_cancelling_twice_says_so(self, client, upcoming, alice):
        client.force_login(alice)
        client.post(f"/bookings/{upcoming.code}/cancel/")
        answer = client.post(f"/bookings/{upcoming.code}/cancel/", follow=True)
        assert [str(m) for m in answer.context["messages"]][-1] == (
            "This booking is already cancelled."
        )
        assert upcoming.events.count() == 2

    def test_somebody_elses_booking_is_not_found(self, client, upcoming, bob):
        client.force_login(bob)
        assert client.post(f"/bookings/{upcoming.code}/cancel/").status_code == 404
        assert client.get(f"/bookings/{upcoming.code}/cancel/").status_code == 404

    def test_an_unknown_code_is_not_found(self, client, alice):
        client.force_login(alice)
        assert client.post(f"/bookings/{uuid4()}/cancel/").status_code == 404

    def test_a_visitor_is_asked_to_sign_in(self, client, upcoming):
        path = f"/bookings/{upcoming.code}/cancel/"
        answer = client.post(path)
        assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={path}")

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_other_methods_are_not_allowed(self, client, upcoming, alice, method):
        client.force_login(alice)
        answer = getattr(client, method)(f"/bookings/{upcoming.code}/cancel/")
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
