"""What is offered instead of a place that isn't available."""

from datetime import time

import pytest

from bookings.finding.availability import alternatives
from bookings.tests.acts import TEN, book, hours, local
from spaces import setups
from spaces.factories import PlaceFactory, PolicyFactory, open_space
from spaces.slots import Period

pytestmark = pytest.mark.django_db


def near(place, now, starts_at=TEN, length=2, party_size=1, but=None):
    setup = setups.current(place.space_id)
    found = alternatives(
        setup,
        setup.venue((), now),
        place,
        Period(starts_at, starts_at + hours(length)),
        party_size=party_size,
        now=now,
        but=but,
    )
    return [(offer.place.number, offer.period.starts_at) for offer in found]


def test_two_places_at_the_same_time_then_the_same_place_at_the_nearest(desk, alice, now):
    book(desk, alice, now)
    assert near(desk, now) == [(2, TEN), (3, TEN), (1, TEN - hours(2))]


def test_a_full_hour_leaves_the_same_place_at_other_times(space, desk, alice, now):
    for place in space.places.all():
        book(place, alice, now)
    assert near(desk, now) == [
        (1, TEN - hours(2)),
        (1, TEN + hours(2)),
        (1, TEN + hours(3)),
    ]


def test_a_full_day_of_one_place_leaves_the_others(space, desk, alice, now):
    book(desk, alice, now, starts_at=TEN - hours(2), length=14)
    book(space.places.get(number=2), alice, now)
    assert near(desk, now) == [(3, TEN), (3, TEN - hours(1)), (3, TEN + hours(1))]


def test_the_same_kind_comes_first(space, desk, alice, now):
    PlaceFactory.create(space=space, number=4, kind="ROOM")
    book(desk, alice, now)
    assert near(desk, now)[:2] == [(2, TEN), (3, TEN)]


def test_they_have_room_for_the_party(space, desk, now):
    PlaceFactory.create(space=space, number=4, capacity=4, kind="ROOM")
    assert {number for number, _ in near(desk, now, party_size=3)} == {4}


def test_they_keep_the_rules(space, desk, now):
    PolicyFactory.create(space=space, min_notice_minutes=6 * 60)
    assert all(starts_at >= now + hours(6) for _, starts_at in near(desk, now))


def test_no_alternative_is_listed_twice(desk, now):
    found = near(desk, now)
    assert len(found) == len(set(found)) == 3


@pytest.mark.parametrize("length", [0, -1, 30, 24 * 400])
def test_an_impossible_time_has_none(desk, now, length):
    assert near(desk, now, length=length) == []


def test_a_day_too_far_ahead_has_none(desk, now):
    assert near(desk, now, starts_at=TEN + hours(24 * 3000)) == []
    assert near(desk, now, starts_at=TEN - hours(24 * 3000)) == []


def test_an_off_grid_time_still_finds_the_nearest(desk, now):
    assert near(desk, now, starts_at=TEN + hours(0.25))[0] == (1, TEN)


def test_after_midnight_they_belong_to_the_same_night(alice, now):
    space = open_space(time_zone="Europe/Moscow", places=1, opens_at=time(18), closes_at=time(2))
    table = space.places.get()
    book(table, alice, now, local(space, "2026-11-26T00:00"), length=1)
    assert near(table, now, local(space, "2026-11-26T00:00"), length=1) == [
        (1, local(space, "2026-11-25T23:00")),
        (1, local(space, "2026-11-26T01:00")),
        (1, local(space, "2026-11-25T22:00")),
    ]


def test_the_booking_that_moves_is_not_in_its_own_way(desk, alice, now):
    mine = book(desk, alice, now, length=1)
    assert near(desk, now)[2] == (1, TEN + hours(1))
    assert near(desk, now, but=mine)[2] == (1, TEN)
