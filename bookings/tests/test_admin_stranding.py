"""What the admin asks before a change of set-up that bookings don't fit, and what answers do."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group

from accounts.factories import StaffRoleFactory, UserFactory
from bookings.models import Booking, BookingEvent
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.tests.asked import asked, shown
from spaces.factories import ClosureFactory, PlaceFactory, PolicyFactory, open_space
from spaces.models import Place
from spaces.tests.staff import filled_in, list_url, page, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

KEEP = {"bookings-choice": "keep"}
BACK = {"bookings-choice": "back"}
CANCEL = {"bookings-choice": "cancel", "bookings-reason": "Shorter days"}


@pytest.fixture
def clerk(client, manager):
    """Marat at his desk."""
    sign_in(client, manager)
    return client


@pytest.fixture
def afternoon(desk, alice, soon):
    """Alice's, from 16 to 18."""
    return book(desk, alice, soon - hours(40), soon + hours(6))


def form_of(client, row, **changes):
    """Return what a manager posts who changes these fields of a row's page."""
    return filled_in(client, page(row)) | {"is_active": "on", "is_bookable": "on"} | changes


def shorter_days(client, space):
    return form_of(client, space, **{f"opening_hours-{n}-closes_at": "12:00" for n in range(7)})


def lines(answer):
    return [line["words"].split(",")[0] for line in answer.context["lines"]]


def problems(answer):
    return [problem for line in answer.context["lines"] for problem in line["problems"]]


def kinds(booking):
    return [event.kind for event in booking.events.order_by("sequence")]


class TestAsking:
    def test_the_bookings_are_shown_and_nothing_is_changed(self, clerk, space, afternoon):
        answer = clerk.post(page(space), shorter_days(clerk, space))
        assert answer.status_code == 409
        assert "Desk 1" in answer.text
        assert "16:00–18:00, alice" in answer.text
        assert problems(answer) == [
            "Not open for all of that time. Opening hours that day: 8:00–12:00."
        ]
        assert {hours.closes_at.hour for hours in space.opening_hours.all()} == {22}
        assert kinds(afternoon) == ["CONFIRMED"]

    def test_no_message_tells_of_what_was_not_done(self, clerk, space, desk, afternoon):
        action = {"action": "withdraw", "_selected_action": [desk.pk]}
        assert clerk.post(list_url(Place), action).status_code == 409
        assert "any more" not in clerk.get(list_url(Place)).text

    def test_what_fits_as_before_is_not_asked_about(self, clerk, space, afternoon):
        changes = {"opening_hours-0-closes_at": "23:00", "name": "Loft 2", "is_active": "on"}
        assert clerk.post(page(space), form_of(clerk, space, **changes)).status_code == 302

    def test_what_was_stranded_before_is_not_asked_about_again(self, clerk, space, afternoon):
        space.opening_hours.update(closes_at="12:00")
        changes = {f"opening_hours-{n}-closes_at": "11:00" for n in range(7)}
        assert clerk.post(page(space), form_of(clerk, space, **changes)).status_code == 302

    def test_past_and_cancelled_bookings_are_left_out(self, clerk, space, desk, alice):
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        past = now.replace(hour=18) - timedelta(days=3)
        book(desk, alice, past - hours(30), past)
        assert clerk.post(page(space), shorter_days(clerk, space)).status_code == 302


class TestKeeping:
    def test_they_stay_and_it_is_said(self, clerk, space, afternoon, client, alice, manager):
        fields = asked(clerk.post(page(space), shorter_days(clerk, space)))
        answer = clerk.post(page(space), fields | KEEP, follow=True)
        assert "Kept 1 booking as it is." in answer.text
        assert {hours.closes_at.hour for hours in space.opening_hours.all()} == {12}
        event = afternoon.events.get(sequence=2)
        assert (event.kind, event.actor, event.data["problems"]) == ("KEPT", manager, ["closed"])
        client.force_login(alice)
        text = client.get(afternoon.get_absolute_url()).text
        assert "This booking stays as it is, although something has changed:" in text
        assert 'Opening hours that day: <span class="whole">8:00–12:00</span>.' in text
        assert "The space is not open for all of that time." in text

    def test_the_staff_see_it_on_the_booking_too(self, clerk, space, afternoon):
        space.opening_hours.update(closes_at="12:00")
        text = clerk.get(f"/admin/bookings/booking/{afternoon.pk}/change/").text
        assert "This booking stays as it is, although something has changed:" in text

    def test_it_is_said_who_gets_no_mail(self, clerk, space, desk, manager, bob, soon):
        guest = {"guest_name": "Ms Smith", "guest_contact": "+49 30 1234"}
        book(desk, None, soon - hours(40), soon + hours(6), by=manager, **guest)
        bob.email = "bob@example.org"
        bob.save()
        book(space.places.get(number=2), bob, soon - hours(40), soon + hours(6))
        answer = clerk.post(page(space), shorter_days(clerk, space))
        told = [line["unwritten"] for line in answer.context["lines"]]
        assert told == ["Gets no mail. Contact: +49 30 1234", ""]

    def test_it_is_not_said_any_more_when_it_fits_again(self, client, space, afternoon, alice):
        space.opening_hours.update(closes_at="12:00")
        client.force_login(alice)
        assert "although something has changed" in client.get(afternoon.get_absolute_url()).text
        space.opening_hours.update(closes_at="22:00")
        assert "although something" not in client.get(afternoon.get_absolute_url()).text


