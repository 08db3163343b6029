"""Pushing tables together: a place made of other places."""

from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from spaces import services, setups
from spaces.factories import PlaceFactory
from spaces.services import PartsError, set_parts

pytestmark = pytest.mark.django_db


@pytest.fixture
def places(space):
    return [PlaceFactory(space=space, number=number) for number in range(10, 15)]


@pytest.fixture
def asked(monkeypatch):
    """The places whose bookings were checked."""
    places = []
    monkeypatch.setattr(services, "objections", [lambda place: places.append(place)])
    return places


def parts_of(place):
    return set(place.parts.all())


def test_a_place_gets_parts(places, now):
    hall, one, two, *_ = places
    set_parts(hall, [one, two])
    assert parts_of(hall) == {one, two}


def test_parts_are_replaced(places, now):
    hall, one, two, three, _ = places
    set_parts(hall, [one, two])
    set_parts(hall, [two, three])
    assert parts_of(hall) == {two, three}


def test_without_parts_it_is_a_simple_place_again(places, now):
    hall, one, *_ = places
    set_parts(hall, [one])
    set_parts(hall, [])
    venue = setups.current(hall.space_id).venue((), now)
    assert venue.leaves(hall.pk) == {hall.pk}


def test_a_place_may_be_part_of_two(places, now):
    left, right, shared, *_ = places
    set_parts(left, [shared])
    set_parts(right, [shared])
    assert set(shared.wholes.all()) == {left, right}


def test_the_capacity_stays_what_it_was(places, now):
    hall, one, two, *_ = places
    set_parts(hall, [one, two])
    hall.refresh_from_db()
    assert hall.capacity == 1


def test_parts_of_another_space_are_refused(places, now):
    with pytest.raises(PartsError, match="in the same space"):
        set_parts(places[0], [PlaceFactory()])


def test_a_place_is_not_a_part_of_itself(places, now):
    with pytest.raises(PartsError, match="a part of itself"):
        set_parts(places[0], [places[0], places[1]])


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_cycles_are_refused_at_any_depth(places, now, depth):
    for whole, part in pairwise(places[: depth + 1]):
        set_parts(whole, [part])
    with pytest.raises(PartsError, match="a part of itself"):
        set_parts(places[depth], [places[0]])
    assert parts_of(places[depth]) == set()


def test_a_place_and_everything_it_is_part_of_are_checked(places, asked, now):
    building, hall, half, table, other = places
    building.parts.add(hall)
    hall.parts.add(half, other)
    set_parts(half, [table])
    assert asked == [building, hall, half]


def test_nothing_is_checked_when_nothing_changes(places, asked, now):
    hall, one, *_ = places
    hall.parts.add(one)
    set_parts(hall, [one])
    assert asked == []


def test_an_objection_is_an_error_and_changes_nothing(places, monkeypatch, now):
    monkeypatch.setattr(services, "objections", [lambda place: f"{place} is in use."])
    with pytest.raises(PartsError, match="Desk 10 is in use"):
        set_parts(places[0], [places[1]])
    assert parts_of(places[0]) == set()


def test_an_objection_to_a_whole_is_an_error_too(places, monkeypatch, now):
    hall, half, table, *_ = places
    hall.parts.add(half)
    objection = lambda place: "In use." if place == hall else None  # noqa: E731  # short
    monkeypatch.setattr(services, "objections", [objection])
    with pytest.raises(PartsError, match="In use"):
        set_parts(half, [table])


def test_the_number_of_queries_does_not_grow_with_places(places, space, now):
    hall, one, two, three, _ = places
    with CaptureQueriesContext(connection) as few:
        set_parts(hall, [one])
    for number in range(100, 130):
        PlaceFactory(space=space, number=number)
    with CaptureQueriesContext(connection) as many:
        set_parts(two, [three])
    assert len(few) == len(many)
