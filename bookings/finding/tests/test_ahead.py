"""What a member has ahead, prepared, is what the queryset would find."""

from datetime import timedelta

import pytest

from bookings.deciding import services
from bookings.finding import ahead
from bookings.models import Booking
from bookings.querysets import REFUSALS_SHOWN_FOR
from bookings.states import State
from bookings.tests.acts import book, hours
from spaces.factories import open_space

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def mine(space, alice, bob, now):
    """Bookings of every kind, around this moment and at the borders of what is shown."""
    desks = list(space.places.order_by("number"))
    for n, desk in enumerate(desks):
        book(desk, alice, now, now.replace(hour=10, minute=0) + timedelta(days=n))
        book(desk, bob, now, now.replace(hour=14, minute=0))
    gone = book(desks[0], alice, now, now.replace(hour=18, minute=0))
    services.cancel(gone, by=alice, now=now)
    made = []
    for state in State:
        for age in (hours(1), REFUSALS_SHOWN_FOR, REFUSALS_SHOWN_FOR + SECOND):
            row = book(
                desks[1], alice, now, now.replace(hour=16, minute=0) + timedelta(days=len(made) + 3)
            )
            decided = None if state in {State.CREATED, State.CHECKING_AVAILABILITY} else now - age
            Booking.objects.filter(pk=row.pk).update(
                state=state,
                decided_at=decided,
                created_at=now - age - SECOND,
                checked_in_at=now if state == State.CHECKED_IN else None,
                hold_expires_at=now if state == State.OFFERED else None,
            )
            made.append(row)
    far = open_space(slug="far", places=1, time_zone="Asia/Vladivostok")
    book(far.places.get(), alice, now, now.replace(hour=0, minute=0) + timedelta(days=1), length=1)
    return made


@pytest.mark.parametrize("later", [timedelta(0), hours(4), timedelta(days=2), timedelta(days=400)])
def test_it_is_what_the_queryset_finds(mine, alice, now, later):
    at = now + later
    expected = Booking.objects.of(alice).ahead(at).with_place()
    found = ahead.of(alice, now=at)
    assert len(found) == len(expected)
    assert {row.pk: vars(row).keys() for row in found} == {
        row.pk: vars(row).keys() for row in expected
    }
    shown = [row.starts_at.astimezone(row.place.space.zone).replace(tzinfo=None) for row in found]
    assert shown == sorted(shown)


def test_whatever_was_refused_a_day_ago_is_no_longer_shown(mine, alice, now):
    refused = [row for row in ahead.of(alice, now=now) if row.state == State.REJECTED]
    assert len(refused) == 2


def test_it_is_one_statement(mine, alice, now, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert all(row.place.space.name for row in ahead.of(alice, now=now))
