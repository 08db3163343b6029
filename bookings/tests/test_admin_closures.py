"""Closing a space or a place in the admin, and opening it again."""

from datetime import UTC, datetime, time, timedelta

import pytest

from accounts.factories import StaffRoleFactory, UserFactory
from bookings.models import Booking, BookingEvent
from bookings.states import State
from bookings.tests.acts import book, hours
from spaces.factories import ClosureFactory, PlaceFactory, open_space
from spaces.models import Closure

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIST = "/admin/spaces/closure/"
ADD = f"{LIST}add/"


@pytest.fixture
def desk_of_host(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def fields(space, soon):
    return {
        "what": "space loft",
        "first_day": f"{soon:%Y-%m-%d}",
        "starts": "09:00",
        "last_day": "",
        "ends": "13:00",
        "reason": "Repairs",
    }


def in_the_way(answer):
    return [words for words, _is_new in answer.context["bookings"]]


class TestWorks:
    def test_a_space_is_closed(self, desk_of_host, fields, space, soon):
        answer = desk_of_host.post(ADD, fields, follow=True)
        closure = Closure.objects.get()
        assert (closure.space, closure.place, closure.reason) == (space, None, "Repairs")
        assert (closure.starts_at, closure.ends_at) == (soon - hours(1), soon + hours(3))
        assert "All of Loft" in answer.text
        assert "9:00–13:00" in answer.text

    def test_one_place_is_closed(self, desk_of_host, fields, desk):
        desk_of_host.post(ADD, {**fields, "what": f"place {desk.code}"})
        assert Closure.objects.get().place == desk

    def test_without_times_whole_days_are_closed(self, desk_of_host, fields, soon):
        last = soon + timedelta(days=2)
        whole = {"starts": "", "ends": "", "last_day": f"{last:%Y-%m-%d}"}
        desk_of_host.post(ADD, fields | whole)
        closure = Closure.objects.get()
        midnight = soon.replace(hour=0)
        assert (closure.starts_at, closure.ends_at) == (midnight, midnight + timedelta(days=3))

    def test_a_whole_day_is_shown_with_both_ends(self, desk_of_host, fields, soon):
        answer = desk_of_host.post(ADD, fields | {"starts": "", "ends": ""}, follow=True)
        for day in (soon, soon + timedelta(days=1)):
            assert f"{day:%a} {day.day} {day:%b %Y}, " in answer.text

    def test_a_night_belongs_to_the_day_it_started(self, client, fields, soon):
        bar = open_space(slug="bar", opens_at=time(18), closes_at=time(2))
        client.force_login(StaffRoleFactory.create(space=bar).user)
        client.post(ADD, fields | {"what": "space bar", "starts": "", "ends": ""})
        closure = Closure.objects.get()
        two = soon.replace(hour=2)
        assert (closure.starts_at, closure.ends_at) == (two, two + timedelta(days=1))

    def test_an_end_before_the_start_is_on_the_next_day(self, desk_of_host, fields, soon):
        desk_of_host.post(ADD, fields | {"starts": "20:00", "ends": "01:00"})
        closure = Closure.objects.get()
        assert closure.ends_at - closure.starts_at == hours(5)

    def test_a_day_of_25_hours_is_closed_entirely(self, client, fields):
        club = open_space(slug="club", time_zone="Europe/Berlin")
        client.force_login(StaffRoleFactory.create(space=club).user)
        day = {"what": "space club", "first_day": "2027-10-31", "starts": "", "ends": ""}
        client.post(ADD, fields | day)
        closure = Closure.objects.get()
        assert closure.starts_at == datetime(2027, 10, 30, 22, tzinfo=UTC)
        assert closure.ends_at - closure.starts_at == hours(25)

    def test_who_closed_is_recorded(self, desk_of_host, fields, host):
        desk_of_host.post(ADD, fields)
        page = f"{LIST}{Closure.objects.get().pk}/history/"
        assert "hanna" in desk_of_host.get(page).text


class TestBookingsInTheWay:
    @pytest.fixture
    def booking(self, desk, alice, soon):
        return book(desk, alice, soon - hours(24), soon)

    def test_they_are_listed_and_nothing_is_closed(self, desk_of_host, fields, booking):
        answer = desk_of_host.post(ADD, fields)
        assert answer.status_code == 409
        assert "1 booking falls in that time." in answer.text
        assert len(in_the_way(answer)) == 1
        assert "alice" in in_the_way(answer)[0]
        assert not Closure.objects.exists()

    def test_they_are_cancelled_with_the_reason(self, desk_of_host, fields, booking, host):
        sent = desk_of_host.post(ADD, fields).context["typed"]
        answer = desk_of_host.post(ADD, sent, follow=True)
        assert "Closed, and cancelled 1 booking." in answer.text
        assert Booking.objects.get().state == State.CANCELLED
        event = BookingEvent.objects.get(kind="CANCELLED")
        assert (event.actor, event.reason) == (host, "Repairs")
        assert Closure.objects.count() == 1

    def test_they_are_kept_when_told(self, desk_of_host, fields, booking, host, client, alice):
        shown = {"shown": desk_of_host.post(ADD, fields).context["typed"]["shown"]}
        answer = desk_of_host.post(ADD, fields | shown | {"keep": "Keep"}, follow=True)
        assert "Closed, and kept 1 booking." in answer.text
        assert Closure.objects.get().reason == "Repairs"
        event = booking.events.get(sequence=2)
        assert (event.kind, event.actor, event.data["problems"]) == ("KEPT", host, ["closed"])
        client.force_login(alice)
        assert "stays as it is" in client.get(booking.get_absolute_url()).text

    def test_nothing_is_kept_unseen(self, desk_of_host, fields, booking):
        assert desk_of_host.post(ADD, fields | {"keep": "Keep"}).status_code == 409
        assert not Closure.objects.exists()

    def test_going_back_keeps_what_was_typed(self, desk_of_host, fields, booking):
        sent = desk_of_host.post(ADD, fields).context["typed"]
        answer = desk_of_host.post(ADD, {**sent, "back": "Go back"})
        assert answer.context["form"]["reason"].value() == "Repairs"
        assert not Closure.objects.exists()
        assert Booking.objects.get().state == State.CONFIRMED

    def test_newer_bookings_are_shown_before_they_are_cancelled(
        self, desk_of_host, fields, booking, space, bob, soon
    ):
        sent = desk_of_host.post(ADD, fields).context["typed"]
        book(space.places.get(number=2), bob, soon - hours(24), soon)
        answer = desk_of_host.post(ADD, sent)
        assert answer.status_code == 409
        assert [is_new for _words, is_new in answer.context["bookings"]] == [False, True]
        assert not Closure.objects.exists()
        assert Booking.objects.occupying().count() == 2
        desk_of_host.post(ADD, answer.context["typed"])
        assert Booking.objects.occupying().count() == 0

    def test_bookings_of_other_places_and_times_stay(
        self, desk_of_host, fields, booking, space, bob, soon
    ):
        book(space.places.get(number=1), bob, soon - hours(24), soon + hours(3))
        other = space.places.get(number=2)
        assert desk_of_host.post(ADD, {**fields, "what": f"place {other.code}"}).status_code == 302
        assert Booking.objects.occupying().count() == 2

    def test_forged_codes_cancel_nothing_else(self, desk_of_host, fields, booking, bob, soon):
        far = book(booking.place, bob, soon - hours(24), soon + hours(6))
        desk_of_host.post(ADD, {**fields, "shown": f"{booking.code},{far.code}"})
        assert list(Booking.objects.occupying()) == [far]


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"what": ""}, "what"),
            ({"what": "space nowhere"}, "what"),
            ({"what": "place \x00"}, "what"),
            ({"first_day": ""}, "first_day"),
            ({"first_day": "x"}, "first_day"),
            ({"first_day": "2026-02-30"}, "first_day"),
            ({"first_day": "9999-12-31"}, "first_day"),
            ({"last_day": "x"}, "last_day"),
            ({"last_day": "2020-01-01"}, "ends"),
            ({"first_day": "2020-01-01"}, "ends"),
            ({"starts": "x"}, "__all__"),
            ({"starts": "09:07"}, "starts"),
            ({"starts": "09:00:30"}, "starts"),
            ({"ends": "25:00"}, "__all__"),
            ({"ends": "1" * 100}, "ends"),
            ({"reason": ""}, "reason"),
            ({"reason": " "}, "reason"),
            ({"reason": "x" * 201}, "reason"),
            ({"reason": "\x00"}, "reason"),
            ({"shown": "x"}, "shown"),
            ({"shown": "\x00"}, "shown"),
        ],
    )
    def test_bad_input_is_a_form_error(self, desk_of_host, fields, changes, field):
        answer = desk_of_host.post(ADD, fields | changes)
        assert answer.status_code == 422
        assert field in answer.context["form"].errors
        assert not Closure.objects.exists()

    def test_an_hour_that_a_spring_night_skips_is_reported(self, client, fields):
        club = open_space(slug="club", time_zone="Europe/Berlin")
        client.force_login(StaffRoleFactory.create(space=club).user)
        night = {"what": "space club", "first_day": "2027-03-28", "starts": "02:30"}
        assert "does not exist" in client.post(ADD, fields | night).text

    def test_wrong_methods_are_405(self, desk_of_host):
        assert desk_of_host.put(ADD).status_code == 405
        assert desk_of_host.delete(ADD).status_code == 405


