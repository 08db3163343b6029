"""Who should have heard of an event is found out, even if they never heard anything."""

from dataclasses import replace
from uuid import UUID

import pytest

from chaos.checker import QUARTER, Booking
from chaos.history import Heard
from chaos.judging.run import Run
from chaos.judging.tables import MAILED, Endpoint, Event, Row, Tables
from chaos.judging.telling import unheard
from chaos.tests.world import CANCELS, HOOK, KAFKA, NINE, PLACES, START

pytestmark = pytest.mark.any_database

CODE = str(UUID(int=1))
BOOKING = Booking(1, UUID(int=1), 1, "k", 1, NINE, NINE + QUARTER, "CONFIRMED")
EVENT = Event(1, 1, 1, "CONFIRMED", START, "CONFIRMED", PLACES[1].code, NINE, NINE + QUARTER)
MAIL = Endpoint(4, "mail", None, MAILED, True, START - 900, True)


def found(*heard, endpoints):
    row = Row(BOOKING, "m1", (), START)
    left = Tables(rows=[row], places=PLACES, events={1: [EVENT]}, endpoints=endpoints)
    return [*unheard(Run.of(heard, left))]


def heard(listener, words="booking.confirmed", number=1):
    return Heard(listener, START, f"{CODE}.{number}", CODE, words, number)


def test_a_stranger_who_hears_something_is_found():
    said = found(heard("hook"), heard("stranger"), endpoints=[HOOK])
    assert said == ["stranger heard something, but is no listener"]


@pytest.mark.parametrize(
    ("endpoint", "is_missed"),
    [
        (HOOK, True),
        (KAFKA, True),
        (CANCELS, False),  # other events
        (replace(HOOK, space=2), False),
        (replace(HOOK, since=START + 1), False),  # listens since later
        (replace(HOOK, is_active=False, was_sent=False), False),
        (replace(KAFKA, was_sent=False), False),  # there is no broker
        (MAIL, False),  # it may be printed
    ],
)
def test_who_never_heard_anything_is_found_if_they_listen(endpoint, is_missed):
    missed = f"{endpoint.name} missed CONFIRMED 1 of {CODE}: not even queued"
    assert found(endpoints=[endpoint]) == [missed] * is_missed


def test_what_comes_twice_is_right():
    assert found(heard("hook"), heard("hook"), endpoints=[HOOK]) == []


@pytest.mark.parametrize("listener", ["hook", "kafka", "mail"])
def test_what_never_was_is_found(listener):
    said = found(heard(listener), heard(listener, number=2), endpoints=[HOOK, KAFKA, MAIL])
    assert any(f"{listener} heard what never was" in sentence for sentence in said)
