"""Every violation is planted and found; what is in order is left alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chaos import checker
from chaos.checker import Answer, Booking, Quota, Slot

pytestmark = pytest.mark.any_database

NOON = datetime(2026, 12, 2, 12, tzinfo=UTC)
WON = Booking(1, UUID(int=1), 7, "a", 3, NOON, NOON + timedelta(minutes=30), "CONFIRMED")
LOST = replace(WON, id=2, code=UUID(int=2), member=8, key="b", state="REJECTED")
TOLD = [Answer(0, 7, "a", "CONFIRMED", WON.code), Answer(0, 8, "b", "REJECTED", LOST.code)]
SLOTS = [Slot(1, 3, at) for at in WON.quarters]


def contested(answers, bookings):
    return checker.contested(answers, bookings, rounds=1, members=2)


def test_a_fair_round_is_left_alone():
    both = [WON, LOST]
    assert contested(TOLD, both) == {}
    assert [
        *checker.lost(TOLD, both),
        *checker.overlapping(both, {}),
        *checker.wrong_slots(both, SLOTS, {}),
        *checker.repeated(both),
    ] == []


def test_who_was_refused_without_a_booking_is_a_loser():
    assert contested([TOLD[0], Answer(0, 8, "b", "REFUSED")], [WON]) == {}


@pytest.mark.parametrize(
    ("answers", "bookings"),
    [
        (TOLD[:1], [WON, LOST]),  # somebody was told nothing
        ([TOLD[0], TOLD[0]], [WON, LOST]),  # one twice, the other never
        ([TOLD[0], replace(TOLD[1], told="CONFIRMED")], [WON, LOST]),
        ([replace(TOLD[0], told="REJECTED"), TOLD[1]], [WON, LOST]),
        ([TOLD[0], replace(TOLD[1], told="ERROR")], [WON, LOST]),
        (TOLD, [WON, replace(LOST, state="CONFIRMED")]),
        (TOLD, [replace(WON, state="REJECTED"), LOST]),
        (TOLD, [LOST]),
        (TOLD, [WON]),
        ([TOLD[0], Answer(0, 8, "b", "REFUSED")], [WON, LOST]),
        ([], []),
    ],
)
def test_an_unfair_round_is_found(answers, bookings):
    assert list(contested(answers, bookings)) == [0]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, ["refused"]),  # nothing of it was taken
        ({"place": 4}, []),  # a part of it was
        (
            {"place": 4, "starts_at": WON.ends_at, "ends_at": WON.ends_at + timedelta(hours=1)},
            ["r"],
        ),
        ({"place": 5, "state": "CONFIRMED"}, []),  # there is room for both
        ({"place": 4, "state": "CONFIRMED"}, ["overlap"]),
        ({"place": 3, "state": "CONFIRMED"}, ["overlap"]),
    ],
)
def test_who_wants_a_part_may_win_or_lose_beside_who_wants_the_whole(change, found):
    """Place 3 has parts 6 and 7, place 4 has 7 and 8."""
    other = replace(LOST, **{"place": 5, **change})
    answers = [TOLD[0], replace(TOLD[1], told=other.state)]
    leaves = {3: [6, 7], 4: [7, 8]}
    wrong = checker.contested(answers, [WON, other], rounds=1, members=2, leaves=leaves)
    assert len(wrong.get(0, [])) == len(found)
    assert all(text.startswith(start) for text, start in zip(wrong.get(0, []), found, strict=True))


def test_a_round_that_nobody_wins_is_unfair_for_halls_too():
    nobody = [replace(WON, state="REJECTED"), LOST]
    answers = [replace(TOLD[0], told="REJECTED"), TOLD[1]]
    [wrong] = checker.contested(answers, nobody, rounds=1, members=2, leaves={}).values()
    assert wrong[0] == "nobody won"


def test_a_booking_that_nobody_was_told_of_is_found():
    stray = replace(WON, id=3, code=UUID(int=3))
    assert len(list(checker.unknown(TOLD, [WON, LOST, stray]))) == 1
    assert not list(checker.unknown(TOLD, [WON, LOST, replace(stray, state="CANCELLED")]))


@pytest.mark.parametrize("bookings", [[LOST], [replace(WON, member=9), LOST]])
def test_a_lost_booking_is_found(bookings):
    assert len(list(checker.lost(TOLD, bookings))) == 1


@pytest.mark.parametrize(
    ("minutes", "place", "leaves", "found"),
    [
        (15, 3, {}, 1),
        (30, 3, {}, 0),
        (15, 4, {}, 0),
        (15, 4, {4: [3, 5]}, 1),
        (15, 4, {3: [6, 7], 4: [7, 8]}, 1),
    ],
)
def test_an_overlap_of_leaf_places_is_found(minutes, place, leaves, found):
    later = timedelta(minutes=minutes)
    other = replace(
        WON, id=2, place=place, starts_at=WON.starts_at + later, ends_at=WON.ends_at + later
    )
    assert len(list(checker.overlapping([WON, other], leaves))) == found


@pytest.mark.parametrize(
    "slots",
    [
        SLOTS[:1],
        [*SLOTS, SLOTS[0]],
        [*SLOTS, Slot(1, 3, WON.ends_at)],
        [*SLOTS, Slot(1, 4, NOON)],
        [*SLOTS, Slot(2, 3, NOON)],  # of a refused booking
        [*SLOTS, Slot(9, 3, NOON)],  # of none
    ],
)
def test_wrong_slots_are_found(slots):
    assert len(list(checker.wrong_slots([WON, LOST], slots, {}))) == 1


def test_a_cancelled_booking_that_keeps_its_slots_is_found():
    assert list(checker.wrong_slots([replace(WON, state="CANCELLED")], SLOTS, {}))


def test_a_key_that_made_two_bookings_is_found():
    assert len(list(checker.repeated([WON, replace(WON, id=2)]))) == 1
    assert not list(checker.repeated([replace(WON, key=None), replace(WON, id=2, key=None)]))


def test_a_state_that_contradicts_the_last_answer_is_found():
    told = [(WON.code, frozenset({"CANCELLED"}))]
    assert len(list(checker.contradicted(told, [WON]))) == 1
    assert not list(checker.contradicted(told, [replace(WON, state="CANCELLED")]))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, 1),
        ({"most": 2}, 0),
        ({"places": frozenset({4})}, 0),
        ({"members": frozenset({8})}, 0),
        ({"members": frozenset({7, 8})}, 1),
        ({"since": NOON}, 0),  # they were booked before the quota was set
    ],
)
def test_an_exceeded_quota_is_found(change, found):
    early = NOON - timedelta(days=1)
    quota = replace(Quota(1, frozenset({3}), None, early - timedelta(days=1)), **change)
    first = replace(WON, decided_at=early)
    both = [first, replace(first, id=2)]
    assert len(list(checker.exceeded(both, [quota], early))) == found
    assert not list(checker.exceeded(both, [quota], WON.ends_at))  # they are over
    over = [first, replace(first, id=2, state="CANCELLED")]
    assert not list(checker.exceeded(over, [quota], early))
