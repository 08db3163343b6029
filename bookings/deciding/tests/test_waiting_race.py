"""Two who say yes to one table, the end of its hold, and who books it: one winner, every time."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.deciding import holds, visits, waiting_list
from bookings.deciding.errors import SlotTaken, WrongState
from bookings.deciding.invariants import violations
from bookings.deciding.walk_ins import Seat
from bookings.guests import BY_GUEST
from bookings.models import Booking
from bookings.states import State
from bookings.tests.crowd import at_once
from bookings.tests.door import add, told
from bookings.waiting import WaitingParty
from chaos import waiting
from spaces.factories import open_space
from spaces.slots import Period

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
HOUR = timedelta(hours=1)


def test_of_two_who_say_yes_and_the_end_of_the_hold_exactly_one_wins():
    """The thousand: `python -m chaos waiting`, see docs/reliability.md."""
    rounds = waiting.play(ROUNDS)
    assert [each for each in rounds if each.wrong] == []
    assert len(rounds) == ROUNDS
    assert list(violations(now=timezone.now())) == []


@pytest.fixture
def boss(db):
    return UserFactory.create(username="boss", is_superuser=True)


@pytest.fixture
def tables(db):
    table = {"kind": "TABLE", "capacity": 4}
    inn = open_space(slug="inn", kind="RESTAURANT", time_zone="UTC", place=table)
    return list(inn.places.by_number())


def test_a_party_that_two_hosts_tell_at_once_is_told_of_one_table(tables, boss):
    for n in range(ROUNDS):
        at = NOON + timedelta(days=n)
        party = add(tables[0].space, by=boss, now=at)
        tell = [
            partial(holds.tell, party, Seat(table, at + HOUR), by=boss, now=at)
            for table in tables[:2]
        ]
        found = at_once(*tell)
        assert sorted(type(each).__name__ for each in found) == ["WaitingParty", "WrongState"]
        assert Booking.objects.filter(state=State.OFFERED, starts_at=at).count() == 1
    assert list(violations(now=NOON)) == []


@pytest.mark.parametrize("verb", [holds.tell, "seat"])
def test_one_press_that_comes_twice_at_once_is_answered_alike(tables, boss, verb):
    for n in range(ROUNDS):
        at = NOON + timedelta(days=n)
        party = add(tables[0].space, by=boss, now=at)
        seats = [Seat(table, at + HOUR) for table in tables]
        press = partial(waiting_list.seat, party, seats, by=boss, now=at)
        if verb == holds.tell:
            press = partial(holds.tell, party, seats[0], by=boss, now=at)
        found = at_once(press, press)
        assert [type(each).__name__ for each in found] == ["WaitingParty", "WaitingParty"]
        assert {each.booking.place for each in found} == {found[0].booking.place}
        assert (
            Booking.objects.occupying()
            .filter(place__in=tables)
            .overlapping(Period(at, at + HOUR))
            .count()
            == 1
        )
    assert list(violations(now=NOON)) == []


def test_one_table_is_held_once_and_seated_once(tables, boss):
    """Two hosts, two parties, one table: one of them gets it, by whichever verb."""
    for n in range(ROUNDS):
        at = NOON + timedelta(days=n)
        anna, boris = (add(tables[0].space, name, by=boss, now=at) for name in ("Anna", "Boris"))
        seat = Seat(tables[0], at + HOUR)
        found = at_once(
            partial(holds.tell, anna, seat, by=boss, now=at),
            partial(waiting_list.seat, boris, [seat], by=boss, now=at),
        )
        assert sorted(type(each).__name__ for each in found) == ["SlotTaken", "WaitingParty"]
    assert list(violations(now=NOON)) == []


def test_yes_and_no_by_two_and_a_host_who_seats_leave_one_answer(tables, boss):
    for n in range(ROUNDS):
        at = NOON + timedelta(days=n)
        party = told(tables[0], by=boss, now=at)
        found = at_once(
            partial(holds.confirm, party, by=BY_GUEST, now=at),
            partial(waiting_list.decline, party, by=BY_GUEST, now=at),
            partial(waiting_list.seat, party, [], by=boss, now=at),
        )
        assert not [
            each for each in found if not isinstance(each, WaitingParty | WrongState | SlotTaken)
        ]
        party.refresh_from_db()
        assert party.state in {"SEATED", "DECLINED"}
    assert list(violations(now=NOON)) == []


def test_two_who_say_no_at_once_free_the_table(tables, boss):
    for n in range(ROUNDS):
        at = NOON + timedelta(days=n)
        anna = told(tables[0], by=boss, now=at)
        boris = add(tables[0].space, "Boris", by=boss, now=at)
        holds.tell_too(boris, anna.booking, by=boss, now=at)
        at_once(
            *(partial(waiting_list.decline, each, by=BY_GUEST, now=at) for each in (anna, boris))
        )
        anna.booking.refresh_from_db()
        assert (anna.booking.state, anna.booking.booked_slots.count()) == (State.EXPIRED, 0)
    assert list(violations(now=NOON)) == []


def test_a_table_given_back_is_free_that_second(tables, boss):
    """What the worker does frees it for a walk-in at the same instant."""
    party = told(tables[0], by=boss, now=NOON)
    over = NOON + timedelta(minutes=10)
    with pytest.raises(SlotTaken):
        visits.walk_in(tables[0], party_size=2, ends_at=NOON + HOUR, by=boss, now=over)
    assert holds.let_holds_lapse(now=over) == 1
    visit = visits.walk_in(tables[0], party_size=2, ends_at=NOON + HOUR, by=boss, now=over)
    party.refresh_from_db()
    assert (visit.state, party.state) == (State.CHECKED_IN, "LAPSED")
