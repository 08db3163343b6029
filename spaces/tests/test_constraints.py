"""What the database itself refuses, whoever writes to it."""

from datetime import UTC, datetime, time

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from spaces.factories import ClosureFactory, OpeningHoursFactory, PlaceFactory, PolicyFactory
from spaces.models import Closure, Place

pytestmark = pytest.mark.django_db


def refused(make):
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


def test_a_number_twice_in_a_space(desk):
    refused(lambda: PlaceFactory(space=desk.space, number=desk.number))


def test_a_number_in_two_spaces_is_fine(desk):
    assert PlaceFactory(number=desk.number).number == desk.number


def test_a_place_for_nobody(space):
    refused(lambda: PlaceFactory(space=space, capacity=0))


def test_an_invalid_weekday(space):
    refused(lambda: OpeningHoursFactory(space=space, weekday=7))


def test_the_same_opening_twice(space):
    refused(lambda: OpeningHoursFactory(space=space, weekday=0, opens_at=time(8)))


@pytest.mark.parametrize("ends", [9, 10])
def test_a_closure_that_ends_before_it_starts(space, ends):
    starts_at, ends_at = (datetime(2026, 11, 25, hour, tzinfo=UTC) for hour in (10, ends))
    refused(lambda: ClosureFactory(space=space, starts_at=starts_at, ends_at=ends_at))


@pytest.mark.parametrize("step", [0, 14, 1441])
def test_a_step_out_of_bounds(space, step):
    refused(lambda: PolicyFactory(space=space, step_minutes=step))


def test_a_space_with_places_is_not_deleted(space):
    with pytest.raises(ProtectedError):
        space.delete()


def test_a_closure_of_a_place_elsewhere_is_explained(space):
    closure = Closure(
        space=space,
        place=PlaceFactory(),
        starts_at=datetime(2026, 11, 25, 10, tzinfo=UTC),
        ends_at=datetime(2026, 11, 25, 11, tzinfo=UTC),
        reason="Repairs",
    )
    with pytest.raises(ValidationError, match="in another space"):
        closure.full_clean()


def test_a_closure_is_on_quarter_hours(space):
    closure = ClosureFactory.build(space=space, starts_at=datetime(2026, 1, 1, 9, 1, tzinfo=UTC))
    with pytest.raises(ValidationError, match="quarter hour"):
        closure.full_clean()


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (Place(kind="ROOM", number=3), "Room 3"),
        (Place(kind="ROOM", number=3, name="Volga"), "Volga"),
        (OpeningHoursFactory.build(opens_at=time(18), closes_at=time(2)), "Monday 18:00–2:00"),
        (PolicyFactory.build(), "everyone, every kind"),
        (PolicyFactory.build(kind="DESK"), "desk"),
    ],
)
def test_rows_have_readable_names(row, shown):
    assert str(row) == shown


def test_features_are_shown_in_words():
    assert Place(features=["phone", "gone", "quiet"]).feature_labels == [
        "phone calls welcome",
        "quiet",
    ]
