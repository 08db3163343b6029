"""Booking for a member or a guest, in the admin."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.test import Client

from accounts.factories import StaffRoleFactory, UserFactory
from bookings.deciding import services
from bookings.models import Booking, BookingEvent
from bookings.states import State
from bookings.tests.acts import book, hours
from spaces.factories import PlaceFactory, PolicyFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ADD = "/admin/bookings/booking/add/"


@pytest.fixture
def desk_of_host(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def fields(desk, alice, soon):
    return {
        "place": desk.code,
        "day": f"{soon:%Y-%m-%d}",
        "starts": "10:00",
        "ends": "12:00",
        "party_size": 1,
        "member": "alice",
        "note": "by phone",
        "request_key": "key",
    }


def for_guest(fields):
    return {**fields, "member": "", "guest_name": "Ms Kim", "guest_contact": "+7 900 000"}


class TestWorks:
    def test_for_a_member_by_login(self, desk_of_host, fields, desk, alice, host, soon):
        answer = desk_of_host.post(ADD, {**fields, "member": " Alice "}, follow=True)
        booking = Booking.objects.get()
        assert (booking.member, booking.place, booking.state) == (alice, desk, State.CONFIRMED)
        assert (booking.starts_at, booking.ends_at) == (soon, soon + hours(2))
        assert booking.note == "by phone"
        assert booking.events.get().actor == host
        assert answer.redirect_chain[-1][0] == f"/admin/bookings/booking/{booking.pk}/change/"
        assert "Booked: Desk 1" in answer.text

    def test_for_a_guest(self, desk_of_host, fields, host):
        desk_of_host.post(ADD, for_guest(fields))
        booking = Booking.objects.get()
        assert (booking.member, booking.guest_name, booking.guest_contact) == (
            None,
            "Ms Kim",
            "+7 900 000",
        )

    @pytest.mark.parametrize("who", [dict, for_guest])
    def test_a_double_click_books_once(self, desk_of_host, fields, who):
        answers = [desk_of_host.post(ADD, who(fields)) for _ in range(2)]
        assert Booking.objects.count() == 1
        assert answers[0].url == answers[1].url
        assert BookingEvent.objects.count() == 1

    @pytest.mark.parametrize("who", [dict, for_guest])
    def test_a_used_form_with_other_content_books_nothing(self, desk_of_host, fields, who):
        desk_of_host.post(ADD, who(fields))
        answer = desk_of_host.post(ADD, who(fields) | {"starts": "14:00", "ends": "15:00"})
        assert answer.status_code == 422
        assert "already used" in answer.text
        assert Booking.objects.count() == 1

    def test_times_are_those_of_the_space_and_may_pass_midnight(self, client, alice, soon, fields):
        bar = open_space(
            slug="bar", time_zone="Europe/Moscow", opens_at=time(18), closes_at=time(2)
        )
        client.force_login(StaffRoleFactory.create(space=bar).user)
        changes = {"place": bar.places.get(number=1).code, "starts": "23:00", "ends": "01:00"}
        client.post(ADD, fields | changes)
        booking = Booking.objects.get()
        local = datetime.combine(soon.date(), time(23), ZoneInfo("Europe/Moscow"))
        assert (booking.starts_at, booking.ends_at) == (local, local + hours(2))

    def test_a_url_fills_in_the_form(self, desk_of_host, desk):
        form = desk_of_host.get(ADD, {"place": desk.code, "starts": "10:00"}).context["form"]
        assert form["place"].value() == str(desk.code)
        assert form["starts"].value() == "10:00"


class TestRefused:
    def test_every_reason_is_given_and_what_was_typed_stays(self, desk_of_host, fields, space):
        PolicyFactory.create(space=space, max_minutes=60)
        answer = desk_of_host.post(ADD, {**fields, "party_size": 4})
        assert answer.status_code == 422
        assert "Desk 1 is for 1 person." in answer.text
        assert "The longest booking is 1 hour." in answer.text
        assert answer.context["form"]["note"].value() == "by phone"
        assert not Booking.objects.exists()

    def test_a_taken_place_is_409_with_alternatives_one_click_away(
        self, desk_of_host, fields, desk, bob, soon
    ):
        book(desk, bob, soon - hours(24), soon)
        answer = desk_of_host.post(ADD, for_guest(fields))
        assert answer.status_code == 409
        assert "Someone has Desk 1 for 10:00–12:00." in answer.text
        offers = answer.context["offers"]
        assert [words for words, _ in offers] == [
            "Desk 2, 10:00–12:00",
            "Desk 3, 10:00–12:00",
            "Desk 1, 8:00–10:00",
        ]
        desk_of_host.post(ADD, {**offers[0][1], "request_key": "another"})
        booking = Booking.objects.get(state=State.CONFIRMED, member=None)
        assert (booking.place.number, booking.guest_name) == (2, "Ms Kim")

    def test_a_quota_of_the_member_holds_here_too(self, desk_of_host, fields, space, alice, soon):
        PolicyFactory.create(space=space, max_upcoming=1)
        book(space.places.get(number=2), alice, soon - hours(24), soon)
        assert desk_of_host.post(ADD, fields).status_code == 422
        assert Booking.objects.count() == 1

    def test_a_closed_account_gets_nothing(self, desk_of_host, fields, alice):
        alice.is_active = False
        alice.save()
        assert desk_of_host.post(ADD, fields).status_code == 422
        assert not Booking.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"place": ""}, "place"),
            ({"place": "x"}, "place"),
            ({"place": "\x00"}, "place"),
            ({"place": "01980000-0000-7000-8000-000000000000"}, "place"),
            ({"day": ""}, "day"),
            ({"day": "tomorrow"}, "day"),
            ({"day": "2026-02-30"}, "day"),
            ({"day": "9999-12-31"}, "day"),
            ({"day": "\x00"}, "day"),
            ({"starts": ""}, "starts"),
            ({"starts": "25:00"}, "starts"),
            ({"starts": "x"}, "starts"),
            ({"ends": "noon"}, "ends"),
            ({"ends": "09:00"}, "ends"),  # before the start, in a house that closes at night
            ({"ends": "1" * 300}, "ends"),
            ({"party_size": "0"}, "party_size"),
            ({"party_size": "-1"}, "party_size"),
            ({"party_size": "9" * 30}, "party_size"),
            ({"party_size": "two"}, "party_size"),
            ({"member": "nobody"}, "member"),
            ({"member": ""}, "member"),
            ({"member": "a\x00"}, "member"),
            ({"guest_name": "Ms Kim"}, "member"),
            ({"guest_name": "x" * 151, "member": ""}, "guest_name"),
            ({"note": "x" * 501}, "note"),
            ({"request_key": "x" * 201}, "request_key"),
        ],
    )
    def test_bad_input_is_a_form_error(self, desk_of_host, fields, changes, field):
        answer = desk_of_host.post(ADD, {**fields, **changes})
        assert answer.status_code == 422
        assert field in answer.context["form"].errors
        assert not Booking.objects.exists()

    def test_an_hour_that_a_spring_night_skips_is_reported(self, client, alice, fields):
        club = open_space(slug="club", time_zone="Europe/Berlin", opens_at=time(0))
        client.force_login(StaffRoleFactory.create(space=club).user)
        place = club.places.get(number=1).code
        night = {"place": place, "day": "2027-03-28", "starts": "02:30", "ends": "04:00"}
        errors = client.post(ADD, fields | night).context["form"].errors
        assert "does not exist" in errors["starts"][0]

    @pytest.mark.parametrize("body", ["", "place=%ff%fe&day=%80", "x" * 5000])
    def test_broken_bodies_are_form_errors(self, desk_of_host, space, body):
        answer = desk_of_host.post(ADD, body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 422


class TestWho:
    def test_staff_choose_among_their_own_places(self, desk_of_host, fields, desk):
        foreign = PlaceFactory.create(name="Cellar door")
        assert "Cellar door" not in desk_of_host.get(ADD).text
        answer = desk_of_host.post(ADD, {**fields, "place": foreign.code})
        assert answer.status_code == 422
        assert not Booking.objects.exists()

    def test_a_manager_and_a_superuser_too(self, client, fields, manager):
        client.force_login(manager)
        assert client.post(ADD, fields).status_code == 302
        client.force_login(UserFactory.create(is_superuser=True))
        assert client.post(ADD, fields | {"starts": "14:00", "ends": "15:00", "request_key": "b"})
        assert Booking.objects.count() == 2

    def test_members_and_visitors_do_not(self, client, fields, alice):
        assert client.post(ADD, fields).status_code == 302
        client.force_login(alice)
        assert client.post(ADD, fields, follow=True).status_code == 403
        assert not Booking.objects.exists()

    def test_another_spaces_key_reveals_nothing(self, client, desk_of_host, fields, soon):
        desk_of_host.post(ADD, for_guest(fields))
        cellar = open_space(slug="cellar")
        client.force_login(StaffRoleFactory.create(space=cellar).user)
        place = cellar.places.get(number=1).code
        answer = client.post(ADD, for_guest(fields) | {"place": place})
        assert answer.status_code == 422
        assert Booking.objects.count() == 1

    def test_wrong_methods_are_405(self, desk_of_host):
        assert desk_of_host.put(ADD).status_code == 405
        assert desk_of_host.delete(ADD).status_code == 405


def test_the_form_takes_as_many_queries_for_many_places_as_for_one(
    desk_of_host, space, django_assert_max_num_queries
):
    with django_assert_max_num_queries(8) as few:
        desk_of_host.get(ADD)
    for number in range(50, 80):
        PlaceFactory.create(space=space, number=number)
    with django_assert_max_num_queries(len(few)):
        desk_of_host.get(ADD)


def test_after_a_cancellation_a_reload_books_nothing_new(desk_of_host, fields, host, soon):
    desk_of_host.post(ADD, for_guest(fields), follow=True)
    services.cancel(Booking.objects.get(), by=host, now=soon - hours(24))
    answer = desk_of_host.post(ADD, for_guest(fields), follow=True)
    assert "Booked:" not in answer.text
    assert Booking.objects.get().state == State.CANCELLED


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("who", [dict, for_guest])
def test_eight_clicks_at_the_same_moment_book_once(fields, host, who):
    start = threading.Barrier(8)

    def click(_number):
        client = Client()
        client.force_login(host)
        start.wait()
        try:
            return client.post(ADD, who(fields)).url
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        addresses = set(pool.map(click, range(8)))
    booking = Booking.objects.get()
    assert addresses == {f"/admin/bookings/booking/{booking.pk}/change/"}
