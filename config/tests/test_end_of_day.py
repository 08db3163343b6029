"""24:00 is the end of the day, wherever a time is written."""

from datetime import timedelta

import pytest

from bookings.models import Booking
from spaces.models import OpeningHours

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def open_till_midnight(space):
    OpeningHours.objects.update(closes_at="00:00")
    space.places.update(capacity=2)
    return space


def midnight_after(day):
    return day.replace(hour=0) + timedelta(days=1)


def test_24_00_in_the_boards_url(client, open_till_midnight, soon):
    asked = {"date": f"{soon:%Y-%m-%d}", "from": "20:00", "to": "24:00"}
    page = client.get("/spaces/loft/", asked)
    assert not page.context["form"].errors
    assert page.context["board"].search.period.ends_at == midnight_after(soon)


@pytest.mark.parametrize("time", ["24:00", "24:00:00", "24:00+00:00"])
def test_24_00_in_a_booking_and_in_its_move(client, open_till_midnight, desk, alice, soon, time):
    client.force_login(alice)
    day = f"{soon:%Y-%m-%d}"
    wish = {"place": desk.code, "starts_at": f"{day}T20:00", "ends_at": f"{day}T{time}"}
    client.post("/bookings/", wish)
    booking = Booking.objects.get()
    assert (booking.state, booking.ends_at) == ("CONFIRMED", midnight_after(soon))
    later = {**wish, "starts_at": f"{day}T22:00"}
    client.post(f"/bookings/{booking.code}/reschedule/", later)
    booking.refresh_from_db()
    assert (booking.starts_at.hour, booking.ends_at) == (22, midnight_after(soon))


def test_24_00_at_the_front_desk(client, open_till_midnight, desk, host, soon):
    client.force_login(host)
    asked = {
        "place": desk.code,
        "day": f"{soon:%Y-%m-%d}",
        "starts": "20:00",
        "ends": "24:00",
        "party_size": "1",
        "guest_name": "Ivan",
    }
    client.post("/admin/bookings/booking/add/", asked)
    assert Booking.objects.get().ends_at == midnight_after(soon)
    closing = {
        "what": "space loft",
        "first_day": f"{soon + timedelta(days=1):%Y-%m-%d}",
        "starts": "20:00",
        "ends": "24:00",
        "reason": "Repairs",
    }
    client.post("/admin/spaces/closure/add/", closing)
    assert open_till_midnight.closures.get().ends_at == midnight_after(soon + timedelta(days=1))
