"""The staff's page of the list at the door, pressed as a browser without scripts would."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.factories import StaffRoleFactory
from bookings.deciding import holds
from bookings.guests import BY_GUEST
from bookings.models import Booking, WaitingParty
from bookings.states import State
from bookings.tests.acts import book
from bookings.tests.door import (
    add,
    told,
)
from spaces.factories import PolicyFactory
from spaces.slots import floor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("always_open")]

LIST = "/staff/inn/waiting/"
ACT = "/staff/inn/waiting/act/"
SAID = {"guest_name": "Anna", "people": "2", "phone": "+44 20 7946 0018", "language": "en"}


@pytest.fixture
def waiter(inn):
    return StaffRoleFactory.create(user__username="walter", space=inn, role="HOST").user


@pytest.fixture
def staff(client, waiter):
    client.force_login(waiter)
    return client


def act(staff, verb, party, what="", **headers):
    value = f"{party.code}.{what}" if what else str(party.code)
    return staff.post(ACT, {verb: value}, follow=True, **headers)


def state_of(party):
    party.refresh_from_db()
    return party.state


class TestAdding:
    def test_a_party_is_on_the_list_with_what_it_was_told(self, staff):
        page = staff.post(LIST, SAID, follow=True)
        assert "Anna is on the list." in page.text
        party = WaitingParty.objects.get()
        assert (party.guest.phone, party.quoted_minutes) == ("+44 20 7946 0018", 0)
        assert "told: at once" in page.text

    def test_what_was_typed_stays_when_a_field_is_wrong(self, staff):
        page = staff.post(LIST, SAID | {"people": "0"})
        assert page.status_code == 422
        assert 'value="+44 20 7946 0018"' in page.text
        assert not WaitingParty.objects.exists()

    def test_a_known_guest_is_found_while_typing_and_fills_the_form(self, staff, inn, waiter):
        guest = add(inn, phone="+442079460018", by=waiter, now=timezone.now()).guest
        found = staff.get("/staff/inn/phone/guests/", {"for": "waiting", "guest_name": "Ann"})
        assert f'hx-get="{LIST}"' in found.text
        page = staff.get(LIST, {"pick": f"guest:{guest.code}"})
        assert 'value="+442079460018"' in page.text

    def test_the_wait_follows_from_who_sits_and_who_is_ahead(self, staff, inn, waiter):
        now = timezone.now()
        for place in inn.places.by_number():
            told(place, by=waiter, now=now)
        staff.post(LIST, SAID)
        staff.post(LIST, SAID | {"guest_name": "Boris"})
        quoted = [each.quoted_minutes for each in WaitingParty.objects.order_by("pk")[3:]]
        assert all(45 <= minutes <= 60 and minutes % 5 == 0 for minutes in quoted)

    def test_who_can_sit_at_once_for_a_while_is_told_so(self, staff, inn, host, waiter):
        """The tables are taken in an hour: shorter than usual, but that is what is offered."""
        PolicyFactory.create(space=inn, step_minutes=15)
        now = timezone.now()
        later = floor(now) + timedelta(hours=1)
        for place in inn.places.by_number():
            wish = {"party_size": 2, "guest_name": "Later", "by": waiter}
            book(place, None, now, later, 2, **wish)
        staff.post(LIST, SAID)
        party = WaitingParty.objects.get()
        assert party.quoted_minutes == 0
        page = staff.get(LIST)
        [line] = page.context["door"].on_the_list
        assert line.best.is_short
        estimates = {each.smallest: each.minutes for each in page.context["door"].estimates}
        assert estimates[1] == 0


class TestVerbs:
    def test_ready_holds_the_table_and_says_until_when(self, staff, table, waiter):
        party = add(table.space, by=waiter, now=timezone.now())
        page = act(staff, "ready", party, table.code)
        assert f"Anna is told: {table}, held until" in page.text
        assert Booking.objects.get().state == State.OFFERED
        assert state_of(party) == "TOLD"

    def test_a_table_that_is_gone_is_said(self, staff, table, waiter):
        told(table, "Boris", by=waiter, now=timezone.now())
        party = add(table.space, by=waiter, now=timezone.now())
        page = act(staff, "ready", party, table.code)
        assert "free any more" in page.text
        assert state_of(party) == "WAITING"

    def test_another_party_of_the_same_table(self, staff, table, waiter):
        first = told(table, "Boris", by=waiter, now=timezone.now())
        party = add(table.space, by=waiter, now=timezone.now())
        assert f"{table} too, as Boris" in staff.get(LIST).text
        act(staff, "too", party, first.booking.code)
        assert (state_of(party), party.booking) == ("TOLD", first.booking)

    def test_seated_from_the_list(self, staff, table, waiter):
        party = add(table.space, by=waiter, now=timezone.now())
        page = act(staff, "seat", party, table.code)
        assert f"Anna is seated: {table}." in page.text
        assert "Nobody is waiting." in page.text
        assert Booking.objects.get().channel == "WALK_IN"

    def test_yes_on_the_phone_then_seated(self, staff, table, waiter):
        party = told(table, by=waiter, now=timezone.now())
        assert f"Anna is coming: {table}." in act(staff, "come", party).text
        act(staff, "seat", party)
        assert (state_of(party), party.booking.state) == ("SEATED", State.CHECKED_IN)

    @pytest.mark.parametrize("verb", ["ready", "seat", "left"])
    def test_undo_for_ten_seconds(self, staff, table, waiter, verb):
        party = add(table.space, by=waiter, now=timezone.now())
        page = act(staff, verb, party)
        party.refresh_from_db()
        assert f'name="undo" value="{party.code}.{party.version}"' in page.text
        act(staff, "undo", party, party.version)
        assert state_of(party) == "WAITING"
        assert not Booking.objects.occupying().exists()

    def test_undo_takes_back_only_what_it_was_offered_for(self, staff, table, waiter):
        """A late press of another button's undo, and a second press of the right one."""
        party = add(table.space, by=waiter, now=timezone.now())
        act(staff, "left", party)
        party.refresh_from_db()
        of_leaving = party.version
        act(staff, "undo", party, of_leaving)
        assert "is on the list" in act(staff, "undo", party, of_leaving).text
        act(staff, "seat", party, table.code)
        page = act(staff, "undo", party, of_leaving)
        assert "Something else has happened" in page.text.replace("&#x27;", "'")
        assert state_of(party) == "SEATED"
        act(staff, "undo", party, party.version)
        assert state_of(party) == "WAITING"
        assert staff.post(ACT, {"undo": str(party.code)}).status_code == 404

    @pytest.mark.parametrize(("verb", "said"), [("seat", "is seated"), ("ready", "is told")])
    @pytest.mark.parametrize("chosen", [True, False])
    def test_a_press_that_comes_twice_is_answered_alike(
        self, staff, table, waiter, verb, said, chosen
    ):
        party = add(table.space, by=waiter, now=timezone.now())
        for _ in range(2):
            page = act(staff, verb, party, table.code if chosen else "")
            assert said in page.text
            assert 'class="refused"' not in page.text
            assert 'role="alert"' not in page.text
        assert Booking.objects.occupying().count() == 1

    def test_undo_is_not_offered_where_it_would_be_refused(self, staff, table, waiter):
        party = told(table, by=waiter, now=timezone.now())
        page = act(staff, "seat", party)
        assert "Anna is seated" in page.text
        assert 'name="undo"' not in page.text

    def test_no_verb_at_all(self, staff, inn, waiter):
        party = add(inn, by=waiter, now=timezone.now())
        assert staff.post(ACT, {"dance": str(party.code)}).status_code == 404
        assert staff.post(ACT, {"left": "nobody"}).status_code == 404


