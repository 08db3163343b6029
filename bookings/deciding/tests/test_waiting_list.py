"""The list at the door: added, told, seated, gone; see test_waiting_race for who is first."""

from datetime import timedelta

import pytest

from bookings.deciding import (
    forgetting,
    holds,
    services,
    undoing,
    visits,
    waiting_links,
    waiting_list,
)
from bookings.deciding.errors import NotStaff, Refused, SlotTaken, TooLate, WrongState
from bookings.deciding.invariants import violations
from bookings.deciding.walk_ins import Seat
from bookings.deciding.wish import Wish
from bookings.finding.guests import data_of, rows_of
from bookings.guests import BY_GUEST, Guest
from bookings.models import Booking, WaitingNews, WaitingParty
from bookings.states import State
from bookings.tests.door import (
    HOUR,
    MINUTE,
    NOON,
    add,
    told,
)
from spaces.factories import ShiftFactory
from spaces.models import Space

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_is_wrong(db):
    yield
    assert list(violations(now=NOON)) == []


def news_of(party):
    return list(party.news.order_by("pk").values_list("kind", flat=True))


class TestAdding:
    def test_a_party_is_written_down_and_the_guest_is_known(self, inn, boss):
        party = add(inn, phone="+44 20 7946 0018", area="Terrace", by=boss, now=NOON)
        assert (party.state, party.area, party.guest.name) == ("WAITING", "Terrace", "Anna")
        again = add(inn, "Anna B", phone="020 7946 0018", by=boss, now=NOON)
        assert again.guest == party.guest or inn.country == ""
        assert news_of(party) == ["ADDED"]
        assert (party.news.get().mail_due_at, party.news.get().text_due_at) == (None, NOON)

    def test_the_same_press_twice_adds_once(self, inn, boss):
        first, second = (add(inn, request_key="k", by=boss, now=NOON) for _ in range(2))
        assert first == second
        assert WaitingParty.objects.count() == WaitingNews.objects.count() == 1

    def test_who_may(self, inn, host):
        with pytest.raises(NotStaff):
            add(inn, by=host, now=NOON)

    @pytest.mark.parametrize("said", [{"name": "\u200b"}, {"party_size": 0}])
    def test_nobody_is_no_party(self, inn, boss, said):
        with pytest.raises(Refused):
            add(inn, by=boss, now=NOON, **said)


class TestTelling:
    def test_the_table_is_held_and_nobody_can_take_it(self, table, boss, alice):
        party = told(table, by=boss, now=NOON)
        hold = party.booking
        assert (hold.state, hold.booked_slots.count()) == (State.OFFERED, 4)
        assert hold.hold_expires_at == NOON + 10 * MINUTE
        wish = Wish(place=table, member=alice, starts_at=NOON, ends_at=NOON + HOUR)
        assert services.book(wish, by=alice, now=NOON - HOUR).state == State.REJECTED
        with pytest.raises(SlotTaken):
            visits.walk_in(table, party_size=2, ends_at=NOON + HOUR, by=boss, now=NOON)
        assert news_of(party) == ["ADDED", "READY"]

    def test_the_space_says_how_long(self, inn, table, boss):
        Space.objects.filter(pk=inn.pk).update(hold_minutes=3)
        assert told(table, by=boss, now=NOON).booking.hold_expires_at == NOON + 3 * MINUTE

    def test_what_somebody_has_is_not_held(self, table, boss):
        told(table, by=boss, now=NOON)
        with pytest.raises(SlotTaken):
            told(table, "Boris", by=boss, now=NOON)
        assert WaitingParty.objects.get(name="Boris").state == "WAITING"

    def test_too_large_a_party(self, table, boss):
        with pytest.raises(Refused):
            told(table, party_size=5, by=boss, now=NOON)

    def test_a_hold_counts_among_those_who_arrive(self, inn, table, boss):
        ShiftFactory.create(
            space=inn, first_seating="08:00", last_seating="21:00", covers_in_house=3
        )
        first = told(table, by=boss, now=NOON)
        with pytest.raises(Refused) as refused:
            told(inn.places.by_number()[1], "Boris", by=boss, now=NOON)
        assert [each.code for each in refused.value.problems] == ["pacing_full"]
        larger = add(inn, "Clara", party_size=4, by=boss, now=NOON)
        with pytest.raises(Refused):
            holds.tell_too(larger, first.booking, by=boss, now=NOON)

    def test_twice_is_too_much(self, inn, table, boss):
        party = told(table, by=boss, now=NOON)
        with pytest.raises(WrongState):
            holds.tell(party, Seat(inn.places.by_number()[1], NOON + HOUR), by=boss, now=NOON)
        assert Booking.objects.count() == 1

    def test_a_table_of_another_space(self, inn, space, desk, host):
        party = WaitingParty.objects.create(
            space=inn, name="Anna", party_size=1, created_at=NOON, digest="x"
        )
        with pytest.raises(WrongState):
            holds.tell(party, Seat(desk, NOON + HOUR), by=host, now=NOON)


