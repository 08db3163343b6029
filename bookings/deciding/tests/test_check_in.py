"""Checking in: within the window, by the member alone; unclaimed time is released."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from bookings.deciding import services, visits
from bookings.deciding.errors import NotStaff, WrongState
from bookings.deciding.invariants import violations
from bookings.deciding.no_shows import release_unclaimed
from bookings.guests import BY_GUEST
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, book, hours, move
from spaces.factories import PolicyFactory
from spaces.models import Policy

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def minutes(n):
    return timedelta(minutes=n)


@pytest.fixture
def booking(desk, alice, now):
    """Alice, desk 1, 10–12."""
    return book(desk, alice, now)


@pytest.fixture
def policy(space):
    return PolicyFactory.create(space=space, check_in_opens_minutes=10, release_after_minutes=20)


def release(now):
    released = release_unclaimed(now=now)
    assert list(violations(now=now)) == []
    return released


def test_the_window_opens_before_the_start(policy, booking, alice):
    with pytest.raises(WrongState, match=r"Check-in opens on Wed 25 Nov, 9:50\."):
        visits.check_in(booking, by=alice, now=TEN - minutes(10) - SECOND)
    checked_in = visits.check_in(booking, by=alice, now=TEN - minutes(10))
    assert (checked_in.state, checked_in.checked_in_at) == (State.CHECKED_IN, TEN - minutes(10))
    event = booking.events.latest("sequence")
    assert (event.kind, event.actor) == ("CHECKED_IN", alice)


def test_a_second_press_changes_nothing(policy, booking, alice):
    for second in range(2):
        visits.check_in(booking, by=alice, now=TEN + second * SECOND)
    assert booking.events.count() == 2
    assert Booking.objects.get().checked_in_at == TEN


def test_nobody_else_checks_in(policy, booking, bob, host):
    for person in (bob, host, BY_GUEST):
        with pytest.raises(NotStaff):
            visits.check_in(booking, by=person, now=TEN)


def test_a_guest_whom_a_link_has_let_in_can(policy, desk, alice, host, now):
    booking = book(desk, None, now, by=host, guest_name="Ivan")
    with pytest.raises(NotStaff):
        visits.check_in(booking, by=alice, now=TEN)
    assert visits.check_in(booking, by=BY_GUEST, now=TEN).state == State.CHECKED_IN
    event = booking.events.latest("sequence")
    assert (event.actor, event.by_guest) == (None, True)


def test_where_nobody_asks_nobody_has_to(booking, alice):
    with pytest.raises(WrongState, match="Nobody has to"):
        visits.check_in(booking, by=alice, now=TEN)
    assert release(TEN + hours(1)) == 0


def test_unclaimed_time_is_free_that_second(policy, booking, desk, alice, bob):
    assert release(TEN + minutes(20) - SECOND) == 0
    assert release(TEN + minutes(20)) == 1
    stored = Booking.objects.get(pk=booking.pk)
    event = stored.events.latest("sequence")
    assert (stored.state, event.kind, event.actor) == (State.NO_SHOW, "NO_SHOW", None)
    assert book(desk, bob, TEN + minutes(20), TEN + hours(1), 1).state == State.CONFIRMED
    with pytest.raises(WrongState, match="given back"):
        visits.check_in(booking, by=alice, now=TEN + minutes(20))


def test_whoever_comes_before_the_worker_keeps_the_place(policy, booking, alice):
    visits.check_in(booking, by=alice, now=TEN + minutes(21))
    assert release(TEN + minutes(22)) == 0


@pytest.mark.parametrize("verb", [visits.arrive, visits.seat])
def test_whom_the_staff_have_seen_is_not_released(policy, booking, host, verb):
    verb(booking, by=host, now=TEN)
    assert release(TEN + hours(1)) == 0


def test_a_booking_of_time_that_has_begun_is_held_as_long(policy, desk, alice, host):
    book(desk, alice, TEN + minutes(10), by=host)
    assert release(TEN + minutes(29)) == 0
    assert release(TEN + minutes(30)) == 1


def test_what_moved_meanwhile_is_held_where_it_is_now(policy, booking, alice, now):
    move(booking, now, TEN + hours(1))
    assert release(TEN + minutes(20)) == 0
    assert release(TEN + hours(1) + minutes(20)) == 1


def test_who_sits_there_when_the_rule_comes_has_as_long_to_check_in(policy, booking, now):
    Policy.objects.update(changed_at=TEN + hours(1))
    assert release(TEN + hours(1) + minutes(20) - SECOND) == 0
    assert release(TEN + hours(1) + minutes(20)) == 1


def test_short_bookings_are_never_released(policy, space, desk, alice, now):
    PolicyFactory.create(space=space, step_minutes=15, min_minutes=15)
    services.complete_past(now=now)
    PolicyFactory.create(space=space, release_after_minutes=60)
    policy.delete()
    booking = book(desk, alice, now, length=1)
    assert release(booking.ends_at - SECOND) == 0


def test_the_strictest_policy_of_the_persons_groups_counts(space, booking, alice, bob, desk, now):
    group = Group.objects.create(name="trial")
    alice.groups.add(group)
    PolicyFactory.create(space=space, release_after_minutes=30)
    PolicyFactory.create(space=space, release_after_minutes=15, group=group)
    PolicyFactory.create(space=space, release_after_minutes=5, kind="ROOM")
    other = book(space.places.get(number=2), bob, now)
    assert release(TEN + minutes(14)) == 0
    assert release(TEN + minutes(15)) == 1
    assert Booking.objects.get(pk=other.pk).state == State.CONFIRMED
    assert release(TEN + minutes(30)) == 1


def test_other_spaces_keep_their_guests(booking, space):
    PolicyFactory.create(release_after_minutes=1)
    assert release(TEN + hours(1)) == 0
