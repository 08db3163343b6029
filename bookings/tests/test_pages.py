"""The member's pages: booking by form, the ticket, the lists."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from accounts.factories import UserFactory
from bookings.deciding import services
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours, move, write_booked
from spaces.factories import PlaceFactory, PolicyFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def fields(place, starts_at, length=2, **changes):
    return {
        "place": place.code,
        "starts_at": f"{starts_at:%Y-%m-%dT%H:%M}",
        "ends_at": f"{starts_at + hours(length):%Y-%m-%dT%H:%M}",
        "party_size": 1,
        "request_key": "key",
        **changes,
    }


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


class TestBook:
    def test_one_post_books_and_shows_the_ticket(self, member, desk, soon):
        answer = member.post("/bookings/", fields(desk, soon))
        booking = Booking.objects.get()
        assert booking.state == State.CONFIRMED
        assert (answer.status_code, answer.url) == (302, f"/bookings/{booking.code}/?booked=1")
        assert "Desk 1 is yours." in member.get(answer.url).text

    def test_the_same_form_twice_books_once(self, member, desk, soon):
        first = member.post("/bookings/", fields(desk, soon))
        again = member.post("/bookings/", fields(desk, soon))
        assert first.url == again.url
        assert Booking.objects.count() == 1

    def test_without_a_key_it_works_too(self, member, desk, soon):
        for key in ("", None):
            sent = {k: v for k, v in fields(desk, soon, request_key=key).items() if v is not None}
            member.post("/bookings/", sent)
        assert Booking.objects.occupying().count() == 1

    def test_a_taken_place_is_409_with_three_alternatives(self, member, desk, bob, soon):
        book(desk, bob, soon - hours(24), soon)
        answer = member.post("/bookings/", fields(desk, soon))
        assert answer.status_code == 409
        assert "Someone took Desk 1 for 10:00–12:00 a moment ago." in answer.text
        assert [offer.place.number for offer in answer.context["offers"]] == [2, 3, 1]
        assert "bob" not in answer.text

    def test_your_own_booking_in_the_way_is_called_yours(self, member, desk, alice, soon):
        mine = book(desk, alice, soon - hours(24), soon)
        answer = member.post("/bookings/", fields(desk, soon + hours(1)))
        assert answer.status_code == 409
        assert "Desk 1 is already yours for 10:00–12:00." in answer.text
        assert mine.get_absolute_url() in answer.text

    def test_a_reload_of_a_lost_race_stays_409(self, member, desk, bob, soon):
        book(desk, bob, soon - hours(24), soon)
        for _ in range(2):
            assert member.post("/bookings/", fields(desk, soon)).status_code == 409
        assert Booking.objects.filter(state=State.REJECTED).count() == 1

    def test_all_broken_rules_are_listed(self, member, desk, soon):
        answer = member.post("/bookings/", fields(desk, soon, length=13, party_size=4))
        assert answer.status_code == 422
        assert '<span class="whole">Desk 1</span> is for 1 person.' in answer.text
        assert 'that day: <span class="whole">8:00–22:00</span>' in answer.text
        assert not Booking.objects.exists()

    @pytest.mark.parametrize(
        "changes",
        [
            {"place": ""},
            {"place": "1"},
            {"place": str(uuid4())},
            {"starts_at": ""},
            {"starts_at": "tomorrow"},
            {"starts_at": "2026-13-45T10:00"},
            {"starts_at": "0001-01-01T00:00"},
            {"starts_at": "9999-12-31T23:45"},
            {"starts_at": "2026-11-25T10:00:00.000001"},
            {"starts_at": "2026-11-25T10:00+99:99"},
            {"starts_at": "2026-11-25 10:00"},
            {"ends_at": "\x00"},
            {"ends_at": "2026-11-25T10:00" * 1000},
            {"party_size": "0"},
            {"party_size": "-1"},
            {"party_size": "many"},
            {"party_size": "9" * 40},
            {"request_key": "k" * 201},
            {"request_key": "\x00"},
            {"note": "n" * 501},
            {"note": "\x00"},
        ],
    )
    def test_bad_input_is_422_and_writes_nothing(self, member, desk, soon, changes):
        answer = member.post("/bookings/", fields(desk, soon) | changes)
        assert answer.status_code == 422
        assert answer.context["problems"]
        assert not Booking.objects.exists()

    def test_an_empty_post_is_422(self, member):
        assert member.post("/bookings/").status_code == 422

    def test_broken_utf8_is_422(self, member, desk, soon):
        body = b"place=%ff%fe&starts_at=\xff&ends_at=\xc3\x28&party_size=1"
        answer = member.post("/bookings/", body, content_type="application/x-www-form-urlencoded")
        assert answer.status_code == 422

    def test_a_key_of_another_booking_is_422(self, member, desk, soon):
        member.post("/bookings/", fields(desk, soon))
        answer = member.post("/bookings/", fields(desk, soon + hours(2)))
        assert answer.status_code == 422
        assert Booking.objects.count() == 1

    def test_html_in_names_is_text(self, member, space, soon):
        trap = PlaceFactory.create(space=space, number=9, name="<script>alert(1)</script>")
        answer = member.post("/bookings/", fields(trap, soon, note="<b>x</b>"), follow=True)
        assert "<script>alert" not in answer.text
        assert "<b>x</b>" not in answer.text
        assert "&lt;script&gt;alert" in answer.text

    def test_a_visitor_is_asked_to_sign_in(self, client, desk, soon):
        answer = client.post("/bookings/", fields(desk, soon))
        assert answer.url.startswith("/accounts/login/")
        assert not Booking.objects.exists()

    def test_a_forged_form_is_refused(self, desk, alice, soon):
        client = Client(enforce_csrf_checks=True)
        client.force_login(alice)
        assert client.post("/bookings/", fields(desk, soon)).status_code == 403
        assert not Booking.objects.exists()

    def test_a_full_quota_offers_nothing_that_it_would_also_refuse(
        self, member, space, desk, alice, soon
    ):
        PolicyFactory.create(space=space, max_upcoming=1)
        book(desk, alice, soon - hours(24), soon + hours(24))
        answer = member.post("/bookings/", fields(desk, soon))
        assert answer.status_code == 422
        assert "A member may have 1 upcoming booking here at a time." in answer.text
        assert answer.context["offers"] == []

    def test_at_most_sixteen_statements(
        self, member, space, desk, alice, soon, django_assert_max_num_queries
    ):
        PolicyFactory.create(space=space, max_upcoming=5)
        with django_assert_max_num_queries(16):
            assert member.post("/bookings/", fields(desk, soon, length=8)).status_code == 302


class TestBooking:
    def test_what_happened_is_listed(self, member, desk, alice, host, soon):
        booking = book(desk, alice, soon - hours(30), soon)
        move(booking, soon - hours(29), soon + hours(4))
        services.cancel(booking, by=host, now=soon, reason="Water on the floor")
        page = member.get(f"/bookings/{booking.code}/")
        assert [(e.kind, e.by_words, e.reason) for e in page.context["events"]] == [
            ("CONFIRMED", "by you", ""),
            ("MOVED", "by you", ""),
            ("CANCELLED", "by the staff", "Water on the floor"),
        ]
        assert "10:00–12:00" in page.context["events"][1].was
        assert "hanna" not in page.text

    def test_it_can_be_changed_until_the_deadline(self, member, space, desk, alice, soon):
        booking = book(desk, alice, soon - hours(24), soon)
        assert member.get(f"/bookings/{booking.code}/").context["can_change"]
        PolicyFactory.create(space=space, cancel_deadline_minutes=7 * 24 * 60)
        page = member.get(f"/bookings/{booking.code}/")
        assert not page.context["can_change"]

    def test_in_a_space_that_is_off_it_can_still_be_cancelled(
        self, member, space, desk, alice, soon
    ):
        booking = book(desk, alice, soon - hours(24), soon)
        space.is_active = False
        space.save()
        page = member.get(f"/bookings/{booking.code}/").text
        assert "/spaces/loft/" not in page
        assert member.post(f"/bookings/{booking.code}/cancel/").status_code == 302
        booking.refresh_from_db()
        assert booking.state == State.CANCELLED

    def test_somebody_elses_is_not_found(self, client, desk, alice, bob, soon):
        booking = book(desk, alice, soon - hours(24), soon)
        client.force_login(bob)
        assert client.get(f"/bookings/{booking.code}/").status_code == 404

    def test_only_reading(self, member, desk, alice, soon):
        booking = book(desk, alice, soon - hours(24), soon)
        assert member.post(f"/bookings/{booking.code}/").status_code == 405


@pytest.mark.any_database
class TestBookings:
    def test_upcoming_ones_by_day(self, member, desk, alice, bob, soon):
        later = book(desk, alice, soon - hours(24), soon + hours(24))
        first = book(desk, alice, soon - hours(24), soon)
        gone = book(desk, alice, soon - hours(24), soon + hours(4))
        services.cancel(gone, by=alice, now=soon - hours(24))
        book(desk, bob, soon - hours(24), soon + hours(8))
        days = member.get("/bookings/").context["days"]
        assert [bookings for _, bookings in days] == [[first], [later]]

    def test_none_offers_to_find_a_place(self, member):
        assert "Find a place" in member.get("/bookings/").text

    @pytest.mark.parametrize("count", [1, 30])
    def test_the_same_queries_for_one_and_thirty(
        self, member, alice, soon, django_assert_num_queries, count
    ):
        spaces = [open_space(places=1, slug=f"s{n}") for n in range(count)]
        write_booked([(space.places.get(), alice, soon) for space in spaces], soon - hours(24))
        with django_assert_num_queries(2):
            member.get("/bookings/")


@pytest.mark.any_database
class TestHistory:
    def test_all_states_newest_first(self, member, space, desk, alice, bob, soon):
        long_ago = soon - timedelta(days=10)
        past = book(desk, alice, long_ago - hours(24), long_ago)
        cancelled = book(desk, alice, soon - hours(24), soon)
        services.cancel(cancelled, by=alice, now=soon - hours(24))
        book(desk, bob, soon - hours(24), soon)
        refused = book(desk, alice, soon - hours(24), soon)
        upcoming = book(space.places.get(number=2), alice, soon - hours(24), soon)
        page = member.get("/bookings/history/").context["page"]
        assert page.bookings == [upcoming, refused, cancelled, past]

    def test_it_is_filtered_by_state_and_space(self, member, desk, alice, soon):
        other = open_space(places=1, slug="other").places.get()
        for place in (desk, other):
            services.cancel(
                book(place, alice, soon - hours(24), soon), by=alice, now=soon - hours(24)
            )
        page = member.get("/bookings/history/?state=CANCELLED&space=other").context["page"]
        assert [booking.place for booking in page.bookings] == [other]
        page = member.get("/bookings/history/?state=COMPLETED").context["page"]
        assert page.bookings == []

    @pytest.mark.parametrize(
        "query", ["state=NONE", "space=none", "page=x", "older=x", "newer=-1", "state=%00"]
    )
    def test_a_filter_that_does_not_exist_filters_nothing(self, member, query):
        assert member.get(f"/bookings/history/?{query}").status_code == 200

    @pytest.mark.parametrize("count", [1, 30])
    def test_the_same_queries_for_one_and_thirty(
        self, member, alice, soon, django_assert_num_queries, count
    ):
        spaces = [open_space(places=1, slug=f"s{n}") for n in range(count)]
        write_booked([(space.places.get(), alice, soon) for space in spaces], soon - hours(24))
        Booking.objects.update(state=State.CANCELLED)
        with django_assert_num_queries(5):
            member.get("/bookings/history/")


class TestLeave:
    def test_upcoming_are_given_back_and_the_past_has_no_name(self, member, desk, alice, bob, soon):
        past = book(desk, alice, soon - hours(24 * 11), soon - hours(24 * 10), note="for Alice")
        upcoming = book(desk, alice, soon - hours(24), soon)
        answer = member.post("/accounts/delete/", {"password": "correct horse battery"})
        assert (answer.status_code, answer.url) == (302, "/")
        for booking in (past, upcoming):
            booking.refresh_from_db()
            assert booking.member.username != "alice"
            assert booking.note == ""
            assert "Alice" not in str(list(booking.events.values("data")))
        assert upcoming.state == State.CANCELLED
        assert book(desk, bob, soon - hours(24), soon).state == State.CONFIRMED
        assert "sessionid" not in member.cookies or not member.cookies["sessionid"].value

    def test_a_wrong_password_changes_nothing(self, member, desk, alice, soon):
        upcoming = book(desk, alice, soon - hours(24), soon)
        answer = member.post("/accounts/delete/", {"password": "wrong"})
        assert answer.status_code == 422
        assert "This is not your password." in answer.text
        upcoming.refresh_from_db()
        assert upcoming.state == State.CONFIRMED

    def test_the_login_is_free_again(self, member, alice):
        member.post("/accounts/delete/", {"password": "correct horse battery"})
        assert UserFactory.create(username="alice")
