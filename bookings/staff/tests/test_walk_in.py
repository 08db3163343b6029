"""Walk-ins: the service, the places it is offered, and the staff's page."""

from datetime import time, timedelta
from http import HTTPStatus

import pytest
from django.urls import reverse

from bookings.deciding import services, walk_ins
from bookings.deciding.errors import NotStaff, RequestKeyReused, SlotTaken, TooLate, WrongState
from bookings.deciding.invariants import violations
from bookings.deciding.walk_ins import Seat
from bookings.finding.walking_in import spots
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, book, hours
from spaces import setups
from spaces.factories import PlaceFactory, PolicyFactory, ShiftFactory

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

AT = TEN + timedelta(minutes=20)  # the quarter hour from 10:15 is running

TWELVE = TEN + hours(2)


def seat(place, by, now=AT, ends_at=TWELVE, **kwargs):
    kwargs.setdefault("people", 1)
    return walk_ins.seat_one_of([Seat(place, ends_at)], by=by, now=now, **kwargs)


class TestService:
    def test_they_are_booked_and_seated_at_once(self, desk, host):
        came = seat(desk, host)
        assert (came.state, came.channel, came.guest_name) == (
            State.CHECKED_IN,
            Booking.Channel.WALK_IN,
            "Walk-in 1",
        )
        assert (came.starts_at, came.ends_at) == (TEN + timedelta(minutes=15), TEN + hours(2))
        assert [e.kind for e in came.events.order_by("sequence")] == ["CONFIRMED", "SEATED"]
        assert list(violations(now=AT)) == []

    def test_it_may_be_shorter_than_the_shortest_and_off_the_steps(self, space, desk, host):
        PolicyFactory.create(space=space, min_minutes=90, step_minutes=30)
        assert seat(desk, host, ends_at=TEN + timedelta(minutes=45)).state == State.CHECKED_IN

    def test_the_next_best_is_tried_when_the_best_is_taken_meanwhile(self, space, desk, host, bob):
        book(desk, bob, TEN, starts_at=TEN + hours(1), length=1)
        second = space.places.get(number=2)
        seats = [Seat(desk, TEN + hours(2)), Seat(second, TEN + hours(2))]
        came = walk_ins.seat_one_of(seats, people=1, by=host, now=AT)
        assert came.place == second
        assert Booking.objects.of_channel("WALK_IN").count() == 1

    def test_nothing_is_left_when_all_are_taken(self, desk, host, bob):
        book(desk, bob, TEN, starts_at=TEN + hours(1), length=1)
        with pytest.raises(SlotTaken):
            seat(desk, host)
        assert not Booking.objects.of_channel("WALK_IN").exists()

    def test_numbers_are_those_of_the_space_and_its_day(self, space, host):
        first, second, third = space.places.by_number()
        assert [seat(place, host).guest_name for place in (first, second)] == [
            "Walk-in 1",
            "Walk-in 2",
        ]
        assert seat(third, host, name="Mrs Rossi").guest_name == "Mrs Rossi"
        tomorrow = AT + timedelta(days=1)
        assert seat(third, host, now=tomorrow, ends_at=tomorrow.replace(minute=30)).guest_name == (
            "Walk-in 1"
        )

    def test_pressed_twice_it_seats_once(self, space, host):
        first, second, _third = space.places.by_number()
        came = seat(first, host, request_key="k")
        # By then the best place is another one.
        assert seat(second, host, request_key="k") == came
        with pytest.raises(RequestKeyReused):
            seat(second, host, request_key="k", people=2)

    def test_only_the_staff_may(self, desk, alice):
        with pytest.raises(NotStaff):
            seat(desk, alice)


class TestUndo:
    def test_it_is_cancelled_and_the_place_is_free(self, desk, host, bob):
        came = seat(desk, host)
        now = AT + timedelta(seconds=9)
        undone = walk_ins.undo(came, by=host, now=now)
        assert (undone.state, undone.seated_at) == (State.CANCELLED, None)
        assert not undone.booked_slots.exists()
        assert walk_ins.undo(came, by=host, now=now).events.count() == 4
        assert list(violations(now=now)) == []
        book(desk, bob, AT, starts_at=TEN + hours(1))

    def test_not_later(self, desk, host):
        came = seat(desk, host)
        with pytest.raises(TooLate):
            walk_ins.undo(came, by=host, now=AT + timedelta(minutes=1))

    def test_not_after_something_else(self, desk, host):
        came = seat(desk, host)
        services.reschedule(
            came,
            place=desk,
            starts_at=came.starts_at,
            ends_at=came.ends_at + hours(1),
            by=host,
            now=AT,
        )
        with pytest.raises(WrongState):
            walk_ins.undo(came, by=host, now=AT)

    def test_not_of_an_ordinary_booking(self, desk, alice, host):
        with pytest.raises(WrongState):
            walk_ins.undo(book(desk, alice, TEN), by=host, now=AT)

    def test_only_by_the_staff(self, desk, host, alice):
        with pytest.raises(NotStaff):
            walk_ins.undo(seat(desk, host), by=alice, now=AT)


