"""Booking for who is on the phone: one page, few fields, the guest known."""

from datetime import time
from http import HTTPStatus

import pytest

from accounts.factories import UserFactory
from bookings.deciding import services
from bookings.guests import Guest
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from spaces.factories import ShiftFactory

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ADDRESS = "/staff/loft/phone/"


@pytest.fixture
def staff(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def call(soon):
    """What is typed for a call: day and time, a name, a phone. How many and how long are there."""
    return {
        "date": f"{soon:%Y-%m-%d}",
        "from": "10:00",
        "party": 1,
        "guest_name": "Rossi",
        "phone": "+39 02 1234567",
    }


def test_four_fields_and_one_press_book_the_best_place(staff, call, host, soon):
    answer = staff.post(ADDRESS, call)
    made = Booking.objects.get()
    assert (made.state, made.channel, str(made.place)) == (State.CONFIRMED, "STAFF", "Desk 1")
    assert (made.starts_at, made.ends_at) == (soon, soon + hours(2))
    assert (made.guest_name, made.guest_contact) == ("Rossi", "+39 02 1234567")
    assert made.guest.phone_digits == "39021234567"
    assert made.events.get().actor == host
    assert answer.url == f"/staff/loft/bookings/{made.code}/"


def test_what_is_free_is_shown_for_what_is_asked(staff, call, desk, bob, soon, clock):
    book(desk, bob, clock.now, starts_at=soon)
    page = staff.get(ADDRESS, call)
    assert [str(o.place) for o in page.context["offers"]] == ["Desk 2", "Desk 3"]
    part = staff.get(ADDRESS, call, headers={"HX-Request": "true", "HX-Target": "places"})
    assert part.content.decode().strip().startswith('<fieldset id="places"')


def test_when_nothing_is_free_the_next_time_is_offered(staff, call, space, bob, soon, clock):
    for place in space.places.all():
        book(place, bob, clock.now, starts_at=soon)
    page = staff.get(ADDRESS, call)
    assert page.context["offers"] == []
    assert page.context["problems"] == []  # they are taken, and no rule is in the way
    assert page.context["first"].period.starts_at == soon + hours(2)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"from": "10:30"}, "off_step"),
        ({"from": "21:00"}, "closed"),
        ({"party": 40}, "party_too_large"),
        ({"date": "2199-01-01"}, "too_far_ahead"),
    ],
)
def test_when_nothing_is_free_the_rule_in_the_way_is_said(staff, call, asked, code):
    page = staff.get(ADDRESS, {**call, **asked})
    [problem] = page.context["problems"]
    assert problem.code == code
    assert f'<p class="help">{problem.message}</p>' in page.text


def test_a_shift_that_is_full_is_said(staff, call, space):
    ShiftFactory.create(
        space=space,
        first_seating=time(8),
        last_seating=time(20),
        covers_in_house=1,
    )
    page = staff.get(ADDRESS, {**call, "party": 2})
    assert [problem.code for problem in page.context["problems"]] == ["pacing_full"]


def test_the_house_is_offered_times_outside_the_shifts(staff, call, space):
    ShiftFactory.create(space=space, first_seating=time(12), last_seating=time(14))
    assert staff.get(ADDRESS, call).context["offers"]


@pytest.mark.parametrize("typed", ["10", "10.00", "10:00"])
def test_a_time_may_be_typed_in_short(staff, call, soon, typed):
    staff.post(ADDRESS, {**call, "from": typed})
    assert Booking.objects.get().starts_at == soon


def test_a_clash_is_told_with_who_is_there_and_one_press_books_instead(
    staff, call, desk, bob, soon, clock
):
    book(desk, bob, clock.now, starts_at=soon)
    answer = staff.post(ADDRESS, {**call, "place": str(desk.code), "note": "a window"})
    assert answer.status_code == HTTPStatus.CONFLICT
    page = answer.content.decode()
    assert "bob" in page
    assert 'value="a window"' in page
    instead = answer.context["refusal"].offers[0][1]
    staff.post(ADDRESS, {**call, "place": str(desk.code), "note": "a window", "instead": instead})
    made = Booking.objects.get(state=State.CONFIRMED, member=None)
    assert (str(made.place), made.note) == ("Desk 2", "a window")


