"""The staff's timeline: names by place and time, and what may move. The dragging itself is tested
in a browser: `config.tests.browser.test_staff_timeline`.
"""

from http import HTTPStatus

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bookings.deciding import services
from bookings.models import Booking
from bookings.tests.acts import book, hours
from spaces.factories import PlaceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def staff(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def ten(clock):
    """Ten o'clock tomorrow, when the test happens to be."""
    clock.passes(days=1)
    clock.now = clock.now.replace(hour=10, minute=0, second=0)
    return clock.now


def address(day=None):
    return reverse(
        "staff_timeline", args=["loft"], query={"date": f"{day:%Y-%m-%d}"} if day else {}
    )


def cells(page, place):
    """Return what a place's row shows: what it is, from and to which hour, whose booking."""
    timeline = page.context["timeline"]
    row = next(row for row in timeline.rows() if str(row.place) == place)
    clock = [at.hour + at.minute / 60 for at in timeline.starts]
    return [
        (
            str(cell.is_),
            clock[cell.start],
            clock[cell.end],
            cell.booking and cell.booking.guest_name,
        )
        for cell in row.cells
    ]


def test_names_stand_at_their_place_and_time(staff, desk, host, ten):
    book(desk, None, ten, starts_at=ten + hours(2), by=host, guest_name="Rossi")
    page = staff.get(address())
    assert cells(page, "Desk 1") == [
        ("free", 8, 12, None),
        ("held", 12, 14, "Rossi"),
        ("free", 14, 22, None),
    ]
    assert "Rossi" in page.content.decode()


def test_who_cancelled_is_not_there_and_who_left_gives_way(staff, desk, host, alice, ten, clock):
    cancelled = book(desk, alice, ten, starts_at=ten + hours(8))
    services.cancel(cancelled, by=host, now=ten)
    book(desk, None, ten, starts_at=ten, by=host, guest_name="Rossi")
    Booking.objects.filter(guest_name="Rossi").update(state="COMPLETED")
    Booking.objects.get(guest_name="Rossi").booked_slots.all().delete()
    clock.passes(hours=1)
    book(desk, None, clock.now, starts_at=ten + hours(1), by=host, guest_name="Bianchi")
    assert cells(staff.get(address()), "Desk 1") == [
        ("free", 8, 10, None),
        ("held", 10, 11, "Rossi"),
        ("held", 11, 13, "Bianchi"),
        ("free", 13, 22, None),
    ]


def test_a_combination_takes_its_parts(staff, space, host, ten):
    whole = PlaceFactory.create(space=space, number=9, name="Both", capacity=4)
    whole.parts.set(space.places.filter(number__in=[1, 2]))
    book(whole, None, ten, starts_at=ten + hours(2), by=host, guest_name="Rossi")
    page = staff.get(address())
    assert [cell[:3] for cell in cells(page, "Desk 1")][1] == ("shared", 12, 14)
    assert cells(page, "Both")[1] == ("held", 12, 14, "Rossi")
    assert [cell[0] for cell in cells(page, "Desk 3")] == ["free"]


def test_blocks_say_what_may_be_done_with_them(staff, desk, space, host, ten, clock):
    book(desk, None, ten, starts_at=ten, by=host, guest_name="Running")
    book(desk, None, ten, starts_at=ten + hours(4), by=host, guest_name="Later")
    clock.passes(hours=1)
    page = staff.get(address()).content.decode()
    blocks = {name: page.split(f">{name}<")[0].rsplit("<a ", 1)[1] for name in ("Running", "Later")}
    assert 'data-moves="end"' in blocks["Running"]
    assert 'data-step="1"' in blocks["Running"]
    assert 'data-moves="all"' in blocks["Later"]
    assert 'data-step="4"' in blocks["Later"]


def test_a_refused_drag_shows_the_reason_and_alternatives(staff, desk, space, host, bob, ten):
    held = book(desk, None, ten, starts_at=ten + hours(2), by=host, guest_name="Rossi")
    rival = book(space.places.get(number=2), bob, ten, starts_at=ten + hours(2))
    dropped = {
        "place": str(rival.place.code),
        "starts_at": f"{held.starts_at:%Y-%m-%dT%H:%M}",
        "ends_at": f"{held.ends_at:%Y-%m-%dT%H:%M}",
        "seen": 1,
        "back": "timeline",
    }
    url = reverse("staff_booking", args=["loft", held.code])
    answer = staff.post(url, dropped, headers={"HX-Request": "true"})
    assert answer.status_code == HTTPStatus.CONFLICT
    page = answer.content.decode()
    assert "<html" not in page
    assert "bob" in page
    assert 'name="instead"' in page
    offer = answer.context["refusal"].offers[0][1]
    answer = staff.post(url, {"instead": offer, "back": "timeline"})
    assert answer.url.startswith(reverse("staff_timeline", args=["loft"]))
    assert held.events.count() == 2


def test_it_costs_the_same_however_many_book(staff, space, host, ten):
    def statements():
        with CaptureQueriesContext(
            connection,
        ) as counted:
            staff.get(address())
        return len(counted)

    book(space.places.get(number=1), None, ten, starts_at=ten + hours(2), by=host, guest_name="A")
    staff.get(address())
    few = statements()
    for place in space.places.all():
        for n in (4, 6, 8):
            book(place, None, ten, starts_at=ten + hours(n), by=host, guest_name="B")
    assert statements() == few <= 6


def test_another_day_is_asked_for_and_nonsense_is_told(staff, ten):
    assert "26 Nov" in staff.get(address(ten.replace(year=2026, month=11, day=26))).content.decode()
    wrong = staff.get(reverse("staff_timeline", args=["loft"], query={"date": "soon"}))
    assert "2026-11-25" in wrong.content.decode()