class TestYes:
    def test_the_table_is_theirs(self, table, boss):
        party = holds.confirm(told(table, by=boss, now=NOON), by=BY_GUEST, now=NOON + MINUTE)
        booking = party.booking
        assert (party.state, booking.state) == ("COMING", State.CONFIRMED)
        assert (booking.guest_name, booking.booked_slots.count()) == ("Anna", 4)
        event = booking.events.latest("sequence")
        assert (event.kind, event.by_guest) == ("CONFIRMED", True)

    def test_twice_is_once(self, table, boss):
        party = told(table, by=boss, now=NOON)
        for _ in range(2):
            assert holds.confirm(party, by=BY_GUEST, now=NOON).state == "COMING"
        assert party.booking.events.count() == 2

    def test_the_first_gets_it_and_the_other_keeps_the_place_in_the_list(self, inn, table, boss):
        anna = told(table, by=boss, now=NOON)
        boris = add(inn, "Boris", party_size=4, phone="+442079460018", by=boss, now=NOON)
        boris = holds.tell_too(boris, anna.booking, by=boss, now=NOON + MINUTE)
        assert boris.booking.hold_expires_at == NOON + 11 * MINUTE
        holds.confirm(boris, by=BY_GUEST, now=NOON + 2 * MINUTE)
        with pytest.raises(holds.Missed):
            holds.confirm(anna, by=BY_GUEST, now=NOON + 3 * MINUTE)
        anna.refresh_from_db()
        assert (anna.state, anna.booking, news_of(anna)[-1]) == ("WAITING", None, "MISSED")
        hold = Booking.objects.get()
        assert (hold.guest_name, hold.party_size, hold.guest) == ("Boris", 4, boris.guest)

    def test_too_late(self, table, boss):
        party = told(table, by=boss, now=NOON)
        with pytest.raises(TooLate):
            holds.confirm(party, by=BY_GUEST, now=NOON + 10 * MINUTE)
        assert holds.let_holds_lapse(now=NOON + 10 * MINUTE) == 1
        with pytest.raises(TooLate):
            holds.confirm(party, by=BY_GUEST, now=NOON + 10 * MINUTE)
        party.refresh_from_db()
        assert (party.state, party.booking) == ("LAPSED", None)

    def test_nobody_was_told(self, inn, boss):
        with pytest.raises(WrongState):
            holds.confirm(add(inn, by=boss, now=NOON), by=BY_GUEST, now=NOON)


class TestTheEndOfAHold:
    def test_it_does_not_end_before(self, table, boss):
        told(table, by=boss, now=NOON)
        assert holds.let_holds_lapse(now=NOON + 10 * MINUTE - timedelta(seconds=1)) == 0

    def test_whoever_did_not_answer_can_be_told_again(self, table, boss):
        party = told(table, by=boss, now=NOON)
        holds.let_holds_lapse(now=NOON + 10 * MINUTE)
        at = NOON + 15 * MINUTE
        assert holds.tell(party, Seat(table, at + HOUR), by=boss, now=at).state == "TOLD"

    def test_a_hold_that_the_staff_cancel_puts_them_back(self, table, boss):
        party = told(table, by=boss, now=NOON)
        services.cancel(party.booking, by=boss, now=NOON)
        party.refresh_from_db()
        assert (party.state, party.booking) == ("WAITING", None)

    def test_its_cancellation_is_not_undone(self, table, boss):
        party = told(table, by=boss, now=NOON)
        services.cancel(party.booking, by=boss, now=NOON)
        with pytest.raises(WrongState):
            undoing.undo(party.booking, event=2, by=boss, now=NOON)

    def test_a_hold_moves_with_whom_it_is_for(self, inn, table, boss):
        party = told(table, by=boss, now=NOON)
        other, hold = inn.places.by_number()[1], party.booking
        period = {"starts_at": hold.starts_at, "ends_at": hold.ends_at}
        services.reschedule(hold, place=other, by=boss, now=NOON, **period)
        assert holds.confirm(party, by=BY_GUEST, now=NOON).booking.place == other


