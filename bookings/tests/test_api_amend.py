"""`PATCH /bookings/{code}` with a note or a guest: changing a booking's details by API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.deciding import details, leaving, services
from bookings.deciding.details import Details
from bookings.deciding.errors import Refused, WrongState
from bookings.deciding.invariants import violations
from bookings.models import Booking
from bookings.tests import acts
from bookings.tests.acts import hours
from bookings.tests.crowd import at_once
from bookings.tests.programs import fields, kind, program
from notifications.models import Delivery
from notifications.relay import fan_out
from spaces.factories import PolicyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alices(alice):
    return program(alice)


@pytest.fixture
def held(desk, alice, soon):
    return acts.book(desk, alice, timezone.now(), soon, note="By the window")


@pytest.fixture
def of_guest(space, host, soon):
    desk = space.places.get(number=2)
    guest = {"guest_name": "Ivan", "guest_contact": "+7 900"}
    return acts.book(desk, None, timezone.now(), soon, by=host, **guest)


def address(booking):
    return f"/bookings/{booking.code}"


def kinds(booking):
    return list(booking.events.order_by("sequence").values_list("kind", flat=True))


def amend(booking, by, **said):
    return details.amend(booking, Details(**said), by=by, now=timezone.now())


class TestNote:
    def test_it_is_changed_and_remembered(self, alices, alice, held):
        before = alices.get(address(held)).json()
        answer = alices.patch(address(held), {"note": "By the door"})
        assert answer.status_code == 200
        assert answer.json() == {**before, "note": "By the door"}
        assert alices.get(address(held)).json() == answer.json()
        event = held.events.latest("sequence")
        assert (event.kind, event.actor, event.data["note"]) == ("AMENDED", alice, "By the door")
        assert list(violations(now=timezone.now())) == []

    def test_an_empty_one_takes_it_away(self, alices, held):
        assert alices.patch(address(held), {"note": ""}).json()["note"] == ""

    def test_the_same_again_changes_nothing(self, alices, held):
        assert alices.patch(address(held), {"note": "By the window"}).status_code == 200
        assert kinds(held) == ["CONFIRMED"]

    def test_together_with_a_move_it_is_one_event(self, alices, held, soon):
        wish = {"starts_at": (soon + hours(1)).isoformat(), "note": "A bit later"}
        answer = alices.patch(address(held), wish).json()
        assert (answer["starts_at"][11:16], answer["note"]) == ("11:00", "A bit later")
        assert kinds(held) == ["CONFIRMED", "MOVED"]
        assert held.events.latest("sequence").data["note"] == "A bit later"

    def test_with_its_current_time_it_is_not_a_move(self, alices, held, soon):
        wish = {"starts_at": soon.isoformat(), "note": "Quiet, please"}
        assert alices.patch(address(held), wish).json()["note"] == "Quiet, please"
        assert kinds(held) == ["CONFIRMED", "AMENDED"]

    def test_a_move_that_fails_changes_nothing(self, alices, held, desk, bob, soon):
        acts.book(desk, bob, timezone.now(), soon + hours(3))
        wish = {"ends_at": (soon + hours(4)).isoformat(), "note": "Longer"}
        assert kind(alices.patch(address(held), wish)) == (409, "slot_taken")
        held.refresh_from_db()
        assert (held.note, kinds(held)) == ("By the window", ["CONFIRMED"])

    def test_it_has_no_deadline(self, alices, held, space):
        PolicyFactory.create(space=space, cancel_deadline_minutes=60 * 24 * 30, grace_minutes=0)
        assert alices.patch(address(held), {"note": "With a bike"}).status_code == 200

    def test_the_staff_may_too(self, host, held):
        assert program(host).patch(address(held), {"note": "Key at the bar"}).status_code == 200
        assert held.events.latest("sequence").actor == host

    @pytest.mark.parametrize("note", ["n" * 501, "\x00", "\ud800", 5, ["note"]])
    def test_what_can_not_be_stored_is_refused(self, alices, held, note):
        answer = alices.patch(address(held), {"note": note})
        assert (kind(answer), fields(answer)) == ((422, "invalid"), ["body.note"])

    def test_nothing_at_all_is_refused(self, alices, held):
        for body in ({}, {"note": None}):
            assert kind(alices.patch(address(held), body)) == (422, "invalid")

    def test_a_cancelled_or_past_booking_stays_as_it_was(self, alices, alice, held, desk, soon):
        services.cancel(held, by=alice, now=timezone.now())
        assert kind(alices.patch(address(held), {"note": "Why?"})) == (409, "wrong_state")
        past = acts.book(desk, alice, soon - timedelta(days=9), soon - timedelta(days=8))
        assert kind(alices.patch(address(past), {"note": "Lovely"})) == (409, "wrong_state")

    def test_an_undecided_booking_can_not_be_amended(self, alices, desk, alice, soon):
        asked = acts.ask(desk, alice, timezone.now(), soon)
        assert kind(alices.patch(address(asked), {"note": "Now"})) == (409, "wrong_state")

    def test_an_erased_member_gets_no_note_again(self, alice, held):
        leaving.leave(alice, by=alice, now=timezone.now())
        with pytest.raises(Refused):
            amend(held, UserFactory.create(is_superuser=True), note="Alice was here")

    def test_nobody_gets_mail(self, alices, held, django_user_model):
        django_user_model.objects.update(email="alice@example.org")
        fan_out(now=timezone.now())
        before = Delivery.objects.count()
        alices.patch(address(held), {"note": "By the door"})
        fan_out(now=timezone.now())
        assert Delivery.objects.count() == before

    def test_it_appears_in_the_bookings_history(self, client, alice, held, alices):
        alices.patch(address(held), {"note": "By the door"})
        client.force_login(alice)
        assert "Details changed" in client.get(held.get_absolute_url()).text


class TestGuest:
    def test_name_and_contact_are_changed(self, host, of_guest):
        guest = {"guest_name": "Olga", "guest_contact": "olga@example.org"}
        answer = program(host).patch(address(of_guest), guest)
        assert answer.status_code == 200
        assert {name: answer.json()[name] for name in guest} == guest
        assert kinds(of_guest) == ["CONFIRMED", "AMENDED"]
        assert program(host).patch(address(of_guest), {"guest_contact": ""}).status_code == 200

    def test_together_with_a_move(self, host, of_guest, soon):
        wish = {"guest_name": "Olga", "ends_at": (soon + hours(3)).isoformat(), "note": "Tea"}
        answer = program(host).patch(address(of_guest), wish).json()
        assert (answer["guest_name"], answer["note"]) == ("Olga", "Tea")
        assert kinds(of_guest) == ["CONFIRMED", "MOVED"]

    @pytest.mark.parametrize("name", ["", "  ", "I" * 151])
    def test_a_guest_needs_a_name(self, host, of_guest, name):
        assert kind(program(host).patch(address(of_guest), {"guest_name": name})) == (
            422,
            "invalid",
        )

    @pytest.mark.parametrize("field", ["guest_name", "guest_contact"])
    def test_a_members_booking_has_no_guest(self, alices, host, held, field):
        for asking in (alices, program(host)):
            answer = asking.patch(address(held), {field: "Ivan", "note": "His desk"})
            assert (kind(answer), fields(answer)) == ((422, "invalid"), [f"body.{field}"])
        held.refresh_from_db()
        assert held.note == "By the window"

    def test_others_do_not_even_see_it(self, alices, of_guest):
        assert kind(alices.patch(address(of_guest), {"guest_name": "Eve"})) == (404, "not_found")


@pytest.mark.django_db(transaction=True)
def test_moved_and_amended_at_once_the_log_agrees_with_the_row(held, alice, soon):
    answers = at_once(
        lambda: acts.move(held, timezone.now(), soon + hours(4)),
        lambda: amend(held, alice, note="By the door"),
        lambda: amend(held, alice, note="By the stairs"),
    )
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    row = Booking.objects.get(pk=held.pk)
    last = held.events.latest("sequence").data
    assert (last["note"], last["starts_at"][:16]) == (row.note, f"{row.starts_at:%Y-%m-%dT%H:%M}")
    assert list(violations(now=timezone.now())) == []


@pytest.mark.django_db(transaction=True)
def test_cancelled_and_amended_at_once(held, alice):
    answers = at_once(
        lambda: services.cancel(held, by=alice, now=timezone.now()),
        lambda: amend(held, alice, note="By the door"),
    )
    assert all(isinstance(answer, Booking | WrongState) for answer in answers)
    last = held.events.latest("sequence")
    assert (last.kind, last.data["note"]) == ("CANCELLED", Booking.objects.get(pk=held.pk).note)
