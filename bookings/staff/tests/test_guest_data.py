"""At a guest's wish the staff hand over what is known, stop links, and forget the guest."""

import csv
from io import StringIO

import pytest

from bookings.deciding import links
from bookings.models import Booking
from bookings.tests.acts import book, hours

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

CONTACT = "+44 20 7946 0018, anna@example.org"


@pytest.fixture
def visit(desk, host, soon):
    return book(
        desk,
        None,
        soon - hours(24),
        soon,
        by=host,
        guest_name="=Anna",
        guest_contact=CONTACT,
        note="By the window",
    )


@pytest.fixture
def page(visit):
    return f"/staff/loft/guests/{visit.guest.code}/"


@pytest.fixture
def staff(client, host):
    client.force_login(host)
    return client


def test_everything_known_is_downloaded(staff, page):
    data = staff.get(f"{page}data.json")
    found = data.json()
    assert found["guest"]["email"] == "anna@example.org"
    [booking] = found["bookings"]
    assert (booking["guest_contact"], booking["note"]) == (CONTACT, "By the window")
    assert [event["kind"] for event in booking["events"]] == ["CONFIRMED"]
    assert "attachment" in data["Content-Disposition"]
    assert "no-store" in data["Cache-Control"]


def test_the_table_runs_nothing_in_a_spreadsheet(staff, page):
    text = staff.get(f"{page}data.csv").content.decode("utf-8-sig")
    [row] = csv.DictReader(StringIO(text))
    assert row["guest_name"] == "'=Anna"
    assert row["guest_contact"] == f"'{CONTACT}"


def test_a_link_that_leaked_is_stopped(staff, page, visit, soon):
    token = links.token_of(links.link_of(visit, now=soon))
    assert staff.get(f"/g/{token}/").status_code == 200
    answer = staff.post(f"{page}links/", follow=True)

    assert "1 link was stopped." in answer.text
    assert staff.get(f"/g/{token}/").status_code == 404


def test_a_guest_is_forgotten_after_being_asked(staff, page):
    assert "1 upcoming booking will be cancelled." in staff.get(f"{page}erase/").text
    answer = staff.post(f"{page}erase/", follow=True)

    assert "The guest is forgotten. 1 upcoming booking was cancelled." in answer.text
    assert Booking.objects.get().guest_name == "—"
    assert staff.get(page).status_code == 404