class TestCancelling:
    def test_they_are_cancelled_with_the_reason(self, clerk, space, afternoon, manager):
        fields = asked(clerk.post(page(space), shorter_days(clerk, space)))
        answer = clerk.post(page(space), fields | CANCEL, follow=True)
        assert "Cancelled 1 booking." in answer.text
        event = afternoon.events.get(sequence=2)
        assert (event.kind, event.actor, event.reason) == ("CANCELLED", manager, "Shorter days")
        assert not afternoon.booked_slots.exists()

    def test_without_a_reason_it_asks_again(self, clerk, space, afternoon):
        fields = asked(clerk.post(page(space), shorter_days(clerk, space)))
        answer = clerk.post(page(space), fields | CANCEL | {"bookings-reason": " "})
        assert answer.status_code == 422
        assert "Give a reason" in answer.text
        assert kinds(afternoon) == ["CONFIRMED"]
        answer = clerk.post(page(space), asked(answer) | CANCEL)
        assert answer.status_code == 302
        assert kinds(afternoon) == ["CONFIRMED", "CANCELLED"]


class TestGoingBack:
    def test_the_form_comes_back_as_it_was_typed(self, clerk, space, afternoon):
        typed = shorter_days(clerk, space) | {"about": "Two\r\nlines", "name": "Loft <2>"}
        answer = clerk.post(page(space), asked(clerk.post(page(space), typed)) | BACK)
        assert answer.status_code == 200
        form = answer.context["adminform"].form
        assert (form["name"].value(), form["about"].value()) == ("Loft <2>", "Two\r\nlines")
        assert answer.context["errors"] == []
        formset = answer.context["inline_admin_formsets"][0].formset
        assert {str(each["closes_at"].value()) for each in formset.initial_forms} == {"12:00"}
        space.refresh_from_db()
        assert space.name == "Loft"
        assert {hours.closes_at.hour for hours in space.opening_hours.all()} == {22}

    def test_a_list_comes_back_as_it_was(self, clerk, desk, afternoon):
        url = list_url(Place, "?q=Desk")
        fields = asked(clerk.post(url, {"action": "withdraw", "_selected_action": [desk.pk]}))
        answer = clerk.post(url, fields | BACK)
        assert (answer.status_code, answer["Location"]) == (302, url)
        desk.refresh_from_db()
        assert desk.is_bookable

    def test_going_back_never_writes(self, clerk, desk, afternoon):
        """However somebody mixes what is posted."""
        action = {"action": "withdraw", "_selected_action": [desk.pk], "index": "0"}
        for url in (page(desk), page(desk, "delete"), list_url(Place)):
            for extra in (action, {f"change_form-{k}": v for k, v in action.items()} | action):
                clerk.post(url, form_of(clerk, desk, capacity="9") | extra | BACK)
        desk.refresh_from_db()
        assert (desk.is_bookable, desk.capacity) == (True, 1)


