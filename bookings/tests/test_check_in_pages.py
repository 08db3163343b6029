"""Checking in by page: the ticket, a place's QR code, the link in a reminder; the staff's pages."""

import re
from datetime import timedelta

import pytest
from django.conf import settings

from bookings.deciding import links, undoing, visits
from bookings.finding.signed import check_in_url, place_url
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, book, hours
from notifications.mail.letters import of_event, of_reminder
from notifications.mail.readers import Reader
from spaces.factories import PlaceFactory, PolicyFactory

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def minutes(n):
    return timedelta(minutes=n)


@pytest.fixture
def policy(space):
    return PolicyFactory.create(
        space=space,
        check_in_opens_minutes=10,
        release_after_minutes=20,
        max_no_shows=3,
        no_show_days=30,
    )


@pytest.fixture
def booking(policy, desk, alice, now):
    return book(desk, alice, now)


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


def path(url):
    return url.removeprefix(settings.SITE_URL)


def state():
    return Booking.objects.get().state


class TestTicket:
    def test_it_says_when_and_until_when(self, member, booking, clock):
        clock.now = TEN - minutes(11)
        page = member.get(booking.get_absolute_url()).text
        assert "You can check in from 9:50. The place is held for you until 10:20." in plain(page)
        assert "after 3 no-shows in 30 days you can’t book here" in page
        assert "check-in/" not in page

    def test_one_press_checks_in(self, member, booking, clock):
        clock.now = TEN
        page = member.get(booking.get_absolute_url()).text
        [action] = re.findall(r'action="([^"]*check-in/)"', page)
        ticket = member.post(action, follow=True)
        assert state() == State.CHECKED_IN
        assert "You are checked in." in ticket.text
        assert "(noted by you)" in ticket.text
        assert "check-in/" not in ticket.text

    def test_too_early_is_said(self, member, booking, clock):
        clock.now = TEN - hours(1)
        page = member.post(f"{booking.get_absolute_url()}check-in/", follow=True)
        assert "Check-in opens on Wed 25 Nov, 9:50." in plain(page.text)
        assert state() == State.CONFIRMED

    def test_without_a_policy_there_is_nothing_to_press(self, member, policy, booking, clock):
        policy.delete()
        clock.now = TEN
        assert "check-in/" not in member.get(booking.get_absolute_url()).text

    def test_another_members_booking_is_not_found(self, client, booking, bob):
        client.force_login(bob)
        assert client.post(f"{booking.get_absolute_url()}check-in/").status_code == 404


def plain(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page)).replace("\xa0", " ")


class TestCodeAtThePlace:
    def test_it_finds_the_booking_and_asks_for_one_press(self, member, booking, desk, clock):
        clock.now = TEN - minutes(5)
        address = path(place_url(desk))
        page = member.get(address)
        assert "Are you here?" in page.text
        assert state() == State.CONFIRMED
        assert member.post(address).status_code == 302
        assert state() == State.CHECKED_IN
        assert "You are checked in." in member.get(address).text

    def test_early_it_says_when(self, member, booking, desk, clock):
        clock.now = TEN - hours(2)
        assert "You can check in from 9:50." in plain(member.get(path(place_url(desk))).text)
        refused = member.post(path(place_url(desk)))
        assert (refused.status_code, state()) == (409, State.CONFIRMED)

    def test_a_part_counts_for_the_combination(self, member, policy, space, alice, now, clock):
        hall = PlaceFactory.create(space=space, number=10, capacity=4)
        hall.parts.set(space.places.filter(number__in=[1, 2]))
        book(hall, alice, now)
        clock.now = TEN
        member.post(path(place_url(space.places.get(number=2))))
        assert state() == State.CHECKED_IN

    def test_whoever_has_no_booking_here_is_told(self, client, booking, desk, space, bob, clock):
        clock.now = TEN
        client.force_login(bob)
        page = client.get(path(place_url(desk)))
        assert "You have no booking here now." in page.text
        assert client.post(path(place_url(desk))).status_code == 409
        assert state() == State.CONFIRMED

    def test_of_another_place_it_is_not_the_booking(self, member, booking, space, clock):
        clock.now = TEN
        page = member.get(path(place_url(space.places.get(number=2))))
        assert "You have no booking here now." in page.text

    def test_strangers_sign_in_first(self, client, desk):
        answer = client.get(path(place_url(desk)))
        assert answer.status_code == 302
        assert "login" in answer["Location"]

    def test_nobody_else_writes_such_addresses(self, member, booking, desk):
        token = path(place_url(desk)).split("/")[-2]
        other = path(check_in_url(booking)).split("/")[-2]
        for wrong in (token[:-1], f"x{token}", str(desk.code), other, "0", "%00"):
            assert member.get(f"/here/{wrong}/").status_code == 404