class TestSeating:
    def test_from_the_list_it_is_a_walk_in(self, inn, table, boss):
        party = add(inn, phone="+442079460018", by=boss, now=NOON)
        party = waiting_list.seat(party, [Seat(table, NOON + HOUR)], by=boss, now=NOON)
        visit = party.booking
        assert (visit.channel, visit.guest, visit.state) == ("WALK_IN", party.guest, "CHECKED_IN")
        assert party.state == "SEATED"

    @pytest.mark.parametrize("has_answered", [True, False])
    def test_at_the_table_that_is_held(self, table, boss, has_answered):
        party = told(table, by=boss, now=NOON)
        if has_answered:
            holds.confirm(party, by=BY_GUEST, now=NOON)
        for _ in range(2):
            party = waiting_list.seat(party, [], by=boss, now=NOON + 11 * MINUTE)
        assert (party.state, party.booking.state) == ("SEATED", State.CHECKED_IN)

    def test_nothing_is_free(self, inn, boss):
        with pytest.raises(SlotTaken):
            waiting_list.seat(add(inn, by=boss, now=NOON), [], by=boss, now=NOON)

    def test_on_the_page_of_the_day(self, table, boss):
        party = holds.confirm(told(table, by=boss, now=NOON), by=BY_GUEST, now=NOON)
        visits.seat(party.booking, by=boss, now=NOON)
        assert not WaitingParty.objects.shown(NOON).exists()
        assert waiting_list.close_parties(now=NOON) == 1
        party.refresh_from_db()
        assert party.state == "SEATED"


class TestGoing:
    def test_no_thanks_frees_the_table(self, table, boss):
        party = waiting_list.decline(told(table, by=boss, now=NOON), by=BY_GUEST, now=NOON)
        hold = Booking.objects.get()
        assert (party.state, party.booking, hold.state) == ("DECLINED", None, State.EXPIRED)
        assert hold.booked_slots.count() == 0

    def test_not_while_another_may_still_say_yes(self, inn, table, boss):
        anna, boris = told(table, by=boss, now=NOON), add(inn, "Boris", by=boss, now=NOON)
        holds.tell_too(boris, anna.booking, by=boss, now=NOON)
        waiting_list.decline(anna, by=BY_GUEST, now=NOON)
        assert holds.confirm(boris, by=BY_GUEST, now=NOON).booking == anna.booking

    def test_after_all_not(self, table, boss):
        party = holds.confirm(told(table, by=boss, now=NOON), by=BY_GUEST, now=NOON)
        waiting_list.decline(party, by=BY_GUEST, now=NOON)
        assert Booking.objects.get().state == State.CANCELLED

    def test_whoever_sits_does_not_leave_the_list(self, inn, table, boss):
        party = add(inn, by=boss, now=NOON)
        waiting_list.seat(party, [Seat(table, NOON + HOUR)], by=boss, now=NOON)
        with pytest.raises(WrongState):
            waiting_list.decline(party, by=BY_GUEST, now=NOON)

    def test_nobody_waits_till_tomorrow(self, inn, boss):
        add(inn, by=boss, now=NOON)
        assert waiting_list.close_parties(now=NOON + timedelta(hours=11)) == 0
        assert waiting_list.close_parties(now=NOON + timedelta(hours=12)) == 1


