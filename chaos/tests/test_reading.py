"""A board is held to the moment of which it says it is, and to what nobody was changing."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from chaos.checker import QUARTER, Booking
from chaos.history import Act, Try
from chaos.judging.run import Run
from chaos.judging.tables import Row, Tables
from chaos.tests.world import NINE, PLACES, START
from chaos.verdict import judged

pytestmark = pytest.mark.any_database

CODE = str(UUID(int=1))
THEN, LATER = NINE.isoformat(), (NINE + QUARTER).isoformat()
BOOKED = Act(
    "m1",
    "book",
    "api",
    [Try(START, 2, 201)],
    "CONFIRMED",
    "k",
    CODE,
    1,
    THEN,
    LATER,
)


def board(at, *own, place=2, text="", hours=9, member="m1"):
    """Look for a second at a board of the space's whole day."""
    tries = [Try(START + at, 1, 200)]
    ends_at = (NINE + hours * 4 * QUARTER).isoformat()
    return Act(member, "board", "page", tries, "READ", "", "", place, THEN, ends_at, [*own], text)


def cancel(at, told="CANCELLED", status=200):
    return Act("m1", "cancel", "page", [Try(START + at, 1, status)], told, code=CODE)


def misread(*acts, state="CONFIRMED", more=()):
    booking = Booking(1, UUID(int=1), 1, "k", 1, NINE, NINE + QUARTER, state)
    rows = [Row(booking, "m1", (), START), *more]
    return len(judged(Run.of([BOOKED, *acts], Tables(rows=rows, places=PLACES))).misread)


def as_of(at):
    return f"as of {datetime.fromtimestamp(START + at, UTC).isoformat()}"


def test_what_was_acknowledged_before_has_to_be_there():
    assert misread(board(2.5, CODE)) == 0
    assert misread(board(2.5)) == 1
    assert misread(board(1.5)) == 0  # while it was being booked
    assert misread(board(2.5, member="m2")) == 0
    assert misread(board(2.5, place=4)) == 0  # another space
    assert misread(board(2.5, hours=0)) == 0  # another time


def test_what_somebody_is_changing_may_be_there_or_not():
    for own in ([], [CODE]):
        assert misread(board(5, *own), cancel(5.5), state="CANCELLED") == 0
        assert misread(board(5, *own), cancel(3, "", 0)) == 0
    assert misread(board(5), cancel(3, "REFUSED", 422)) == 1
    assert misread(board(5, CODE), cancel(3), state="CANCELLED") == 1
    assert misread(board(5, CODE), cancel(4.5), state="CANCELLED") == 0


def test_a_board_that_says_how_old_it_is_is_held_to_that():
    assert misread(board(9, text=as_of(1))) == 0  # not booked yet
    assert misread(board(9, text=as_of(3))) == 1
    assert misread(board(9, CODE, text=as_of(3)), cancel(5), state="CANCELLED") == 0
    assert misread(board(9, text="as of")) == 0  # nobody knows of when


def test_anothers_booking_is_found_on_lists_as_well():
    theirs = replace(board(3, CODE, member="m2"), kind="history", place=0, starts_at="", ends_at="")
    assert misread(theirs) == 1
    assert misread(replace(theirs, member="m1")) == 0
    assert misread(replace(theirs, member="m1", own=[str(UUID(int=9))])) == 1