class TestShown:
    """The answer is about the bookings that were shown, and no others."""

    def test_one_that_was_made_meanwhile_is_shown_too(self, clerk, space, afternoon, bob, soon):
        fields = asked(clerk.post(page(space), shorter_days(clerk, space)))
        desk = space.places.get(number=2)
        later = book(desk, bob, soon - hours(40), soon + hours(7))
        answer = clerk.post(page(space), fields | KEEP)
        assert answer.status_code == 409
        assert lines(answer) == ["Desk 1", "Desk 2"]
        assert [line["is_new"] for line in answer.context["lines"]] == [False, True]
        assert clerk.post(page(space), asked(answer) | CANCEL).status_code == 302
        assert kinds(later) == ["CONFIRMED", "CANCELLED"]

    NO_CODES = ["", "nonsense", "\x00", "00000000-0000-0000-0000-000000000000", "," * 5000]

    def test_tampered_codes_confirm_nothing(self, clerk, space, afternoon):
        fields = asked(clerk.post(page(space), shorter_days(clerk, space)))
        for codes in self.NO_CODES:
            answer = clerk.post(page(space), fields | CANCEL | {"bookings-shown": codes})
            assert answer.status_code in {409, 422}, codes
            assert kinds(afternoon) == ["CONFIRMED"], codes

    def test_an_unknown_choice_is_none(self, clerk, space, afternoon):
        fields = asked(clerk.post(page(space), shorter_days(clerk, space)))
        for choice in ("", "delete", "\x00", "KEEP"):
            answer = clerk.post(page(space), fields | {"bookings-choice": choice})
            assert answer.status_code in {409, 422}, choice
            assert kinds(afternoon) == ["CONFIRMED"], choice


class TestWho:
    def test_a_host_changes_nothing(self, client, host, manager, space, afternoon):
        sign_in(client, manager)
        fields = shorter_days(client, space)
        sign_in(client, host)
        assert client.post(page(space), fields | CANCEL).status_code == 403
        assert kinds(afternoon) == ["CONFIRMED"]

    def test_staff_of_another_space_learn_and_cancel_nothing(
        self, client, manager, space, desk, afternoon
    ):
        sign_in(client, manager)
        fields = shorter_days(client, space) | CANCEL | {"bookings-shown": str(afternoon.code)}
        other = StaffRoleFactory(space=open_space(name="Barn"), role="MANAGER").user
        sign_in(client, other)
        assert client.post(page(space), fields).status_code == 302  # there is no such space
        action = {"action": "withdraw", "_selected_action": [desk.pk]}
        assert client.post(list_url(Place), action | CANCEL).status_code == 302
        assert client.post(page(desk), CANCEL).status_code == 302
        assert kinds(afternoon) == ["CONFIRMED"]
        desk.refresh_from_db()
        assert desk.is_bookable


class TestPlaces:
    def test_a_smaller_place_asks_about_large_parties(self, clerk, space, alice, soon):
        room = PlaceFactory(space=space, number=9, kind="ROOM", capacity=4)
        book(room, alice, soon - hours(40), soon, party_size=3)
        book(room, alice, soon - hours(40), soon + hours(2), party_size=2)
        answer = clerk.post(page(room), form_of(clerk, room, capacity="2"))
        assert problems(answer) == ["Room 9 is for up to 2 people."]

    def test_another_kind_brings_other_rules(self, clerk, space, desk, afternoon):
        PolicyFactory(space=space, kind="ROOM", max_minutes=60)
        answer = clerk.post(page(desk), form_of(clerk, desk, kind="ROOM"))
        assert problems(answer) == ["The longest booking is 1 hour."]

    def test_withdrawing_many_asks_about_all(self, clerk, space, desk, bob, afternoon, soon):
        book(space.places.get(number=2), bob, soon - hours(40), soon)
        keys = list(space.places.values_list("pk", flat=True))
        fields = {"action": "withdraw", "_selected_action": keys, "select_across": "1"}
        answer = clerk.post(list_url(Place), fields)
        assert lines(answer) == ["Desk 2", "Desk 1"]
        answer = clerk.post(list_url(Place), fields | shown(answer) | CANCEL, follow=True)
        assert "3 places can’t be booked any more." in answer.text
        assert "Cancelled 2 bookings." in answer.text


