"""The check and its repair while people book: what is right is never reported nor touched."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.factories import UserFactory
from bookings.deciding import services
from bookings.deciding.invariants import Violation, violations
from bookings.deciding.repairing import repair_slots
from bookings.deciding.tests import corruption
from bookings.models import Booking
from bookings.states import State
from bookings.tests import acts
from bookings.tests.crowd import at_once
from spaces.factories import open_space

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 8
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)


@pytest.fixture
def desk():
    return open_space(slug="loft", name="Loft", places=1).places.get()


@pytest.fixture
def alice():
    return UserFactory.create(username="alice")


def found():
    return list(violations(now=datetime.now(UTC)))


def book(place, member, starts_at):
    return acts.book(place, member, datetime.now(UTC), starts_at, 1)


def cancel(booking):
    return services.cancel(booking, by=booking.member, now=datetime.now(UTC))


def mend(booking, kind="slots missing"):
    violation = Violation("slots", str(booking.code), "seen earlier", kind)
    return repair_slots(violation, datetime.now(UTC))


def test_a_booking_that_commits_during_the_check_is_not_reported(desk, alice):
    for day in range(ROUNDS):
        seen, booking = at_once(found, lambda at=NOON + timedelta(days=day): book(desk, alice, at))
        assert seen == []
        seen, _cancelled, repair = at_once(
            found, lambda booking=booking: cancel(booking), lambda booking=booking: mend(booking)
        )
        assert (seen, repair.done) == ([], "")
    assert found() == []


def test_missing_slots_go_to_the_booking_or_to_its_rival_never_to_both(desk, alice):
    bob = UserFactory.create(username="bob")
    for day in range(ROUNDS):
        at = NOON + timedelta(days=day)
        mine = book(desk, alice, at)
        corruption.delete_slots(mine)
        repair, rival = at_once(lambda mine=mine: mend(mine), lambda at=at: book(desk, bob, at))
        rival_has_it = isinstance(rival, Booking) and rival.state == State.CONFIRMED
        assert bool(repair.left) == rival_has_it
        assert mine.booked_slots.count() == (0 if rival_has_it else 4)
        if rival_has_it:
            cancel(rival)
            assert mend(mine).left == ""
        assert found() == []


def test_a_booking_cancelled_at_that_moment_gets_no_slots(desk, alice):
    for day in range(ROUNDS):
        booking = book(desk, alice, NOON + timedelta(days=day))
        corruption.delete_slots(booking)
        at_once(lambda booking=booking: mend(booking), lambda booking=booking: cancel(booking))
        assert found() == []
        assert not booking.booked_slots.exists()


def test_two_repairs_at_once_mend_once(desk, alice):
    for day in range(ROUNDS):
        booking = book(desk, alice, NOON + timedelta(days=day))
        corruption.delete_slots(booking)
        repairs = at_once(*[lambda booking=booking: mend(booking)] * 2)
        assert sorted(bool(repair.done) for repair in repairs) == [False, True]
        assert {repair.left for repair in repairs} == {""}
        assert found() == []
