"""The set-up changes while a table is held for somebody at the door: it is asked about like any."""

import pytest

from bookings.deciding import closing, holds, waiting_list
from bookings.deciding.errors import BookingsInTheWay
from bookings.deciding.invariants import violations
from bookings.deciding.stranding import Act, Answer, Choice, Question, Scope, changing
from bookings.deciding.transactions import transactional
from bookings.deciding.walk_ins import Seat
from bookings.guests import BY_GUEST
from bookings.models import BookedSlot, Booking, BookingEvent, WaitingParty
from bookings.states import State
from bookings.tests.door import (
    HOUR,
    MINUTE,
    NOON,
    add,
    told,
)
from spaces.models import OpeningHours, Place, Space

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_wrong(db):
    yield
    assert list(violations(now=NOON)) == []


@pytest.fixture
def party(inn, boss):
    return told(inn.places.by_number()[0], by=boss, now=NOON)


@transactional
def setting_up(inn, answer, change, boss):
    with changing(Scope(spaces=[inn.pk]), Act(by=boss, now=NOON, answer=answer)):
        change(inn)


def closed(inn, answer, place, boss):
    return closing.close(
        inn,
        place=place,
        starts_at=NOON,
        ends_at=NOON + HOUR,
        reason="A pipe burst",
        choice=answer.choice,
        by=boss,
        now=NOON,
    )


#: Each with an answer that may be none.
CHANGES = {
    "withdrawn": lambda inn, answer, boss: setting_up(
        inn, answer, lambda inn: Place.objects.filter(number=1).update(is_bookable=False), boss
    ),
    "smaller": lambda inn, answer, boss: setting_up(
        inn, answer, lambda inn: Place.objects.filter(number=1).update(capacity=1), boss
    ),
    "switched off": lambda inn, answer, boss: setting_up(
        inn, answer, lambda inn: Space.objects.update(is_active=False), boss
    ),
    "never open": lambda inn, answer, boss: setting_up(
        inn, answer, lambda inn: OpeningHours.objects.all().delete(), boss
    ),
    "place closed": lambda inn, answer, boss: closed(inn, answer, inn.places.get(number=1), boss),
    "house closed": lambda inn, answer, boss: closed(inn, answer, None, boss),
}
KEEP = Answer(shown=None, choice=Choice.KEEP)
CANCEL = Answer(shown=None, choice=Choice.CANCEL, reason="A pipe burst")


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_changes_before_somebody_has_answered(inn, boss, party, change):
    with pytest.raises((Question, BookingsInTheWay)):
        CHANGES[change](inn, Answer(), boss)
    party.refresh_from_db()
    assert (party.state, Booking.objects.get().state) == ("TOLD", State.OFFERED)
    assert Space.objects.get().is_active
    assert Place.objects.filter(is_bookable=True, capacity=4).count() == 3


@pytest.mark.parametrize("change", CHANGES)
def test_a_hold_that_is_kept_is_theirs(inn, boss, party, change):
    CHANGES[change](inn, KEEP, boss)
    hold = Booking.objects.get()
    assert hold.state == State.OFFERED
    assert hold.events.filter(kind=BookingEvent.Kind.KEPT).exists()
    holds.confirm(party, by=BY_GUEST, now=NOON + MINUTE)
    waiting_list.seat(party, [], by=boss, now=NOON + 2 * MINUTE)
    party.refresh_from_db()
    assert (party.state, party.booking.state) == ("SEATED", State.CHECKED_IN)


@pytest.mark.parametrize("change", CHANGES)
def test_whose_hold_is_cancelled_waits_again_at_the_old_place(inn, boss, party, change):
    later = add(inn, "Boris", by=boss, now=NOON + MINUTE)
    also = add(inn, "Vera", by=boss, now=NOON + MINUTE)
    holds.tell_too(also, party.booking, by=boss, now=NOON + MINUTE)
    CHANGES[change](inn, CANCEL, boss)
    hold = Booking.objects.get()
    assert (hold.state, hold.events.latest("sequence").reason) == (
        State.CANCELLED,
        "A pipe burst",
    )
    assert not BookedSlot.objects.exists()
    waiting = WaitingParty.objects.of(inn).in_order()
    assert list(waiting.values_list("name", "state", "booking")) == [
        ("Anna", "WAITING", None),
        ("Boris", "WAITING", None),
        ("Vera", "WAITING", None),
    ]
    with pytest.raises(Exception, match="No table is held for you now"):
        holds.confirm(party, by=BY_GUEST, now=NOON + MINUTE)
    assert later.state == "WAITING"


def test_a_table_can_be_held_again_elsewhere(inn, boss, party):
    CHANGES["withdrawn"](inn, CANCEL, boss)
    second = inn.places.get(number=2)
    again = holds.tell(party, Seat(second, NOON + HOUR), by=boss, now=NOON + MINUTE)
    assert (again.state, again.booking.place) == ("TOLD", second)


def test_a_zone_that_changes_keeps_a_hold_where_it_is(inn, boss, party):
    """By the instant: whoever stands at the door stands there now."""
    hold = party.booking
    answer = Answer(shown=None, choice=Choice.KEEP, clock="instant")
    setting_up(inn, answer, lambda inn: Space.objects.update(time_zone="Asia/Tokyo"), boss)
    hold.refresh_from_db()
    assert (hold.state, hold.starts_at) == (State.OFFERED, NOON)
