"""The staff's presses race with bookings: one of the two has the time, and both are told the truth.

Real threads, real transactions. Either may win; nobody loses what was confirmed.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from bookings.deciding import services, undoing, visits, walk_ins
from bookings.deciding.choosing import book_party
from bookings.deciding.errors import SlotTaken
from bookings.deciding.invariants import violations
from bookings.deciding.walk_ins import Seat
from bookings.deciding.wish import PartyWish, Wish
from bookings.models import Booking
from bookings.states import State
from bookings.tests.crowd import Together

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def two():
    threads = Together(2)
    yield threads.at_once
    threads.close()


@pytest.fixture(autouse=True)
def sound():
    yield
    assert [str(each) for each in violations(now=datetime.now(UTC))] == []


def wish(place, member, starts_at, hours=1):
    return Wish(place=place, member=member, starts_at=starts_at, ends_at=starts_at + hours * HOUR)


def book(place, member, starts_at, hours=1, now=None):
    wished = wish(place, member, starts_at, hours)
    return services.book(wished, by=member, now=now or starts_at - HOUR)


def days():
    return [NOON + timedelta(days=n) for n in range(ROUNDS)]


def held(place, at):
    """Return whose a place is at that time."""
    there = Booking.objects.occupying().filter(place=place, starts_at__lte=at, ends_at__gt=at)
    return there.get()


def test_a_walk_in_and_a_party_online_for_the_last_table(space, desk, host, bob, two):
    space.places.exclude(pk=desk.pk).update(is_bookable=False)
    for at in days():
        party = PartyWish(space=space, member=bob, starts_at=at, ends_at=at + HOUR)
        came, booked = two(
            partial(walk_ins.seat_one_of, [Seat(desk, at + HOUR)], people=1, by=host, now=at),
            partial(book_party, party, by=bob, now=at),
        )
        if booked.state == State.CONFIRMED:
            assert (type(came), held(desk, at)) == (SlotTaken, booked)
        else:
            assert (booked.state, held(desk, at)) == (State.REJECTED, came)


def test_staying_longer_and_the_next_booking(space, desk, alice, bob, host, two):
    for at in days():
        here = visits.arrive(book(desk, alice, at), by=host, now=at)
        longer = at + HOUR + 30 * MINUTE
        stayed, booked = two(
            partial(visits.extend, here, ends_at=longer, by=host, now=at + 50 * MINUTE),
            partial(book, desk, bob, at + HOUR, now=at + 50 * MINUTE),
        )
        here.refresh_from_db()
        if booked.state == State.CONFIRMED:
            assert (type(stayed), here.ends_at) == (SlotTaken, at + HOUR)
            assert held(desk, at + HOUR) == booked
        else:
            assert (booked.state, here.ends_at) == (State.REJECTED, longer)
            assert held(desk, at + HOUR) == here


def test_a_move_and_a_booking_for_one_time(space, desk, alice, bob, host, two):
    second = space.places.get(number=2)
    for at in days():
        moving = book(second, alice, at)
        to = {"place": desk, "starts_at": at, "ends_at": at + HOUR}
        moved, booked = two(
            partial(services.reschedule, moving, **to, by=host, now=at - HOUR),
            partial(book, desk, bob, at),
        )
        moving.refresh_from_db()
        if booked.state == State.CONFIRMED:
            # What was confirmed stays where it was.
            assert (type(moved), held(second, at), held(desk, at)) == (SlotTaken, moving, booked)
        else:
            assert (booked.state, held(desk, at)) == (State.REJECTED, moving)
            assert not Booking.objects.occupying().filter(place=second, starts_at=at).exists()


def test_two_moves_to_one_time(space, desk, alice, bob, host, two):
    second, third = space.places.get(number=2), space.places.get(number=3)
    for at in days():
        both = [book(second, alice, at), book(third, bob, at)]
        to = {"place": desk, "starts_at": at, "ends_at": at + HOUR}
        found = two(*[partial(services.reschedule, b, **to, by=host, now=at - HOUR) for b in both])
        won = [each for each in found if isinstance(each, Booking)]
        assert (len(won), held(desk, at)) == (1, won[0])
        assert [type(each) for each in found if each not in won] == [SlotTaken]
        kept = next(each for each in both if each != won[0])
        assert held(kept.place, at) == kept


def test_left_taken_back_and_the_freed_time_booked(space, desk, alice, bob, host, two):
    for at in days():
        here = visits.arrive(book(desk, alice, at, 2), by=host, now=at)
        left_at = at + HOUR
        visits.leave(here, by=host, now=left_at)
        event = here.events.latest("sequence").sequence
        back, booked = two(
            partial(undoing.undo, here, event=event, by=host, now=left_at + timedelta(seconds=5)),
            partial(book, desk, bob, left_at, now=left_at),
        )
        here.refresh_from_db()
        if booked.state == State.CONFIRMED:
            assert (type(back), here.state) == (SlotTaken, State.COMPLETED)
            assert held(desk, left_at) == booked
        else:
            assert (booked.state, here.state) == (State.REJECTED, State.CHECKED_IN)
            assert (here.ends_at, held(desk, left_at)) == (at + 2 * HOUR, here)


def test_a_no_show_taken_back_and_the_freed_time_booked(space, desk, alice, bob, host, two):
    for at in days():
        missed = book(desk, alice, at, 2)
        visits.no_show(missed, by=host, now=at + 10 * MINUTE)
        event = missed.events.latest("sequence").sequence
        back, booked = two(
            partial(undoing.undo, missed, event=event, by=host, now=at + 10 * MINUTE),
            partial(book, desk, bob, at + HOUR, now=at + 10 * MINUTE),
        )
        missed.refresh_from_db()
        if booked.state == State.CONFIRMED:
            assert (type(back), missed.state) == (SlotTaken, State.NO_SHOW)
        else:
            assert (booked.state, missed.state) == (State.REJECTED, State.CONFIRMED)
