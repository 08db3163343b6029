"""The list at the door where it meets the end of a table's time, and guests who are forgotten."""

from functools import partial

import pytest

from bookings.deciding import forgetting, holds, waiting_list
from bookings.deciding.errors import BookingError, TooLate, WrongState
from bookings.deciding.invariants import violations
from bookings.deciding.walk_ins import Seat
from bookings.guests import BY_GUEST
from bookings.models import Booking
from bookings.states import State
from bookings.tests.door import (
    HOUR,
    MINUTE,
    NOON,
    add,
    told,
)
from bookings.waiting import WaitingParty

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_wrong(db):
    yield
    assert list(violations(now=NOON)) == []


class TestTheEndOfTheTablesTime:
    """Until 12:15 somebody may sit there; at 12:08 nobody is promised it until 12:18."""

    AT = NOON + 8 * MINUTE
    END = NOON + 15 * MINUTE

    def told(self, inn, table, boss):
        party = add(inn, by=boss, now=self.AT)
        return holds.tell(party, Seat(table, self.END), by=boss, now=self.AT)

    def test_nobody_has_longer_to_say_yes(self, inn, table, boss):
        party = self.told(inn, table, boss)
        assert party.booking.hold_expires_at == self.END
        with pytest.raises(TooLate):
            holds.confirm(party, by=BY_GUEST, now=self.END + MINUTE)

    def test_nor_if_others_are_told_too(self, inn, table, boss):
        hold = self.told(inn, table, boss).booking
        boris = add(inn, "Boris", by=boss, now=self.AT)
        holds.tell_too(boris, hold, by=boss, now=self.AT + MINUTE)
        assert Booking.objects.get().hold_expires_at == self.END

    def test_nobody_is_told_of_a_table_whose_time_is_over(self, inn, table, boss):
        hold = self.told(inn, table, boss).booking
        boris = add(inn, "Boris", by=boss, now=self.AT)
        with pytest.raises(WrongState):
            holds.tell_too(boris, hold, by=boss, now=self.END)


class TestForgetting:
    def test_a_table_that_others_were_told_of_stays_held_for_them(self, inn, table, boss):
        """Whoever was told first is forgotten; the hold carried that guest's name."""
        anna = told(table, phone="+442079460018", by=boss, now=NOON)
        boris = holds.tell_too(
            add(inn, "Boris", by=boss, now=NOON), anna.booking, by=boss, now=NOON
        )
        forgetting.forget(anna.guest, by=boss, now=NOON)
        hold = Booking.objects.get()
        assert (hold.state, hold.guest, hold.guest_name) == (State.OFFERED, None, "—")
        holds.confirm(boris, by=BY_GUEST, now=NOON + MINUTE)
        hold.refresh_from_db()
        assert (hold.state, hold.guest_name) == (State.CONFIRMED, "Boris")

    @pytest.mark.parametrize(
        "press",
        ["confirm", "decline", "leave", "undo", "seat", "tell", "tell_too"],
    )
    def test_whoever_presses_a_moment_later_is_told(self, inn, table, boss, press):
        party = add(inn, phone="+442079460018", by=boss, now=NOON)
        other = told(inn.places.by_number()[1], "Boris", by=boss, now=NOON)
        forgetting.forget(party.guest, by=boss, now=NOON)
        seat = Seat(table, NOON + HOUR)
        presses = {
            "confirm": partial(holds.confirm, party, by=BY_GUEST),
            "decline": partial(waiting_list.decline, party, by=BY_GUEST),
            "leave": partial(waiting_list.leave, party, by=boss),
            "undo": partial(waiting_list.undo, party, by=boss),
            "seat": partial(waiting_list.seat, party, [seat], by=boss),
            "tell": partial(holds.tell, party, seat, by=boss),
            "tell_too": partial(holds.tell_too, party, other.booking, by=boss),
        }
        with pytest.raises(BookingError):
            presses[press](now=NOON)
        assert WaitingParty.objects.get() == other
        assert Booking.objects.get() == other.booking
