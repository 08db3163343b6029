"""The booking of somebody who calls: by name, phone in any spelling, e-mail or code."""

import re
from datetime import timedelta
from html import unescape

import pytest

from accounts.factories import UserFactory
from bookings.models import Booking
from bookings.staff.tests.acts import DAY, book_guest, browser
from bookings.tests.acts import book, hours
from spaces.factories import open_space
from spaces.models import Space

pytestmark = pytest.mark.django_db


def found(host, text):
    page = browser(host).get(DAY, {"q": text}).text
    return [unescape(name) for name in re.findall(r'class="name">(.*?)<', page)]


@pytest.fixture(autouse=True)
def booked(space, desk, host, soon):
    Space.objects.update(country="RU")
    anna = UserFactory.create(username="anna", name="Анна Ёлкина", email="anna@example.org")
    desk = space.places.get(pk=desk.pk)
    book(desk, anna, soon - hours(24), soon, 1)
    contact = "8 (900) 123-45-67, Rossi@Example.com"
    book_guest(desk, host, soon, "Паоло Росси", starts_at=soon + hours(2), guest_contact=contact)
    book_guest(desk, host, soon, "Nobody", starts_at=soon + hours(4), guest_contact="room 12")
    attic = open_space(slug="attic", name="Attic")
    book(attic.places.get(number=1), anna, soon - hours(24), soon + hours(2), 1)


@pytest.mark.parametrize(
    "text",
    [
        "Росси",
        "росси",
        "РОССИ паоло",
        "+79001234567",
        "8 900 123 45 67",
        "89001234567",
        "79001234567",
        "(900) 123-45-67",
        "900-123",
        "rossi@example.com",
        "ROSSI@",
    ],
)
def test_a_guest_is_found(host, text):
    assert found(host, text) == ["Паоло Росси"]


def test_a_contact_that_nobody_has_recognised_is_found_too(host):
    Booking.objects.update(guest=None)
    for text in ("+79001234567", "8 900 1234567", "123-45-67", "rossi@example.com"):
        assert found(host, text) == ["Паоло Росси"]


@pytest.mark.parametrize("text", ["anna", "ANNA", "ёлкина", "anna@example.org"])
def test_a_member_is_found_in_this_space_alone(host, text):
    assert found(host, text) == ["Анна Ёлкина"]


def test_a_booking_is_found_by_its_code_or_the_beginning(host):
    code = str(Booking.objects.get(guest_name="Nobody").code)
    assert found(host, code) == ["Nobody"]
    assert "Nobody" in found(host, code[:13])


def test_what_matches_nothing_is_said_to(host):
    page = browser(host).get(DAY, {"q": "%_'\x00"}).text
    assert "No booking has that name" in page
    assert 'value="%_&#x27;"' in page


def test_an_empty_search_is_the_day(host):
    assert "bookings found" not in browser(host).get(DAY, {"q": "  "}).text


def test_what_is_ahead_comes_first_and_names_its_day(host, desk, soon):
    anna = Booking.objects.filter(member__username="anna", place__space__slug="loft")
    past = book(desk, anna.get().member, soon - hours(48), soon - timedelta(days=1), 1)
    page = browser(host).get(DAY, {"q": "anna"}).text
    days = re.findall(r'href="\?date=(.*?)#b-', page)
    first, second = sorted([f"{soon:%Y-%m-%d}", f"{past.starts_at:%Y-%m-%d}"])
    assert days in ([first, second], [second, first])
    assert 'hx-trigger="every' not in page