class TestLinkInTheReminder:
    def test_the_reminder_has_it(self, booking, alice, now):
        letter = of_reminder(booking, to=Reader.of_member(booking, alice), now=TEN - hours(1))
        assert letter.also.url == check_in_url(booking)
        assert "The place is held for you until 10:20." in " ".join(letter.afterwards)

    def test_not_where_nobody_asks(self, policy, booking, alice):
        policy.delete()
        assert (
            of_reminder(booking, to=Reader.of_member(booking, alice), now=TEN - hours(1)).also
            is None
        )

    def test_it_checks_in_without_signing_in(self, client, booking, alice, clock):
        clock.now = TEN
        address = path(check_in_url(booking))
        page = client.get(address)
        assert "Are you here?" in page.text
        assert page["X-Robots-Tag"] == "noindex, nofollow"
        assert page["Referrer-Policy"] == "same-origin"
        assert "no-store" in page["Cache-Control"]
        assert alice.username not in page.text
        assert state() == State.CONFIRMED  # mail programs open links by themselves
        assert "You are checked in." in client.post(address).text
        assert state() == State.CHECKED_IN

    def test_a_released_place_is_explained(self, client, booking, host, clock):
        visits.no_show(booking, by=host, now=TEN)
        clock.now = TEN + minutes(1)
        for answer in (client.get, client.post):
            assert "the place was given back" in answer(path(check_in_url(booking))).text

    def test_a_guest_has_one_link_and_no_other(self, client, policy, desk, host, now, clock):
        """Revoking it leaves nothing: see `bookings.deciding.links`."""
        contact = {"guest_name": "Ivan", "guest_contact": "ivan@example.org"}
        booking = book(desk, None, now, by=host, **contact)
        letter = of_reminder(booking, to=Reader.of_guest(booking, now=now), now=TEN - hours(1))
        assert letter.also is None
        clock.now = TEN
        ticket = path(letter.link.url)
        assert f'action="{ticket}check-in/"' in client.get(ticket).text
        links.revoke(booking, now=TEN)
        for address in (ticket, f"{ticket}check-in/", path(check_in_url(booking))):
            page = client.post(address)
            assert page.status_code == 404
            assert "Look into the latest mail about your booking" in page.text
        assert state() == State.CONFIRMED

    def test_with_the_account_it_ends(self, client, booking, alice, clock):
        clock.now = TEN
        alice.is_active = False
        alice.save()
        assert client.post(path(check_in_url(booking))).status_code == 404
        assert state() == State.CONFIRMED

    def test_nobody_else_writes_such_addresses(self, client, booking, desk):
        token = path(check_in_url(booking)).split("/")[-2]
        for wrong in (token[:-1], str(booking.code), path(place_url(desk)).split("/")[-2]):
            assert client.get(f"/check-in/{wrong}/").status_code == 404
            assert client.post(f"/check-in/{wrong}/").status_code == 404


class TestCodes:
    def test_a_sheet_for_all_places_or_one(self, client, space, desk, host, policy):
        client.force_login(host)
        page = client.get("/staff/loft/codes/").text
        assert page.count("<svg") - page.count('class="icon"') >= 3
        for place in space.places.all():
            assert place_url(place) in page
        one = client.get(f"/staff/loft/codes/?place={desk.code}").text
        assert one.count("/here/") == 1
        assert 'style="' not in page

    @pytest.mark.parametrize("place", ["x", "00000000-0000-0000-0000-000000000000", "%00"])
    def test_of_no_place_there_is_none(self, client, host, place):
        client.force_login(host)
        assert client.get(f"/staff/loft/codes/?place={place}").status_code == 404


class TestNoShows:
    def test_the_staff_forgive_with_a_reason(self, client, booking, alice, host, clock):
        visits.no_show(booking, by=host, now=TEN)
        clock.now = TEN + minutes(30)
        client.force_login(host)
        sent = {"booking": str(booking.code), "reason": ""}
        refused = client.post("/staff/loft/no-shows/", sent)
        assert refused.status_code == 422
        assert client.post("/staff/loft/no-shows/", sent | {"reason": "Ill"}).status_code == 302
        event = booking.events.latest("sequence")
        assert (event.kind, event.reason) == ("FORGIVEN", "Ill")
        assert "Forgiven" in client.get("/staff/loft/no-shows/").text
        again = client.post("/staff/loft/no-shows/", sent | {"reason": "Twice"})
        assert (again.status_code, 'value="Twice"' in again.text) == (409, False)

    @pytest.mark.parametrize(("counts_for", "listed"), [(30, 90), (120, 120)])
    def test_the_list_goes_back_as_far_as_one_counts(
        self, client, booking, policy, host, clock, counts_for, listed
    ):
        policy.no_show_days = counts_for
        policy.save()
        visits.no_show(booking, by=host, now=TEN)
        for days, is_listed in ((listed - 1, True), (listed + 1, False)):
            clock.now = TEN + timedelta(days=days)
            client.force_login(host)
            page = client.get("/staff/loft/no-shows/").text
            assert f"The last {listed} days" in page
            assert (f"reason-{booking.code}" in page) is is_listed


class TestMail:
    def test_who_missed_it_is_told_why(self, booking, alice, host):
        visits.no_show(booking, by=host, now=TEN)
        letter = of_event(
            booking.events.latest("sequence"), to=Reader.of_member(booking, alice), now=TEN
        )
        assert letter.subject.startswith("Nobody came: Desk 1")
        assert "The staff of Loft noted that nobody came." in letter.lines

    def test_of_what_was_undone(self, booking, alice, host):
        visits.no_show(booking, by=host, now=TEN)
        undoing.undo(booking, event=2, by=host, now=TEN)
        letter = of_event(
            booking.events.latest("sequence"), to=Reader.of_member(booking, alice), now=TEN
        )
        assert letter.heading == "Your booking is as it was before."
