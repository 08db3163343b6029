"""Walk-ins race with bookings and with each other: real threads, real transactions."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from accounts.factories import UserFactory
from bookings.deciding import services, walk_ins
from bookings.deciding.errors import SlotTaken
from bookings.deciding.invariants import violations
from bookings.deciding.walk_ins import Seat
from bookings.deciding.wish import Wish
from bookings.models import Booking
from bookings.states import State
from bookings.tests.crowd import at_once

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 10
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
HOUR = timedelta(hours=1)


def test_a_place_goes_to_the_walk_in_or_to_the_booking(space, host, bob):
    """The walk-in that lost sits at the next best place; the booking that lost is rejected."""
    first, second, _third = space.places.by_number()
    for n in range(ROUNDS):
        at = NOON + timedelta(days=n)
        seats = [Seat(first, at + HOUR), Seat(second, at + HOUR)]
        wish = Wish(place=first, member=bob, starts_at=at, ends_at=at + HOUR)
        came, booked = at_once(
            partial(walk_ins.seat_one_of, seats, people=1, by=host, now=at),
            partial(services.book, wish, by=bob, now=at),
        )
        assert (came.state, booked.member) == (State.CHECKED_IN, bob)
        assert (came.place == first) == (booked.state == State.REJECTED)
    assert list(violations(now=NOON)) == []


def test_parties_at_once_get_a_place_and_a_number_each(space, manager, host):
    hosts = [host, manager, UserFactory.create(is_superuser=True), host]
    for n in range(ROUNDS):
        at = NOON + timedelta(days=n)
        seats = [Seat(place, at + HOUR) for place in space.places.by_number()]
        found = at_once(
            *(partial(walk_ins.seat_one_of, seats, people=1, by=by, now=at) for by in hosts)
        )
        seated = [each for each in found if isinstance(each, Booking)]
        assert len({each.place for each in seated}) == len(seated) == 3
        assert {each.guest_name for each in seated} == {"Walk-in 1", "Walk-in 2", "Walk-in 3"}
        assert [type(each) for each in found if each not in seated] == [SlotTaken]
    assert list(violations(now=NOON)) == []


def test_the_same_press_twice_seats_once(space, host):
    for n in range(ROUNDS):
        at = NOON + timedelta(days=n)
        seats = [Seat(place, at + HOUR) for place in space.places.by_number()]
        seat = partial(
            walk_ins.seat_one_of, seats, people=1, by=host, now=at, request_key=f"key {n}"
        )
        first, second = at_once(seat, seat)
        assert first == second
    assert Booking.objects.count() == ROUNDS


def test_undone_and_booked_at_once_leaves_no_slot_behind(space, host, bob):
    desk = space.places.get(number=1)
    for n in range(ROUNDS):
        at = NOON + timedelta(days=n)
        came = walk_ins.seat_one_of([Seat(desk, at + HOUR)], people=1, by=host, now=at)
        wish = Wish(place=desk, member=bob, starts_at=at, ends_at=at + HOUR)
        undone, booked = at_once(
            partial(walk_ins.undo, came, by=host, now=at),
            partial(services.book, wish, by=bob, now=at),
        )
        assert undone.state == State.CANCELLED
        assert booked.state in {State.CONFIRMED, State.REJECTED}
    assert list(violations(now=NOON)) == []