def test_rules_are_listed_with_alternatives(staff, call, desk):
    answer = staff.post(ADDRESS, {**call, "from": "21:00", "place": str(desk.code)})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert [p.code for p in answer.context["refusal"].problems] == ["closed"]
    assert answer.context["refusal"].offers


def test_sent_twice_it_books_once(staff, call):
    for _n in range(2):
        staff.post(ADDRESS, {**call, "request_key": "k"})
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"guest_name": ""},
        {"email": "nobody"},
        {"date": "soon"},
        {"from": "26:00"},
        {"place": "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"},
        {"instead": "a|b|c"},
        {"instead": "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55|2026-13-01T10:00|x"},
    ],
)
def test_what_cannot_be_read_books_nothing_and_stays(staff, call, wrong):
    answer = staff.post(ADDRESS, {**call, "note": "kept", **wrong})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'value="kept"' in answer.content.decode()
    assert not Booking.objects.exists()


class TestWhoCalls:
    @pytest.fixture
    def known(self, staff, call, desk, host, clock, soon):
        """Rossi came once, didn't come once, and is allergic."""
        staff.post(ADDRESS, call)
        first = Booking.objects.get()
        services.cancel(first, by=host, now=clock.now)
        for place, state in ((1, "COMPLETED"), (2, "NO_SHOW")):
            made = book(
                desk.space.places.get(number=place),
                None,
                clock.now,
                starts_at=first.starts_at,
                by=host,
                guest_name="Rossi",
                guest_contact="+39 02 1234567",
            )
            made.booked_slots.all().delete()
            Booking.objects.filter(pk=made.pk).update(
                state=state, starts_at=soon - hours(96), ends_at=soon - hours(95)
            )
        Guest.objects.update(allergies="nuts", note="likes the window")
        return Guest.objects.get()

    @pytest.mark.parametrize(
        ("field", "typed"), [("guest_name", "ros"), ("phone", "02 123"), ("phone", "+39021234567")]
    )
    def test_a_guest_is_found_while_typing(self, staff, known, field, typed):
        answer = staff.get(
            f"{ADDRESS}guests/",
            {"guest_name": "", "phone": "", field: typed},
            headers={"HX-Request": "true", "HX-Trigger-Name": field},
        )
        page = answer.content.decode()
        for told in ("Rossi", "1 visit", "1 no-show", "nuts", "likes the window"):
            assert told in page
        assert f'value="guest:{known.code}"' in page

    def test_picking_fills_in_name_and_phone(self, staff, known, call):
        page = staff.get(ADDRESS, {**call, "guest_name": "r", "pick": f"guest:{known.code}"})
        text = page.content.decode()
        assert 'value="Rossi"' in text
        assert 'value="+39 02 1234567"' in text
        assert "nuts" in text

    def test_the_same_phone_is_the_same_guest(self, staff, known, call):
        staff.post(ADDRESS, {**call, "guest_name": "Mario Rossi", "phone": "0039 02 123 45 67"})
        assert Guest.objects.get() == known
        assert Booking.objects.latest("pk").guest == known

    def test_a_member_is_found_and_booked_for(self, staff, call, desk, clock, soon):
        anna = UserFactory.create(username="anna", name="Anna Petrova")
        book(desk, anna, clock.now, starts_at=soon + hours(4))
        found = staff.get(
            f"{ADDRESS}guests/",
            {"guest_name": "petr"},
            headers={"HX-Request": "true", "HX-Trigger-Name": "guest_name"},
        )
        assert 'value="member:anna"' in found.content.decode()
        page = staff.get(ADDRESS, {**call, "pick": "member:anna"}).content.decode()
        assert 'name="choice" value="member:anna"' in page
        staff.post(ADDRESS, {**call, "guest_name": "", "phone": "", "choice": "member:anna"})
        made = Booking.objects.latest("pk")
        assert (made.member, made.guest_name, made.guest_contact) == (anna, "", "")

    def test_members_of_other_spaces_are_nobody_here(self, staff, call, alice):
        found = staff.get(
            f"{ADDRESS}guests/",
            {"guest_name": "alice"},
            headers={"HX-Request": "true", "HX-Trigger-Name": "guest_name"},
        )
        assert "alice" not in found.content.decode().replace("?guest_name=alice", "")
        answer = staff.post(ADDRESS, {**call, "guest_name": "", "choice": "member:alice"})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