class TestUndoing:
    def test_each_of_them(self, inn, table, boss):
        seats = [Seat(table, NOON + HOUR)]
        doings = [
            lambda party: holds.tell(party, seats[0], by=boss, now=NOON),
            lambda party: waiting_list.leave(party, by=boss, now=NOON),
            lambda party: waiting_list.seat(party, seats, by=boss, now=NOON),
        ]
        for do in doings:
            party = do(add(inn, by=boss, now=NOON))
            for _ in range(2):
                party = waiting_list.undo(party, by=boss, now=NOON + timedelta(seconds=10))
                assert (party.state, party.booking) == ("WAITING", None)
        assert not Booking.objects.occupying().exists()

    def test_not_for_long(self, inn, boss):
        party = waiting_list.leave(add(inn, by=boss, now=NOON), by=boss, now=NOON)
        with pytest.raises(TooLate):
            waiting_list.undo(party, by=boss, now=NOON + MINUTE)

    def test_not_what_a_guest_has_said(self, table, boss):
        party = holds.confirm(told(table, by=boss, now=NOON), by=BY_GUEST, now=NOON)
        with pytest.raises(WrongState):
            waiting_list.undo(party, by=boss, now=NOON)


class TestWhoMay:
    def test_only_the_staff_and_the_party_itself(self, table, boss, host):
        party = told(table, by=boss, now=NOON)
        for act in (holds.confirm, waiting_list.decline, waiting_list.leave, waiting_list.undo):
            with pytest.raises(NotStaff):
                act(party, by=host, now=NOON)
        with pytest.raises(NotStaff):
            waiting_list.seat(party, [], by=host, now=NOON)
        with pytest.raises(NotStaff):
            holds.tell_too(party, party.booking, by=host, now=NOON)


class TestForgetting:
    def test_a_forgotten_guest_vanishes_from_the_list(self, inn, table, boss):
        other = told(table, by=boss, now=NOON)
        anna = add(inn, phone="+442079460018", by=boss, now=NOON)
        holds.tell_too(anna, other.booking, by=boss, now=NOON)
        waiting_list.decline(other, by=BY_GUEST, now=NOON)
        forgetting.forget(anna.guest, by=boss, now=NOON)
        assert list(WaitingParty.objects.all()) == [other]
        assert Booking.objects.get().state == State.EXPIRED

    def test_what_is_known_is_handed_over(self, inn, boss):
        party = add(inn, phone="+442079460018", area="Bar", by=boss, now=NOON)
        (known,) = data_of(party.guest)["waiting_list"]
        assert (known["name"], known["area"], known["state"]) == ("Anna", "Bar", "WAITING")
        assert [row[6] for row in rows_of(party.guest)] == ["channel", "WAITING_LIST"]

    def test_the_list_is_kept_no_longer_than_guests(self, inn, boss):
        Space.objects.filter(pk=inn.pk).update(guest_retention_days=30)
        add(inn, phone="+442079460018", by=boss, now=NOON)
        waiting_list.leave(add(inn, "Stranger", by=boss, now=NOON), by=boss, now=NOON)
        waiting_list.close_parties(now=NOON + timedelta(days=1))
        forgetting.forget_unseen_guests(now=NOON + timedelta(days=29))
        assert (Guest.objects.count(), WaitingParty.objects.count()) == (1, 2)
        forgetting.forget_unseen_guests(now=NOON + timedelta(days=31))
        assert (Guest.objects.count(), WaitingParty.objects.count()) == (0, 0)


class TestLinks:
    def test_a_link_opens_its_party_for_a_day(self, inn, boss):
        party = add(inn, by=boss, now=NOON)
        token = waiting_links.token_of(party)
        assert waiting_links.find(token, now=NOON + 23 * HOUR) == party
        assert waiting_links.find(token, now=NOON + 24 * HOUR) is None
        assert waiting_links.find(token + "x", now=NOON) is None

    def test_a_revoked_one_opens_nothing_and_the_next_message_has_another(self, inn, boss):
        party = add(inn, by=boss, now=NOON)
        token = waiting_links.token_of(party)
        assert waiting_links.revoke(party, now=NOON)
        assert waiting_links.find(token, now=NOON) is None
        party.refresh_from_db()
        waiting_links.path_of(party)
        assert waiting_links.token_of(party) != token
        assert waiting_links.find(waiting_links.token_of(party), now=NOON) == party


def test_a_check_finds_what_is_held_for_nobody(inn, table, boss):
    party = told(table, by=boss, now=NOON)
    hold = party.booking
    WaitingParty.objects.update(booking=None)
    found = {(each.kind, each.subject) for each in violations(now=NOON)}
    assert found == {("hold", str(hold.code)), ("told", f"party {party.code}")}
    WaitingParty.objects.update(booking=hold)