class TestLive:
    def seen(self, staff):
        page = staff.get(LIST).text
        return page.partition('name="seen" value="')[2].partition('"')[0]

    def test_nothing_new_costs_little(
        self, staff, inn, table, waiter, django_assert_max_num_queries
    ):
        told(table, by=waiter, now=timezone.now())
        asked = {"seen": self.seen(staff)}
        with django_assert_max_num_queries(4) as captured:  # two of them: who asks
            answer = staff.get(LIST, asked, headers={"hx-request": "true"})
        if answer.status_code == 200:  # a minute has just begun
            asked = {"seen": self.seen(staff)}
            answer = staff.get(LIST, asked, headers={"hx-request": "true"})
        assert answer.status_code == 204
        ours = [q["sql"] for q in captured if "session" not in q["sql"] and "_user" not in q["sql"]]
        assert len(ours) <= 2

    def test_an_answer_shows_at_once(self, staff, table, waiter):
        party = told(table, by=waiter, now=timezone.now())
        asked = {"seen": self.seen(staff)}
        holds.confirm(party, by=BY_GUEST, now=timezone.now())
        answer = staff.get(LIST, asked, headers={"hx-request": "true"})
        assert f"coming: {table}" in answer.text
        assert "<main" not in answer.text

    def test_the_day_counts_who_waits_and_notices(self, staff, inn, waiter):
        add(inn, by=waiter, now=timezone.now())
        page = staff.get("/staff/inn/").text
        assert "1 waiting" in page
        assert f'href="{LIST}"' in page
        asked = {"seen": page.partition('name="seen" value="')[2].partition('"')[0]}
        add(inn, "Boris", by=waiter, now=timezone.now())
        answer = staff.get("/staff/inn/", asked, headers={"hx-request": "true"})
        assert "2 waiting" in answer.text

    def test_statements_don_t_grow_with_the_list(
        self, staff, inn, waiter, django_assert_max_num_queries
    ):
        now = timezone.now()
        for n in range(12):
            add(inn, f"Party {n}", party_size=n % 5 + 1, by=waiter, now=now + timedelta(seconds=n))
        staff.get(LIST)
        with django_assert_max_num_queries(8):
            staff.get(LIST)


def test_a_hold_on_the_page_of_the_day_has_no_verb_but_to_cancel(staff, table, waiter):
    hold = told(table, by=waiter, now=timezone.now()).booking
    page = staff.get("/staff/inn/").text
    assert f'name="seat" value="{hold.code}"' not in page
    assert f"/staff/inn/bookings/{hold.code}/cancel/" in page
