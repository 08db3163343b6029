"""The guests a space knows: the list, and one guest's card."""

from http import HTTPStatus

import pytest
from django.urls import reverse

from bookings.guests import Guest
from bookings.tests.acts import book

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

ADDRESS = "/staff/loft/guests/"


@pytest.fixture
def staff(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def rossi(desk, host, clock, soon):
    said = {"guest_name": "Rossi", "guest_contact": "+39 02 1234567"}
    return book(desk, None, clock.now, starts_at=soon, by=host, **said).guest


def card(guest):
    return reverse("staff_guest", args=["loft", guest.code])


def about(**changed):
    return {
        "name": "Rossi",
        "phone": "+39 02 1234567",
        "email": "",
        "note": "",
        "allergies": "",
    } | (changed)


@pytest.mark.parametrize("typed", ["", "ros", "0039 02 123"])
def test_guests_are_found(staff, rossi, typed):
    page = staff.get(ADDRESS, {"q": typed})
    assert card(rossi) in page.content.decode()
    assert "1 upcoming" in page.content.decode()


def test_nobody_is_told(staff, rossi):
    assert "Nobody is known by that." in staff.get(ADDRESS, {"q": "bianchi"}).content.decode()


def test_one_letter_is_too_little_to_find_somebody(staff, rossi):
    page = staff.get(ADDRESS, {"q": "r"}).content.decode()
    assert "Write at least two letters or digits." in page
    assert "Nobody is known by that." not in page


def test_a_card_shows_bookings_and_is_written(staff, rossi):
    page = staff.get(card(rossi)).content.decode()
    assert "/staff/loft/bookings/" in page
    staff.post(card(rossi), about(email="R@Example.org", note="window", allergies="nuts"))
    rossi.refresh_from_db()
    assert (rossi.email, rossi.note, rossi.allergies) == ("r@example.org", "window", "nuts")
    assert rossi.phone_digits == "39021234567"


def test_two_guests_never_share_a_phone(staff, rossi, now):
    other = Guest.objects.create(space=rossi.space, name="Bianchi", created_at=now)
    answer = staff.post(card(other), about(name="Bianchi", phone="0039 021234567"))
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Another guest has this phone" in answer.content.decode()
    other.refresh_from_db()
    assert other.phone == ""


@pytest.mark.parametrize("wrong", [{"name": ""}, {"email": "x"}, {"phone": "1" * 41}])
def test_what_cannot_be_stored_is_told_and_stays(staff, rossi, wrong):
    answer = staff.post(card(rossi), about(note="kept", **wrong))
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "kept" in answer.content.decode()
