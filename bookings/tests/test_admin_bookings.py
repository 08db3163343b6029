"""Bookings in the admin: finding one, viewing it, who may."""

from datetime import time, timedelta

import pytest

from accounts.factories import StaffRoleFactory, UserFactory
from bookings.deciding import services
from bookings.models import Booking
from bookings.tests.acts import book, hours
from spaces.factories import PlaceFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

LIST = "/admin/bookings/booking/"
MOST_QUERIES = 12


@pytest.fixture
def desk_of_host(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def other_space(db):
    return open_space(slug="cellar", name="Cellar", time_zone="Asia/Kathmandu")


def codes(answer):
    return {booking.code for booking in answer.context["cl"].result_list}


def page(booking):
    return f"{LIST}{booking.pk}/change/"


class TestList:
    def test_the_list_shows_where_when_for_whom_and_the_state(self, desk_of_host, desk, bob, soon):
        book(desk, bob, soon - hours(24), soon)
        text = desk_of_host.get(LIST).text
        assert "Desk 1" in text
        assert f"{soon:%a} {soon.day} {soon:%b %Y}" in text
        assert "10:00–12:00" in text
        assert "bob" in text
        assert "confirmed" in text

    def test_times_are_those_of_the_space(self, client, admin_user, other_space, bob, soon):
        place = other_space.places.get(number=1)
        local = soon.replace(hour=4, minute=15)  # 10:00 in Kathmandu, 5:45 ahead
        book(place, bob, soon - hours(24), local)
        client.force_login(admin_user)
        assert "10:00–12:00" in client.get(LIST).text

    def test_staff_see_their_spaces_only(self, desk_of_host, desk, other_space, bob, soon):
        mine = book(desk, bob, soon - hours(24), soon)
        place = other_space.places.get(number=1)
        book(place, bob, soon - hours(24), soon.replace(hour=5, minute=15))
        assert codes(desk_of_host.get(LIST)) == {mine.code}
        assert "Cellar" not in desk_of_host.get(LIST).text

    def test_a_superuser_sees_all(self, client, admin_user, desk, other_space, bob, soon):
        book(desk, bob, soon - hours(24), soon)
        place = other_space.places.get(number=1)
        book(place, bob, soon - hours(24), soon.replace(hour=5, minute=15))
        client.force_login(admin_user)
        assert len(codes(client.get(LIST))) == 2
        assert len(codes(client.get(LIST, {"space": "cellar"}))) == 1

    def test_queries_do_not_grow_with_rows(
        self, desk_of_host, space, host, soon, django_assert_max_num_queries
    ):
        def booked(number):
            place = PlaceFactory.create(space=space, number=number)
            book(place, UserFactory.create(), soon - hours(24), soon)

        booked(100)
        with django_assert_max_num_queries(MOST_QUERIES) as one:
            desk_of_host.get(LIST, {"day": "week"})
        for number in range(101, 131):
            booked(number)
        with django_assert_max_num_queries(len(one)):
            answer = desk_of_host.get(LIST, {"day": "week"})
        assert len(codes(answer)) == 31


class TestFilter:
    def test_by_day_and_state(self, desk_of_host, desk, bob, soon):
        first = book(desk, bob, soon - hours(24), soon)
        second = book(desk, bob, soon - hours(24), soon + hours(24))
        services.cancel(second, by=bob, now=soon - hours(24))
        assert codes(desk_of_host.get(LIST, {"day": f"{soon:%Y-%m-%d}"})) == {first.code}
        assert codes(desk_of_host.get(LIST, {"day": "week"})) == {first.code, second.code}
        assert codes(desk_of_host.get(LIST, {"day": "today"})) == set()
        assert codes(desk_of_host.get(LIST, {"state": "CANCELLED"})) == {second.code}

    def test_days_are_in_the_spaces_zone(self, client, admin_user, bob, soon):
        night = open_space(slug="night", time_zone="Asia/Kathmandu", opens_at=time(0))
        at = soon.replace(hour=19, minute=15)  # 1:00 of the next day there
        booking = book(night.places.get(number=1), bob, soon - hours(24), at)
        client.force_login(admin_user)
        day = at.date() + timedelta(days=1)
        assert codes(client.get(LIST, {"day": str(day)})) == {booking.code}
        assert codes(client.get(LIST, {"day": str(day - timedelta(days=1))})) == set()

    @pytest.mark.parametrize("day", ["2026-02-30", "yesterday", "9999-12-31", "", "x" * 5000, "٣"])
    def test_an_invalid_day_is_reported(self, desk_of_host, day):
        assert desk_of_host.get(LIST, {"day": day}, follow=True).status_code == 200

    @pytest.mark.parametrize(
        "query", [{"space": "nowhere"}, {"state": "SAD"}, {"o": "99.x"}, {"e": "1"}]
    )
    def test_unknown_filter_values_find_nothing(self, desk_of_host, query):
        assert desk_of_host.get(LIST, query, follow=True).status_code == 200

    @pytest.mark.parametrize(
        "query",
        ["q=%00", "space=%00", "state=a%00", "day=%00", "note=x", "id__in=x", "nonsense=1", "p=x"],
    )
    def test_filters_that_the_page_does_not_have_are_400(self, desk_of_host, query):
        assert desk_of_host.get(f"{LIST}?{query}").status_code == 400


class TestSearch:
    @pytest.fixture
    def booking(self, space, host, soon):
        room = PlaceFactory.create(space=space, number=47, name="Volga", capacity=4)
        olga = UserFactory.create(username="olga")
        xenia = UserFactory.create(username="xenia")
        book(space.places.get(number=1), xenia, soon - hours(24), soon)
        return book(room, olga, soon - hours(24), soon)

    @pytest.mark.parametrize("words", ["olga", "OLGA", "olg", "volga", "Volga olga", "47"])
    def test_by_login_and_place(self, desk_of_host, booking, words):
        assert codes(desk_of_host.get(LIST, {"q": words})) == {booking.code}

    def test_by_code_or_the_start_of_it(self, desk_of_host, booking):
        code = str(booking.code)
        assert codes(desk_of_host.get(LIST, {"q": code})) == {booking.code}
        assert codes(desk_of_host.get(LIST, {"q": booking.code.hex[:30]})) == {booking.code}
        assert booking.code in codes(desk_of_host.get(LIST, {"q": code[:9].upper()}))

    def test_by_the_kind_and_number_of_a_place_without_a_name(self, desk_of_host, booking):
        assert len(codes(desk_of_host.get(LIST, {"q": "Desk 1"}))) == 1
        assert codes(desk_of_host.get(LIST, {"q": "Desk 2"})) == set()

    def test_by_guest(self, desk_of_host, desk, host, soon):
        guest = book(desk, None, soon - hours(24), soon, by=host, guest_name="Ms Kim")
        assert codes(desk_of_host.get(LIST, {"q": "kim"})) == {guest.code}

    @pytest.mark.parametrize("words", ["%", "9" * 400, "a" * 3000, "' OR 1=1", "abcdef" * 9])
    def test_nonsense_finds_nothing(self, desk_of_host, booking, words):
        answer = desk_of_host.get(LIST, {"q": words}, follow=True)
        assert answer.status_code == 200


class TestPage:
    def test_it_shows_what_happened_by_whom_and_why(self, desk_of_host, desk, bob, host, soon):
        booking = book(desk, bob, soon - hours(24), soon)
        services.cancel(booking, by=host, now=soon - hours(23), reason="Burst pipe")
        text = desk_of_host.get(page(booking)).text
        for words in ("booked", "bob", "cancelled", "hanna", "Burst pipe"):
            assert words in text
        assert "Cancel…" not in text

    def test_what_people_wrote_is_text(self, desk_of_host, desk, host, soon):
        book(desk, None, soon - hours(24), soon, by=host, guest_name="<b>Eve</b>", note="<i>x</i>")
        booking = Booking.objects.get()
        for address in (LIST, page(booking)):
            assert "<b>Eve" not in desk_of_host.get(address).text
            assert "<i>x" not in desk_of_host.get(address).text

    def test_nothing_on_it_can_be_changed(self, desk_of_host, desk, bob, soon):
        booking = book(desk, bob, soon - hours(24), soon)
        assert desk_of_host.post(page(booking), {"state": "CANCELLED"}).status_code == 403
        assert desk_of_host.post(f"{LIST}{booking.pk}/delete/", {"post": "yes"}).status_code == 403
        assert Booking.objects.get().state == "CONFIRMED"

    def test_another_spaces_booking_is_not_found(self, client, desk, bob, soon, other_space):
        booking = book(desk, bob, soon - hours(24), soon)
        client.force_login(StaffRoleFactory.create(space=other_space, role="MANAGER").user)
        answer = client.get(page(booking))
        assert answer.status_code == 302
        assert answer.url == "/admin/"
        for part in ("history", "delete"):
            assert client.get(f"{LIST}{booking.pk}/{part}/").status_code in (302, 403)

    def test_queries_do_not_grow_with_events(
        self, desk_of_host, desk, bob, soon, django_assert_max_num_queries
    ):
        booking = book(desk, bob, soon - hours(24), soon)
        with django_assert_max_num_queries(MOST_QUERIES) as one:
            desk_of_host.get(page(booking))
        for n in range(1, 6):
            services.reschedule(
                booking,
                place=desk,
                starts_at=soon + hours(n),
                ends_at=soon + hours(n + 1),
                by=UserFactory.create(is_superuser=True),
                now=soon - hours(24),
            )
        with django_assert_max_num_queries(len(one)):
            desk_of_host.get(page(booking))


def test_the_manager_too_and_nobody_else(client, manager, alice):
    assert client.get(LIST).status_code == 302
    client.force_login(alice)
    assert client.get(LIST, follow=True).status_code == 403
    client.force_login(manager)
    assert client.get(LIST).status_code == 200
