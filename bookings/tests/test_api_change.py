"""`PATCH` and `DELETE /bookings/{code}`: moving and cancelling by API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.models import Booking
from bookings.tests import acts
from bookings.tests.acts import hours
from bookings.tests.programs import codes, fields, kind, program, wish
from spaces.factories import PolicyFactory, open_space
from spaces.models import OpeningHours

pytestmark = pytest.mark.django_db

A_WEEK = 60 * 24 * 7  # minutes
NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def alices(alice):
    return program(alice)


@pytest.fixture
def held(desk, alice, soon):
    """Alice has the desk from ten to twelve."""
    return acts.book(desk, alice, timezone.now(), soon, note="By the window")


@pytest.fixture
def address(held):
    return f"/bookings/{held.code}"


def time(starts_at, length=2):
    ends_at = starts_at + hours(length)
    return {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}


def is_where_it_was(booking):
    now = Booking.objects.get(pk=booking.pk)
    asked = (booking.state, booking.place_id, booking.period, booking.party_size)
    is_same = asked == (now.state, now.place_id, now.period, now.party_size)
    return is_same and now.booked_slots.count() == 8


class TestMove:
    def test_to_another_time(self, alices, held, address, soon):
        before = alices.get(address).json()
        answer = alices.patch(address, time(soon + hours(4)))
        assert answer.status_code == 200
        assert answer.json() == alices.get(address).json()
        moved = {
            "starts_at": f"{soon:%Y-%m-%dT14:00:00}+00:00",
            "ends_at": f"{soon:%Y-%m-%dT16:00:00}+00:00",
        }
        assert answer.json() == {**before, **moved}
        assert [event.kind for event in held.events.order_by("sequence")] == ["CONFIRMED", "MOVED"]

    def test_values_left_out_stay(self, alices, held, address, space, soon):
        two = space.places.get(number=2)
        moved = alices.patch(address, {"place": str(two.code)}).json()
        assert (moved["place"]["name"], moved["starts_at"][11:16]) == ("Desk 2", "10:00")
        longer = alices.patch(address, {"ends_at": (soon + hours(3)).isoformat()}).json()
        assert (longer["starts_at"][11:16], longer["ends_at"][11:16]) == ("10:00", "13:00")
        assert longer["note"] == "By the window"

    def test_into_its_own_time(self, alices, held, address, soon):
        assert alices.patch(address, time(soon + hours(1))).status_code == 200

    def test_moving_to_the_same_time_changes_nothing(self, alices, held, address, soon):
        assert alices.patch(address, time(soon)).status_code == 200
        assert held.events.count() == 1

    def test_into_somebody_elses_time(self, alices, bob, desk, held, address, soon):
        acts.book(desk, bob, timezone.now(), soon + hours(3))
        answer = alices.patch(address, time(soon + hours(2)))
        assert kind(answer) == (409, "slot_taken")
        assert is_where_it_was(held)
        assert "booking" not in answer.json()
        offer = answer.json()["alternatives"][0]
        body = {**offer, "place": offer["place"]["code"]}
        assert alices.patch(address, body).status_code == 200

    def test_its_own_time_is_among_the_alternatives(self, alices, bob, space, held, address, soon):
        """It makes room for itself: eleven to one is free once the booking moves away."""
        for place in space.places.all():
            acts.book(place, bob, timezone.now(), soon + hours(3), 9)
        answer = alices.patch(address, time(soon + hours(2)))
        starts = {o["starts_at"][11:16] for o in answer.json()["alternatives"]}
        assert "11:00" in starts

    def test_every_broken_rule_is_reported(self, alices, held, address, soon):
        answer = alices.patch(address, {**time(soon, 13), "party_size": 3})
        assert kind(answer) == (422, "refused")
        assert codes(answer) == ["party_too_large", "closed"]
        assert is_where_it_was(held)

    def test_to_another_space(self, alices, held, address):
        elsewhere = open_space(slug="other", places=1).places.get()
        answer = alices.patch(address, {"place": str(elsewhere.code)})
        assert (kind(answer), codes(answer)) == ((422, "refused"), ["other_space"])
        assert answer.json()["alternatives"] == []  # all of them would be there

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "body"),
            ({"place": None, "party_size": None}, "body"),
            ({"place": NOWHERE}, "body.place"),
            ({"place": "1"}, "body.place"),
            ({"starts_at": "2026-11-25T10:00:00"}, "body.starts_at"),
            ({"party_size": 0}, "body.party_size"),
            ({"note": 5}, "body.note"),
            ({"guest_name": "Ivan"}, "body.guest_name"),
            ({"state": "CANCELLED"}, "body.state"),
            ([], "body"),
        ],
    )
    def test_a_wrong_value_is_named(self, alices, held, address, body, field):
        answer = alices.patch(address, body)
        assert (kind(answer), fields(answer)) == ((422, "invalid"), [field])
        assert is_where_it_was(held)

    def test_a_booking_doesn_t_count_against_its_own_quota(
        self, alices, space, held, address, soon
    ):
        PolicyFactory.create(space=space, max_upcoming=1)
        assert alices.patch(address, time(soon + hours(4))).status_code == 200


class TestCancel:
    def test_the_place_is_free_again(self, alices, bob, desk, held, address, soon):
        answer = alices.delete(address)
        assert (answer.status_code, answer.json()["state"]) == (200, "CANCELLED")
        assert answer.json() == alices.get(address).json()
        assert program(bob).post("/bookings", wish(desk, soon)).status_code == 201

    def test_the_reason_stays_in_its_history(self, alices, held, address):
        alices.delete(f"{address}?reason=I+am+ill")
        assert held.events.get(kind="CANCELLED").reason == "I am ill"

    @pytest.mark.parametrize("reason", ["%00", "x" * 201])
    def test_a_reason_that_can_not_be_stored_is_named(self, alices, held, address, reason):
        answer = alices.delete(f"{address}?reason={reason}")
        assert (kind(answer), fields(answer)) == ((422, "invalid"), ["query.reason"])
        assert is_where_it_was(held)

    def test_a_second_time_its_state_does_not_allow_it(self, alices, held, address):
        alices.delete(address)
        assert kind(alices.delete(address)) == (409, "wrong_state")
        assert kind(alices.patch(address, {"party_size": 2})) == (409, "wrong_state")
        assert held.events.count() == 2


class TestDeadline:
    @pytest.fixture
    def late(self, space, held):
        PolicyFactory.create(space=space, cancel_deadline_minutes=A_WEEK, grace_minutes=0)

    def test_members_keep_to_the_deadline(self, late, alices, held, address, soon):
        assert kind(alices.patch(address, time(soon + hours(4)))) == (422, "too_late")
        assert kind(alices.delete(address)) == (422, "too_late")
        assert is_where_it_was(held)

    def test_staff_need_not(self, late, host, alice, held, address, soon):
        hosts = program(host)
        assert hosts.patch(address, time(soon + hours(4))).json()["member"] == "alice"
        assert hosts.delete(address).status_code == 200
        assert held.events.get(kind="CANCELLED").actor == host

    def test_a_past_booking_stays_as_it_was(self, alice, host, desk, soon):
        OpeningHours.objects.update(opens_at="00:00", closes_at="00:00")
        at = soon - timedelta(days=7)
        over = acts.book(desk, alice, at - hours(1), at)
        for asking in (program(alice), program(host)):
            assert kind(asking.delete(f"/bookings/{over.code}")) == (409, "wrong_state")


@pytest.mark.parametrize("code", ["1", "x", "%00", NOWHERE + "0", NOWHERE.replace("-", "")])
def test_a_url_without_a_booking(alices, code):
    for answer in (
        alices.get(f"/bookings/{code}"),
        alices.patch(f"/bookings/{code}", {"party_size": 2}),
        alices.delete(f"/bookings/{code}"),
    ):
        assert kind(answer) == (404, "not_found")
