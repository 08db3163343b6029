"""A killed worker's request is soon decided by another, a slow worker's is left to it."""

from datetime import timedelta

import pytest

from bookings.deciding.claims import PUT_OFF, held, lease_from, renew_claims
from bookings.deciding.invariants import violations
from bookings.deciding.queueing import decide_next
from bookings.deciding.transitions import claim
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import ask
from config.management.commands.worker import heartbeat

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def claimed(desk, alice, now):
    """A request that a worker of this process has claimed, and its lease."""
    booking, until = ask(desk, alice, now), lease_from(now)
    claim(booking.pk, lease=None, until=until, now=now)
    return booking.pk, until


def test_whoever_is_killed_leaves_its_request_to_others_within_ten_seconds(claimed, now):
    renew_claims(now=now + 5 * SECOND)  # by another worker, which doesn't hold it
    assert decide_next(now=now + 10 * SECOND) == 1
    assert Booking.objects.get().state == State.CONFIRMED


def test_a_slow_worker_keeps_its_request(claimed, now):
    with held(*claimed, now=now):
        for _ in range(4):
            now += 5 * SECOND
            renew_claims(now=now)
        assert decide_next(now=now + 5 * SECOND) == 0
    assert list(violations(now=now)) == []


def test_it_renews_no_longer_than_it_decides(claimed, now):
    with held(*claimed, now=now):
        pass
    renew_claims(now=now + 5 * SECOND)
    assert Booking.objects.get().lease_expires_at == claimed[1]


def test_what_another_took_over_is_not_renewed(claimed, now):
    pk, until = claimed
    later = until + 3 * SECOND
    with held(pk, until, now=now):
        claim(pk, lease=until, until=later, now=until)
        renew_claims(now=until + 60 * SECOND)
    assert Booking.objects.get().lease_expires_at == later


def test_what_is_decided_is_not_renewed(claimed, now):
    pk, until = claimed
    with held(pk, until, now=now):
        decide_next(now=until)
        renew_claims(now=until + SECOND)
    assert Booking.objects.get().lease_expires_at is None


def test_a_decision_that_failed_is_left_alone_for_longer(claimed, now):
    with pytest.raises(ValueError, match="no"), held(*claimed, now=now):
        raise ValueError("no")
    until = lease_from(now, times=PUT_OFF)
    assert decide_next(now=until - SECOND) == 0
    assert decide_next(now=until) == 1


def test_every_worker_renews_beside_its_heartbeat():
    with heartbeat() as signs:
        assert renew_claims in [task.step for task in signs]
