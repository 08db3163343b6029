"""Moving a booking: the service first, then the page."""

from datetime import time, timedelta
from uuid import uuid4

import pytest

from bookings.deciding import services
from bookings.deciding.errors import Refused, SlotTaken, TooLate, WrongState
from bookings.models import BookedSlot
from bookings.states import State
from bookings.tests.acts import TEN, book, codes, hours, local, move
from spaces.factories import PlaceFactory, PolicyFactory, open_space

pytestmark = pytest.mark.django_db


@pytest.fixture
def booking(desk, alice, now):
    return book(desk, alice, now)


def taken_by(booking):
    return sorted(booking.booked_slots.values_list("place__number", "slot"))


def test_it_moves_in_time_with_its_slots_and_an_event(booking, alice, now):
    moved = move(booking, now, TEN + hours(4))

    assert (moved.code, moved.state) == (booking.code, State.CONFIRMED)
    assert taken_by(moved) == [(1, TEN + hours(4) + timedelta(minutes=15 * n)) for n in range(8)]
    event = moved.events.get(sequence=2)
    assert (event.kind, event.actor) == ("MOVED", alice)
    assert event.data["starts_at"] == "2026-11-25T14:00:00+00:00"


def test_it_moves_to_another_place(space, booking, now):
    second = space.places.get(number=2)
    moved = move(booking, now, TEN, place=second)
    assert moved.place == second
    assert {number for number, _ in taken_by(moved)} == {2}


def test_it_may_overlap_its_own_old_time(booking, now):
    assert move(booking, now, TEN + hours(1)).starts_at == TEN + hours(1)


def test_the_old_time_is_kept_when_the_new_one_is_taken(booking, desk, bob, now):
    book(desk, bob, now, starts_at=TEN + hours(3))
    before = taken_by(booking)
    with pytest.raises(SlotTaken):
        move(booking, now, TEN + hours(2))
    booking.refresh_from_db()
    assert (booking.state, booking.starts_at) == (State.CONFIRMED, TEN)
    assert taken_by(booking) == before
    assert booking.events.count() == 1


def test_every_rule_holds_for_the_new_time(booking, now):
    with pytest.raises(Refused) as error:
        move(booking, now, TEN + timedelta(minutes=15), length=0.25)
    assert codes(error) == ["too_short", "off_step"]
    booking.refresh_from_db()
    assert booking.starts_at == TEN


def test_moving_to_the_same_time_changes_nothing(booking, now):
    move(booking, now, TEN)
    assert booking.events.count() == 1


def test_another_space_is_refused(booking, now):
    elsewhere = open_space(places=1).places.get()
    with pytest.raises(Refused) as error:
        move(booking, now, TEN, place=elsewhere)
    assert codes(error) == ["other_space"]


def test_too_late_to_cancel_is_too_late_to_move(space, booking, now):
    PolicyFactory.create(space=space, cancel_deadline_minutes=120)
    with pytest.raises(TooLate):
        move(booking, TEN - hours(1), TEN + hours(4))


def test_a_cancelled_booking_stays_cancelled(booking, alice, now):
    services.cancel(booking, by=alice, now=now)
    with pytest.raises(WrongState):
        move(booking, now, TEN + hours(4))
    assert BookedSlot.objects.count() == 0


def test_a_full_quota_does_not_stop_a_move(space, booking, now):
    PolicyFactory.create(space=space, max_upcoming=1)
    assert move(booking, now, TEN + hours(1)).starts_at == TEN + hours(1)


def test_a_quota_of_the_new_kind_does(space, booking, desk, alice, now):
    room = PlaceFactory.create(space=space, number=20, kind="ROOM")
    book(room, alice, now)
    PolicyFactory.create(space=space, kind="ROOM", max_upcoming=1)
    with pytest.raises(Refused) as error:
        move(booking, now, TEN + hours(4), place=room)
    assert codes(error) == ["too_many_upcoming"]


def test_from_a_part_to_the_composite(space, booking, now):
    pair = PlaceFactory.create(space=space, number=10)
    pair.parts.set(space.places.filter(number__in=[1, 2]))
    moved = move(booking, now, TEN, place=pair)
    assert {number for number, _ in taken_by(moved)} == {1, 2}


@pytest.mark.parametrize(
    ("zone", "old", "new", "opens", "closes"),
    [
        ("Europe/Berlin", "2026-10-24T23:00", "2026-10-25T02:00+01:00", time(0), time(0)),
        ("Europe/Berlin", "2026-03-28T23:00", "2026-03-29T03:00", time(0), time(0)),
        ("Europe/Moscow", "2026-11-24T18:00", "2026-11-25T01:00", time(18), time(2)),
        ("Asia/Kathmandu", "2026-11-24T09:00", "2026-11-24T10:00", time(9), time(18)),
    ],
)
def test_into_a_night_and_over_midnight(alice, zone, old, new, opens, closes):
    space = open_space(time_zone=zone, places=1, opens_at=opens, closes_at=closes)
    before, after = local(space, old), local(space, new)
    booking = book(space.places.get(), alice, before - hours(24), before, length=1)
    assert move(booking, before - hours(24), after, length=1).starts_at == after


class TestPage:
    @pytest.fixture
    def upcoming(self, desk, alice, soon):
        return book(desk, alice, soon - hours(24), soon)

    def fields(self, place, soon, after=4):
        starts_at = soon + hours(after)
        return {
            "place": place.code,
            "starts_at": f"{starts_at:%Y-%m-%dT%H:%M}",
            "ends_at": f"{starts_at + hours(2):%Y-%m-%dT%H:%M}",
        }

    def test_post_moves_and_returns_to_the_booking(self, client, upcoming, desk, alice, soon):
        client.force_login(alice)
        path = f"/bookings/{upcoming.code}/reschedule/"
        answer = client.post(path, self.fields(desk, soon))
        assert (answer.status_code, answer.url) == (302, f"/bookings/{upcoming.code}/?moved=1")
        upcoming.refresh_from_db()
        assert upcoming.starts_at == soon + hours(4)

    def test_a_taken_time_is_409_with_alternatives(self, client, upcoming, desk, alice, bob, soon):
        book(desk, bob, soon - hours(24), soon + hours(4))
        client.force_login(alice)
        answer = client.post(
            f"/bookings/{upcoming.code}/reschedule/", self.fields(desk, soon, after=3)
        )
        assert answer.status_code == 409
        assert len(answer.context["offers"]) == 3
        upcoming.refresh_from_db()
        assert upcoming.starts_at == soon

    def test_a_broken_rule_is_422_with_the_reason(self, client, upcoming, desk, alice, soon):
        client.force_login(alice)
        answer = client.post(
            f"/bookings/{upcoming.code}/reschedule/", self.fields(desk, soon, after=11)
        )
        assert answer.status_code == 422
        assert 'that day: <span class="whole">8:00–22:00</span>' in answer.text

    def test_somebody_elses_booking_is_not_found(self, client, upcoming, desk, bob, soon):
        client.force_login(bob)
        path = f"/bookings/{upcoming.code}/reschedule/"
        assert client.post(path, self.fields(desk, soon)).status_code == 404

    def test_an_unknown_place_is_422(self, client, upcoming, alice, soon):
        client.force_login(alice)
        fields = self.fields(upcoming.place, soon) | {"place": uuid4()}
        answer = client.post(f"/bookings/{upcoming.code}/reschedule/", fields)
        assert answer.status_code == 422
        assert "There is no such place." in answer.text

    def test_only_post(self, client, upcoming, alice):
        client.force_login(alice)
        assert client.get(f"/bookings/{upcoming.code}/reschedule/").status_code == 405
