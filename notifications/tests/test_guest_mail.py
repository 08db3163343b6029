"""Guests without an account get mail too: with the link to their booking."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.deciding import links, services
from bookings.deciding.details import Details, amend
from bookings.guests import BY_GUEST, GuestLink
from bookings.models import Booking
from bookings.tests.acts import book, hours, local, move
from notifications.models import Delivery
from notifications.tests.inbox import calendars, html, sent, text
from spaces.models import Space

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database,
    pytest.mark.usefixtures("site"),
]

GUEST = {"guest_name": "Ann", "guest_contact": "+44 20 7946 0018, Ann@example.org"}


@pytest.fixture
def boss(db):
    return UserFactory.create(username="boss", is_superuser=True)


@pytest.fixture
def phoned(desk_12, boss, now):
    """Booked by staff over the phone."""
    return book(desk_12, None, now, by=boss, channel=Booking.Channel.STAFF, **GUEST)


def link_in(message):
    return re.search(r"https://mesto\.example(/g/[\w-]{43}/)", text(message))[1]


def test_a_booking_by_phone_is_mailed_with_a_link(phoned, now):
    [message] = sent(now)

    path = link_in(message)
    assert message["To"] == "ann@example.org"
    assert message["Subject"] == "Desk 12 is yours: Wed 25 Nov, 13:00–15:00"
    assert "The staff of Tverskaya Coworking booked it for you." in text(message)
    assert f'href="https://mesto.example{path}"' in html(message)
    assert all(
        f"https://mesto.example{path}" in re.sub(r"\r?\n ", "", part.get_content())
        for part in calendars(message)
    )
    assert "/accounts/" not in text(message)
    assert str(phoned.code) not in text(message)
    assert message["List-Unsubscribe"] is None


def test_the_link_in_the_mail_opens_the_booking(phoned, now):
    [message] = sent(now)
    assert links.find(link_in(message).split("/")[2], now=now) == phoned


def test_every_mail_has_the_same_link(phoned, boss, now):
    [first] = sent(now)
    move(phoned, now, phoned.starts_at + hours(2), by=boss)
    [second] = sent(now)

    assert link_in(first) == link_in(second)
    assert "The staff of Tverskaya Coworking moved it." in text(second)


def test_a_cancellation_by_the_staff_is_told(phoned, boss, now):
    sent(now)
    services.cancel(phoned, by=boss, now=now, reason="Water damage")
    [message] = sent(now)

    assert message["Subject"].startswith("Cancelled: Desk 12")
    assert "Reason: Water damage" in text(message)


def test_what_guests_do_themselves_is_told_as_theirs(phoned, now):
    sent(now)
    services.reschedule(
        phoned,
        place=phoned.place,
        starts_at=phoned.starts_at + hours(2),
        ends_at=phoned.ends_at + hours(2),
        by=BY_GUEST,
        now=now,
    )
    [moved] = sent(now)
    services.cancel(phoned, by=BY_GUEST, now=now)
    [cancelled] = sent(now)

    assert "You moved it." in text(moved)
    assert "You cancelled it." in text(cancelled)


def test_a_guest_is_written_to_in_the_language_of_the_booking(tverskaya, desk_12, soon):
    Space.objects.filter(pk=tverskaya.pk).update(guests_may_book=True)
    day = f"{soon:%Y-%m-%d}"
    at = {"starts_at": f"{day}T13:00", "ends_at": f"{day}T15:00"}
    sent_form = {"place": str(desk_12.code), **at, "name": "Аня", "email": "a@example.org"}
    page = Client(headers={"accept-language": "ru"}).post("/guest/", sent_form | {"note": "Spam"})
    assert page.status_code == 302

    [message] = sent(timezone.now())
    assert message["Subject"].startswith("Стол 12 — за вами")
    assert page["Location"].startswith(link_in(message))
    assert "Spam" not in text(message) + html(message)


def test_a_corrected_address_gets_a_link_of_its_own(phoned, boss, now):
    [first] = sent(now)
    amend(phoned, Details(guest_contact="anna@example.org"), by=boss, now=now)
    move(phoned, now, phoned.starts_at + hours(2), by=boss)
    [second] = sent(now)

    assert second["To"] == "anna@example.org"
    assert links.find(link_in(first).split("/")[2], now=now) is None
    assert links.find(link_in(second).split("/")[2], now=now) == phoned


@pytest.mark.parametrize("contact", ["", "+44 20 7946 0018", "@ann", "ann@"])
def test_guests_without_an_address_get_no_mail(desk_12, boss, now, contact):
    book(desk_12, None, now, by=boss, guest_name="Ann", guest_contact=contact)

    assert sent(now) == []
    assert not GuestLink.objects.exists()


def test_guests_are_reminded_once(desk_12, boss, now, tverskaya):
    starts_at = local(tverskaya, "2026-11-28T13:00")
    booking = book(desk_12, None, now, starts_at, by=boss, **GUEST)
    sent(now)
    [message] = sent(starts_at - hours(24))

    assert message["Subject"] == "Tomorrow 13:00–15:00 · Desk 12"
    assert links.find(link_in(message).split("/")[2], now=now) == booking
    assert message["List-Unsubscribe"] is None
    assert sent(starts_at - hours(23)) == []


def test_no_reminder_of_what_was_cancelled(desk_12, boss, now, tverskaya):
    starts_at = local(tverskaya, "2026-11-28T13:00")
    booking = book(desk_12, None, now, starts_at, by=boss, **GUEST)
    services.cancel(booking, by=boss, now=now)
    sent(now)

    assert sent(starts_at - hours(24)) == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {"DELIVERED"}
