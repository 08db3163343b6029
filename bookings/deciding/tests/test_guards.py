"""What keeps a place's parts from changing behind the back of its bookings."""

from datetime import timedelta

import pytest
from django.db import transaction

from bookings.deciding import stranding
from bookings.deciding.invariants import violations
from bookings.deciding.stranding import Act, Answer, Choice, Scope
from bookings.states import State
from bookings.tests.acts import book, hours
from spaces.factories import PlaceFactory
from spaces.services import PartsError, set_parts

pytestmark = pytest.mark.django_db


@pytest.fixture
def hall(space):
    hall = PlaceFactory(space=space, number=10, capacity=2)
    hall.parts.set(space.places.filter(number__in=[1, 2]))
    return hall


@pytest.fixture
def other(space):
    return list(space.places.filter(number__in=[2, 3]))


def test_what_is_to_come_is_in_the_way(hall, other, alice, soon):
    book(hall, alice, soon - hours(20), soon)
    with pytest.raises(PartsError, match="has 1 upcoming booking; its parts can’t change"):
        set_parts(hall, other)


def test_what_is_over_is_not_counted_as_upcoming(hall, other, alice, soon):
    past = soon - timedelta(days=9)
    book(hall, alice, past - hours(20), past)
    book(hall, alice, soon - hours(20), soon)
    with pytest.raises(PartsError, match="has 1 upcoming booking"):
        set_parts(hall, other)


def test_it_is_finished_when_nothing_else_is_in_the_way(hall, other, alice, soon):
    """No worker was there yet; its slots must not stay on parts that the place has no more."""
    past = soon - timedelta(days=9)
    over = book(hall, alice, past - hours(20), past)
    set_parts(hall, other)
    over.refresh_from_db()
    assert over.state == State.COMPLETED
    assert {part.number for part in hall.parts.all()} == {2, 3}
    assert list(violations(now=soon)) == []


def test_a_program_may_answer_for_whatever_is_there(hall, other, alice, soon):
    """The same question, without a page: `shown=None`."""
    booking = book(hall, alice, soon - hours(20), soon)

    def change(answer):
        act = Act(by=None, now=soon - hours(20), answer=answer)
        with transaction.atomic(), stranding.changing(Scope(spaces=[hall.space_id]), act):
            set_parts(hall, other)

    with pytest.raises(stranding.WhatBecomes):
        change(stranding.UNANSWERED)
    assert {part.number for part in hall.parts.all()} == {1, 2}
    change(Answer(shown=None, choice=Choice.KEEP))
    assert booking.events.get(sequence=2).kind == "KEPT"
    assert list(violations(now=soon)) == []