class TestSpots:
    def test_the_smallest_that_is_free_long_enough_comes_first(self, space, desk, bob):
        large = PlaceFactory.create(space=space, number=7, capacity=6)
        fitting = PlaceFactory.create(space=space, number=8, capacity=4)
        busy = PlaceFactory.create(space=space, number=9, capacity=3)
        book(busy, bob, TEN, starts_at=TEN + hours(1), length=1)
        found = spots(setups.current("loft"), people=3, now=AT)
        assert [spot.place for spot in found] == [fitting, large, busy]
        assert (found[-1].free_until, found[-1].is_short) == (TEN + hours(1), True)
        assert found[0].ends_at == TEN + timedelta(minutes=15) + hours(2)

    def test_it_ends_when_the_house_closes(self, space):
        late = TEN.replace(hour=21, minute=10)
        assert spots(setups.current("loft"), people=1, now=late)[0].ends_at == TEN.replace(hour=22)
        assert spots(setups.current("loft"), people=1, now=late.replace(minute=50)) == []
        assert spots(setups.current("loft"), people=1, now=late.replace(hour=23)) == []

    def test_nobody_is_seated_with_too_many(self, space):
        assert spots(setups.current("loft"), people=2, now=AT) == []


class TestPage:
    @pytest.fixture
    def staff(self, client, host):
        client.force_login(host)
        return client

    @pytest.fixture(autouse=True)
    def open_house(self, clock):
        clock.now = AT

    ADDRESS = "/staff/loft/walk-in/"

    def test_two_taps_and_they_sit(self, staff, desk):
        """People, then the best place: with the tap that opens the page, three."""
        asked = staff.get(self.ADDRESS)
        assert f'href="{self.ADDRESS}?people=1"' in asked.content.decode()
        page = staff.get(f"{self.ADDRESS}?people=1")
        assert "Seat at Desk 1" in page.content.decode().replace(
            '<span class="whole">', ""
        ).replace("</span>", "")
        assert "free until 22:00" in page.content.decode()
        best = page.context["best"]
        answer = staff.post(self.ADDRESS, {"people": 1, "place": str(best.place.code)})
        came = Booking.objects.get()
        assert (came.place, came.state) == (desk, State.CHECKED_IN)
        assert answer.url == f"{self.ADDRESS}?seated={came.code}"
        assert "Walk-in 1" in staff.get(answer.url).content.decode()

    def test_undo_is_offered_for_ten_seconds(self, staff, clock):
        seated = staff.post(self.ADDRESS, {"people": 1}).url
        came = Booking.objects.get()
        undo = reverse("undo_walk_in", args=["loft", came.code])
        assert undo in staff.get(seated).content.decode()
        clock.passes(seconds=11)
        assert undo not in staff.get(seated).content.decode()
        clock.passes(seconds=-5)
        staff.post(undo)
        came.refresh_from_db()
        assert came.state == State.CANCELLED

    def test_the_staff_are_warned_of_too_many_and_may_seat_them(self, staff, space, now):
        shift = {"first_seating": time(8), "last_seating": time(20), "covers_in_house": 0}
        ShiftFactory.create(space=space, **shift)
        page = staff.get(f"{self.ADDRESS}?people=1")
        assert page.context["warning"] == "Too many people arrive at 10:15 already."
        assert 'name="anyway" value="1"' in page.text
        # Nobody said so on the page that they pressed on.
        answer = staff.post(self.ADDRESS, {"people": 1})
        assert (answer.status_code, Booking.objects.count()) == (HTTPStatus.CONFLICT, 0)
        assert 'name="anyway" value="1"' in answer.text
        staff.post(self.ADDRESS, {"people": 1, "anyway": "1"})
        came = Booking.objects.get()
        assert came.state == State.CHECKED_IN
        history = staff.get(reverse("staff_booking", args=["loft", came.code])).text
        assert "Too many people arrive at that time already." in history
        assert list(violations(now=AT)) == []

    def test_a_place_that_is_gone_is_told_and_the_next_offered(self, staff, desk, bob):
        book(desk, bob, AT, starts_at=TEN + hours(1))
        Booking.objects.filter(member=bob).update(starts_at=TEN)
        answer = staff.post(
            self.ADDRESS, {"people": 1, "place": str(desk.code), "name": "Mrs Rossi"}
        )
        assert answer.status_code == HTTPStatus.CONFLICT
        assert str(answer.context["best"].place) == "Desk 2"
        assert 'value="Mrs Rossi"' in answer.content.decode()

    @pytest.mark.parametrize("people", ["", "0", "x", "1001", "-1"])
    def test_nonsense_is_told(self, staff, people):
        assert staff.get(self.ADDRESS, {"people": people}).status_code == HTTPStatus.OK
        answer = staff.post(self.ADDRESS, {"people": people})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert not Booking.objects.exists()

    def test_a_restaurant_can_let_them_wait(self, staff, space):
        waiting = "/staff/loft/waiting/?people=9"
        assert waiting not in staff.get(f"{self.ADDRESS}?people=9").text
        space.kind = "RESTAURANT"
        space.save(update_fields=["kind"])
        assert waiting in staff.get(f"{self.ADDRESS}?people=9").text

    def test_too_many_are_sent_to_the_phone_page(self, staff):
        page = staff.get(f"{self.ADDRESS}?people=9").content.decode()
        assert "/staff/loft/phone/?party=9" in page
