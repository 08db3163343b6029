"""The kitchen is full: the staff are told, and may insist by one press more, which is recorded."""

import re
from datetime import time, timedelta
from html import unescape

import pytest

from bookings.deciding.invariants import violations
from bookings.models import Booking
from bookings.tests.acts import book, hours, move
from spaces.factories import ShiftFactory
from spaces.models import Place, Shift

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

PHONE = "/staff/loft/phone/"


@pytest.fixture(autouse=True)
def shift(space, clock):
    """Two people in house and one online may begin in a quarter hour."""
    Place.objects.filter(space=space).update(capacity=4)
    limits = {"covers_online": 1, "covers_in_house": 2}
    ShiftFactory.create(space=space, first_seating=time(8), last_seating=time(20), **limits)
    Shift.objects.update(changed_at=clock.now - timedelta(days=1))


@pytest.fixture
def staff(client, host):
    client.force_login(host)
    return client


@pytest.fixture
def call(soon):
    return {"date": f"{soon:%Y-%m-%d}", "from": "10:00", "party": 2, "guest_name": "Rossi"}


def insist(page):
    """Return the button that insists."""
    found = re.search('name="anyway" value="([^"]+)"', page.text)
    return {"anyway": unescape(found[1])} if found else {}


def reasons(booking):
    return list(booking.events.order_by("sequence").values_list("kind", "data__problems"))


@pytest.mark.parametrize("chosen", [True, False])
def test_a_call_is_booked_all_the_same(staff, call, space, soon, clock, chosen):
    if chosen:
        call["place"] = space.places.get(number=3).code
    staff.post(PHONE, call)
    Booking.objects.update(guest_name="Bianchi")
    call["place"] = (call.get("place") and space.places.get(number=2).code) or ""
    shown = staff.get(PHONE, call)
    assert "Too many people arrive at 10:00 already." in shown.text
    assert shown.context["offers"]
    assert shown.context["first"].period.starts_at == soon + hours(1)
    refused = staff.post(PHONE, call)
    assert refused.status_code == 422
    assert Booking.objects.count() == 1
    assert "Book all the same" in refused.text
    answer = staff.post(PHONE, call | insist(refused))
    second = Booking.objects.get(guest_name="Rossi")
    assert (answer.status_code, second.starts_at) == (302, soon)
    assert reasons(second) == [("CONFIRMED", ["pacing_full"])]
    assert "Too many people arrive" in staff.get(answer["Location"]).text
    assert list(violations(now=clock.now)) == []


def test_nobody_insists_against_anything_else(staff, call, space, bob, soon, clock):
    """Another reason stands, and the press changes nothing about it."""
    staff.post(PHONE, call)
    desk = space.places.get(number=2)
    wish = call | {"place": desk.code, "party": 9}
    refused = staff.post(PHONE, wish)
    assert insist(refused) == {}
    times = f"{soon:%Y-%m-%dT%H:%M}|{soon + hours(2):%Y-%m-%dT%H:%M}"
    assert staff.post(PHONE, wish | {"anyway": f"{desk.code}|{times}"}).status_code == 422
    book(desk, bob, clock.now, starts_at=soon, party_size=1)
    taken = call | {"anyway": f"{desk.code}|{times}"}
    assert staff.post(PHONE, taken).status_code == 409
    assert Booking.objects.occupying().count() == 2


def edited(booking, **changes):
    return {"seen": booking.events.latest("sequence").sequence, **changes}


def test_a_move_to_a_full_time_and_a_larger_party(staff, call, space, soon, clock):
    """In the form, and from the timeline; members don't read of it."""
    staff.post(PHONE, call)
    staff.post(PHONE, call | {"from": "12:00", "guest_name": "Verdi"})
    other = Booking.objects.get(guest_name="Verdi")
    page = f"/staff/loft/bookings/{other.code}/"
    change = edited(other, starts="10:00", ends="12:00", place=space.places.get(number=3).code)
    refused = staff.post(page, change)
    assert refused.status_code == 422
    assert "Save all the same" in refused.text
    assert staff.post(page, change | insist(refused)).status_code == 302
    other.refresh_from_db()
    assert other.starts_at == soon
    assert reasons(other)[-1] == ("MOVED", ["pacing_full"])
    more = edited(other, party_size=4)
    refused = staff.post(page, more)
    assert refused.status_code == 422
    staff.post(page, more | insist(refused))
    other.refresh_from_db()
    assert other.party_size == 4
    assert list(violations(now=clock.now)) == []


def test_a_drag_on_the_timeline(staff, call, space, soon):
    staff.post(PHONE, call)
    staff.post(PHONE, call | {"from": "12:00", "guest_name": "Verdi"})
    other = Booking.objects.get(guest_name="Verdi")
    times = {"starts_at": f"{soon:%Y-%m-%dT%H:%M}", "ends_at": f"{soon + hours(2):%Y-%m-%dT%H:%M}"}
    dragged = {"place": space.places.get(number=3).code, **times}
    headers = {"HX-Request": "true"}
    page = f"/staff/loft/bookings/{other.code}/"
    refused = staff.post(page, dragged, headers=headers)
    assert refused.status_code == 422
    pressed = {"back": "timeline", "date": f"{soon:%Y-%m-%d}", **insist(refused)}
    assert staff.post(page, pressed)["Location"].startswith("/staff/loft/timeline/")
    other.refresh_from_db()
    assert other.starts_at == soon


def test_a_members_booking_is_moved_all_the_same_by_the_staff_alone(
    staff, space, alice, bob, soon, clock
):
    book(space.places.get(number=1), alice, clock.now, starts_at=soon)
    theirs = book(space.places.get(number=2), bob, clock.now, starts_at=soon + hours(3))
    page = f"/staff/loft/bookings/{theirs.code}/"
    change = edited(theirs, starts="10:00", ends="12:00")
    refused = staff.post(page, change)
    staff.post(page, change | insist(refused))
    theirs.refresh_from_db()
    assert theirs.starts_at == soon
    staff.force_login(bob)
    mine = staff.get(f"/bookings/{theirs.code}/").text
    assert "Too many people arrive" not in mine
    move(theirs, clock.now, soon + hours(3))
    times = {"starts_at": f"{soon:%Y-%m-%dT%H:%M}", "ends_at": f"{soon + hours(2):%Y-%m-%dT%H:%M}"}
    sent = {"place": theirs.place.code, **times, "anyway": "1"}
    assert staff.post(f"/bookings/{theirs.code}/reschedule/", sent).status_code == 422
    assert list(violations(now=clock.now)) == []