class TestParts:
    @pytest.fixture
    def hall(self, space):
        hall = PlaceFactory(space=space, number=10, kind="ROOM", capacity=2)
        hall.parts.set(space.places.filter(number__in=[1, 2]))
        return hall

    @pytest.fixture
    def party(self, hall, alice, soon):
        return book(hall, alice, soon - hours(40), soon)

    def parts(self, clerk, hall, *numbers):
        keys = Place.objects.filter(space=hall.space, number__in=numbers)
        return form_of(clerk, hall, parts=list(keys.values_list("pk", flat=True)))

    def answer(self, clerk, hall, fields, choice):
        answer = clerk.post(page(hall), fields)
        assert answer.status_code == 409
        return clerk.post(page(hall), fields | shown(answer) | choice)

    def test_a_booking_that_is_kept_takes_the_new_parts(self, clerk, hall, party):
        fields = self.parts(clerk, hall, 2, 3)
        assert self.answer(clerk, hall, fields, KEEP).status_code == 302
        held = party.booked_slots.values_list("place__number", flat=True)
        assert set(held) == {2, 3}
        assert party.events.get(sequence=2).data["problems"] == ["parts_changed"]

    def test_it_can_t_be_kept_where_somebody_has_a_new_part(
        self, clerk, space, hall, party, bob, soon
    ):
        book(space.places.get(number=3), bob, soon - hours(40), soon + hours(1), length=1)
        fields = self.parts(clerk, hall, 2, 3)
        answer = self.answer(clerk, hall, fields, KEEP)
        assert answer.status_code == 409
        assert "not all of these bookings can be kept" in answer.text
        assert {part.number for part in hall.parts.all()} == {1, 2}
        assert set(party.booked_slots.values_list("place__number", flat=True)) == {1, 2}
        assert self.answer(clerk, hall, fields, CANCEL).status_code == 302
        assert kinds(party) == ["CONFIRMED", "CANCELLED"]

    def test_what_is_over_and_not_finished_yet_is_not_in_the_way(self, clerk, hall, alice):
        now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        past = now.replace(hour=10) - timedelta(days=2)
        over = book(hall, alice, past - hours(30), past)
        assert clerk.post(page(hall), self.parts(clerk, hall, 2, 3)).status_code == 302
        over.refresh_from_db()
        assert over.state == State.COMPLETED
        assert not over.booked_slots.exists()


class TestPolicies:
    def test_a_new_policy_asks(self, clerk, space, afternoon):
        fields = form_of(clerk, space) | {"policies-TOTAL_FORMS": "1"}
        answer = clerk.post(page(space), fields | {"policies-0-max_minutes": "60"})
        assert problems(answer) == ["The longest booking is 1 hour."]

    def test_a_policy_that_goes_asks(self, clerk, space, desk, alice, soon):
        policy = PolicyFactory(space=space, step_minutes=30)
        book(desk, alice, soon - hours(40), soon + timedelta(minutes=30))
        answer = clerk.post(page(space), form_of(clerk, space, **{"policies-0-DELETE": "on"}))
        assert problems(answer) == ["Bookings go in steps of 1 hour from opening time."]
        assert space.policies.get() == policy

    def test_notice_horizon_and_quotas_bind_who_books_not_what_is_booked(
        self, clerk, space, afternoon
    ):
        limits = {"min_notice_minutes": 10_000, "max_days_ahead": 1, "max_upcoming": 0}
        fields = form_of(clerk, space) | {"policies-TOTAL_FORMS": "1"}
        fields |= {f"policies-0-{name}": value for name, value in limits.items()}
        assert clerk.post(page(space), fields).status_code == 302


def test_a_group_s_policy_is_about_its_members(
    client, space, bob, afternoon, soon, django_assert_max_num_queries
):
    """Whoever is in none costs no query."""
    sign_in(client, UserFactory(username="boss", is_superuser=True))
    group = Group.objects.create(name="Students")
    PolicyFactory(space=space, group=group, max_minutes=600)
    bob.groups.add(group)
    two = space.places.get(number=2)
    book(two, bob, soon - hours(40), soon)
    fields = form_of(client, space) | {"policies-0-max_minutes": "60"}
    with django_assert_max_num_queries(100) as few:
        assert lines(client.post(page(space), fields)) == ["Desk 2"]
    for n in range(5):
        book(two, UserFactory(), soon - hours(40), soon + timedelta(days=n + 1))
    with django_assert_max_num_queries(len(few)):
        answer = client.post(page(space), fields)
    assert [line["words"].split(", ")[-1] for line in answer.context["lines"]] == ["bob"]


def test_a_closure_is_no_reason_to_ask_twice(clerk, space, afternoon, soon):
    ClosureFactory(space=space, starts_at=soon + hours(6), ends_at=soon + hours(8))
    assert clerk.post(page(space), shorter_days(clerk, space)).status_code == 302
    assert Booking.objects.get() == afternoon
    assert BookingEvent.objects.count() == 1
