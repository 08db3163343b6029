"""The pages where people get their calendar addresses, and a single booking for a calendar."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.factories import StaffRoleFactory, UserFactory
from accounts.models import StaffRole
from bookings.deciding import services
from bookings.tests.acts import ask, book, hours
from notifications.calendars import feeds
from notifications.models import CalendarFeed
from notifications.tests.calendars import calendar, read
from spaces.factories import PlaceFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

URL = "/accounts/calendar/"
STAFF = "/staff/spaces/loft/calendars/"


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def desk_host(host):
    browser = Client()
    browser.force_login(host)
    return browser


def addresses(page):
    return re.findall(r'value="http://testserver(/calendars/[^"]+\.ics)"', page.text)


# --- Your own


def test_a_member_makes_an_address_and_it_works(member, alice):
    assert addresses(member.get(URL)) == []
    assert member.post(URL).status_code == 302
    page = member.get(URL)
    (address,) = addresses(page)
    assert f'href="webcal://testserver{address}"' in page.text
    assert Client().get(address).status_code == 200
    assert CalendarFeed.objects.get().user == alice


def test_clicking_twice_makes_one(member):
    member.post(URL)
    before = addresses(member.get(URL))
    member.post(URL)
    assert addresses(member.get(URL)) == before


def test_nobody_else_is_shown_it(member, bob):
    member.post(URL)
    other = Client()
    other.force_login(bob)
    assert addresses(other.get(URL)) == []


def test_the_page_is_not_cached(member):
    assert "no-store" in member.get(URL)["Cache-Control"]


def test_making_a_new_address_asks_first_and_ends_the_old_one(member):
    member.post(URL)
    (old,) = addresses(member.get(URL))
    ask_url = reverse("renew_calendar", args=[CalendarFeed.objects.get().code])
    assert ask_url in member.get(URL).text
    assert member.get(ask_url).status_code == 200
    assert addresses(member.get(URL)) == [old]
    assert member.post(ask_url).url == URL
    (new,) = addresses(member.get(URL))
    assert [Client().get(url).status_code for url in (old, new)] == [404, 200]


def test_closing_asks_first_too(member):
    member.post(URL)
    (address,) = addresses(member.get(URL))
    ask_url = reverse("close_calendar", args=[CalendarFeed.objects.get().code])
    assert member.get(ask_url).status_code == 200
    assert Client().get(address).status_code == 200
    assert member.post(ask_url).url == URL
    assert Client().get(address).status_code == 404
    assert member.post(ask_url).status_code == 404


@pytest.mark.parametrize("name", ["renew_calendar", "close_calendar"])
def test_nobody_changes_somebody_elses(member, bob, now, name):
    feed = feeds.make(bob, space=None, place=None, now=now)
    url = reverse(name, args=[feed.code])
    assert member.get(url).status_code == member.post(url).status_code == 404
    assert CalendarFeed.objects.get().code == feed.code


@pytest.mark.parametrize("path", ["/accounts/profile/", "/bookings/"])
def test_other_pages_link_to_it(member, desk, alice, soon, path):
    book(desk, alice, soon - hours(24), soon)
    assert f'href="{URL}"' in member.get(path).text


def test_visitors_sign_in_first(client, desk, alice, soon):
    booking = book(desk, alice, soon - hours(24), soon)
    for url in (URL, STAFF, f"/bookings/{booking.code}/calendar.ics"):
        assert client.get(url).status_code == 302


# --- A space's


def test_the_staff_make_one_for_the_space_and_for_a_place(desk_host, host, desk):
    desk_host.post(STAFF, {"what": "space"})
    assert desk_host.post(STAFF, {"what": str(desk.code)}).status_code == 302
    found = CalendarFeed.objects.in_space(host, desk.space)
    assert [feed.place for feed in found] == [None, desk]
    page = desk_host.get(STAFF)
    assert len(addresses(page)) == 2
    assert {Client().get(url).status_code for url in addresses(page)} == {200}
    assert f'value="{desk.code}"' not in page.text  # it can't be chosen again


def test_when_all_are_made_there_is_nothing_to_choose(desk_host, host, space, now):
    for place in (None, *space.places.all()):
        feeds.make(host, space=space, place=place, now=now)
    assert "<select" not in desk_host.get(STAFF).text


@pytest.mark.parametrize("what", ["", "x", "\x00", "00000000-0000-0000-0000-000000000000", None])
def test_a_wrong_choice_is_explained(desk_host, what):
    answer = desk_host.post(STAFF, {} if what is None else {"what": what})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert not CalendarFeed.objects.exists()


def test_a_place_of_another_space_can_not_be_chosen(desk_host):
    elsewhere = open_space(places=1).places.get()
    assert desk_host.post(STAFF, {"what": str(elsewhere.code)}).status_code == 422
    assert not CalendarFeed.objects.exists()


@pytest.mark.parametrize("name", ["renew_calendar", "close_calendar"])
def test_after_a_change_the_staff_are_back_where_they_were(desk_host, host, desk, now, name):
    feed = feeds.make(host, space=desk.space, place=desk, now=now)
    assert "Desk 1 · Loft" in desk_host.get(reverse(name, args=[feed.code])).text
    assert desk_host.post(reverse(name, args=[feed.code])).url == STAFF


def test_people_who_do_not_run_the_day_find_no_page(member, space):
    stranger = StaffRoleFactory.create(role=StaffRole.Role.MANAGER).user
    other = Client()
    other.force_login(stranger)
    for browser in (member, other):
        assert browser.get(STAFF).status_code == 404
        assert browser.post(STAFF, {"what": "space"}).status_code == 404
    assert not CalendarFeed.objects.exists()


def test_managers_and_superusers_may_too(manager, space):
    boss = UserFactory.create(username="boss", is_superuser=True)
    for person in (manager, boss):
        browser = Client()
        browser.force_login(person)
        browser.post(STAFF, {"what": "space"})
        assert len(addresses(browser.get(STAFF))) == 1
        assert f'href="{STAFF}"' in browser.get(URL).text


def test_the_front_desk_links_to_it(desk_host):
    assert f'href="{URL}#spaces"' in desk_host.get("/admin/").text
    assert {'id="spaces"', f'href="{STAFF}"'} <= set(
        re.findall(r'(?:id|href)="[^"]*"', desk_host.get(URL).text)
    )


def test_members_see_no_link_to_the_staffs_page(member, space):
    assert "/staff/" not in member.get(URL).text


def test_many_addresses_cost_no_more_queries(desk_host, host, space, now):
    counts = []
    for n in (1, 10):
        for _ in range(n):
            place = PlaceFactory.create(space=space)
            feeds.make(host, space=space, place=place, now=now)
        with CaptureQueriesContext(connection) as queries:
            desk_host.get(STAFF)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- One booking


def test_a_single_booking_is_added_to_a_calendar(member, desk, alice, soon):
    booking = book(desk, alice, soon - hours(24), soon)
    page = member.get(booking.get_absolute_url())
    url = f"/bookings/{booking.code}/calendar.ics"
    assert f'href="{url}"' in page.text
    answer = member.get(url)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Content-Disposition"] == f'inline; filename="mesto-{booking.code}.ics"'
    whole = calendar(answer.content)
    assert whole["METHOD"] == "PUBLISH"
    (event,) = whole.events
    assert {"UID", "DTSTAMP", "DTSTART", "ORGANIZER", "SUMMARY"} <= event.keys()
    assert "ATTENDEE" not in event
    feed = feeds.make(alice, space=None, place=None, now=soon)
    assert read(answer.content) == read(
        Client().get(f"/calendars/{feeds.token_of(feed)}.ics").content
    )


def test_a_cancelled_one_says_so(member, desk, alice, soon):
    booking = book(desk, alice, soon - hours(24), soon)
    services.cancel(booking, by=alice, now=soon - hours(20))
    (event,) = read(member.get(f"/bookings/{booking.code}/calendar.ics").content)
    assert (event.status, event.sequence) == ("CANCELLED", 2)


def test_what_was_never_booked_is_not_in_calendars(member, desk, alice, bob, soon):
    book(desk, bob, soon - hours(24), soon)
    refused = book(desk, alice, soon - hours(24), soon)
    waiting = ask(desk, alice, soon - hours(24), soon + hours(3))
    for booking in (refused, waiting):
        assert member.get(f"/bookings/{booking.code}/calendar.ics").status_code == 404
        assert "calendar.ics" not in member.get(booking.get_absolute_url()).text


def test_somebody_elses_is_not_found(member, desk_host, desk, bob, soon):
    booking = book(desk, bob, soon - hours(24), soon)
    for browser in (member, desk_host):
        assert browser.get(f"/bookings/{booking.code}/calendar.ics").status_code == 404


def test_it_only_allows_reading(member, desk, alice, soon):
    booking = book(desk, alice, soon - hours(24), soon)
    assert member.post(f"/bookings/{booking.code}/calendar.ics").status_code == 405