class TestWho:
    def test_a_manager_and_a_superuser_too(self, client, fields, manager):
        for person in (manager, UserFactory.create(is_superuser=True)):
            client.force_login(person)
            assert client.post(ADD, fields).status_code == 302
        assert Closure.objects.count() == 2

    def test_staff_close_their_own_spaces_only(self, desk_of_host, fields):
        cellar = open_space(slug="cellar", name="Cellar")
        assert "Cellar" not in desk_of_host.get(ADD).text
        place = cellar.places.get(number=1)
        for what in ("space cellar", f"place {place.code}"):
            answer = desk_of_host.post(ADD, {**fields, "what": what})
            assert answer.status_code == 422
        assert not Closure.objects.exists()

    def test_members_and_visitors_close_nothing(self, client, fields, alice):
        assert client.post(ADD, fields).status_code == 302
        client.force_login(alice)
        assert client.post(ADD, fields, follow=True).status_code == 403
        assert not Closure.objects.exists()


class TestReopen:
    @pytest.fixture
    def closure(self, space):
        return ClosureFactory.create(space=space)

    def test_a_host_opens_again(self, desk_of_host, closure):
        page = f"{LIST}{closure.pk}/delete/"
        assert "Repairs" in desk_of_host.get(page).text
        assert desk_of_host.post(page, {"post": "yes"}).status_code == 302
        assert not Closure.objects.exists()

    def test_several_at_once(self, desk_of_host, space, closure):
        ClosureFactory.create(space=space)
        keys = list(Closure.objects.values_list("pk", flat=True))
        sent = {"action": "delete_selected", "_selected_action": keys}
        assert "Reopen" in desk_of_host.post(LIST, sent).text
        assert Closure.objects.count() == 2
        desk_of_host.post(LIST, {**sent, "post": "yes"})
        assert not Closure.objects.exists()

    def test_nobody_changes_a_closure(self, desk_of_host, closure):
        page = f"{LIST}{closure.pk}/change/"
        assert "Reopen…" in desk_of_host.get(page).text
        assert desk_of_host.post(page, {"reason": "x"}).status_code == 403

    def test_staff_of_another_space_open_nothing(self, client, closure):
        client.force_login(StaffRoleFactory.create(role="MANAGER").user)
        assert client.post(f"{LIST}{closure.pk}/delete/", {"post": "yes"}).status_code in (302, 403)
        sent = {"action": "delete_selected", "_selected_action": closure.pk, "post": "yes"}
        client.post(LIST, sent)
        assert Closure.objects.count() == 1


class TestList:
    def test_it_is_filtered_by_time_and_space(self, client, admin_user, space, soon):
        ClosureFactory.create(space=space, starts_at=soon - timedelta(days=30), reason="Old")
        ClosureFactory.create(space=space, starts_at=soon, reason="Coming")
        ClosureFactory.create(space=open_space(slug="cellar"), starts_at=soon, reason="Elsewhere")
        client.force_login(admin_user)
        text = client.get(LIST, {"over": "no", "space": "loft"}).text
        assert [words in text for words in ("Old", "Coming", "Elsewhere")] == [False, True, False]
        assert client.get(LIST, {"over": "x", "space": "x"}, follow=True).status_code == 200

    def test_queries_do_not_grow_with_rows(
        self, desk_of_host, space, django_assert_max_num_queries
    ):
        ClosureFactory.create(space=space, place=PlaceFactory.create(space=space, number=50))
        with django_assert_max_num_queries(12) as one:
            desk_of_host.get(LIST)
        for number in range(51, 81):
            place = PlaceFactory.create(space=space, number=number)
            ClosureFactory.create(space=space, place=place)
        with django_assert_max_num_queries(len(one)):
            desk_of_host.get(LIST)
