"""Set-ups that are read once and kept until they change."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from spaces import setups, triggers
from spaces.factories import ClosureFactory, PlaceFactory
from spaces.models import Closure, Place

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_no_trigger_is_missing():
    assert triggers.missing(connection) == []


def test_what_is_known_takes_one_statement(django_assert_num_queries):
    place = PlaceFactory()
    with django_assert_num_queries(2):
        first = setups.current(place.space.pk)
    with django_assert_num_queries(1):
        assert setups.current(place.space.slug) is first


def test_a_change_is_seen():
    place = PlaceFactory()
    first = setups.current(place.space.pk)
    ClosureFactory(space=place.space, starts_at=NOON, ends_at=NOON + timedelta(hours=1))
    second = setups.current(place.space.pk)
    assert second.stamp != first.stamp
    assert len(second.venue((), NOON).closures) == 1
    Place.objects.update(name="x")
    third = setups.current(place.space.pk)
    assert third.stamp != second.stamp
    assert third.places[0].name == "x"
    Closure.objects.all().delete()
    assert setups.current(place.space.pk).venue((), NOON).closures == ()
    other = PlaceFactory(space=place.space)
    before = setups.current(place.space.pk)
    place.parts.add(other)
    assert setups.current(place.space.pk).venue((), NOON).parts == {place.pk: (other.pk,)}
    assert setups.current(place.space.pk).stamp != before.stamp
