"""One press says who arrived, sits, left or never came; another takes it back."""

import re

import pytest

from bookings.deciding import visits
from bookings.models import Booking, BookingEvent
from bookings.staff.tests.acts import DAY, book_guest, browser
from bookings.staff.tests.test_staff_day import at, clock  # noqa: F401 - a fixture
from bookings.states import State
from bookings.tests.acts import book

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

VISITS = f"{DAY}visits/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def rossi(desk, host, now):
    return book_guest(desk, host, now, starts_at=at(12))


@pytest.fixture
def client(host, clock):  # noqa: F811 - a fixture
    return browser(host)


def kinds(booking):
    return [event.kind for event in booking.events.order_by("sequence")]


def buttons(page):
    """Return the names of the verbs on the rows of a page, in their order."""
    return re.findall(r'form="visits" name="(\w+)"', page)


def test_arrived_seated_left(client, desk, rossi):
    type(desk).objects.update(kind="TABLE")
    for verb, kind, state in [
        ("arrive", "CHECKED_IN", State.CHECKED_IN),
        ("seat", "SEATED", State.CHECKED_IN),
        ("extend", "EXTENDED", State.CHECKED_IN),
        ("leave", "COMPLETED", State.COMPLETED),
    ]:
        assert verb in buttons(client.get(DAY).text)
        answer = client.post(VISITS, {verb: rossi.code})
        n = len(kinds(rossi))
        assert answer["Location"] == f"{DAY}?done={rossi.code}.{n}#b-{rossi.code}"
        rossi.refresh_from_db()
        assert (kinds(rossi)[-1], rossi.state) == (kind, state)
    assert buttons(client.get(DAY).text) == []


def test_one_press_lets_them_stay_half_an_hour_longer(client, rossi):
    client.post(VISITS, {"extend": rossi.code})
    assert Booking.objects.get().ends_at == at(14, 30)


def test_nobody_came(client, rossi):
    client.post(VISITS, {"no_show": rossi.code})
    assert Booking.objects.get().state == State.NO_SHOW
    page = client.get(DAY).text
    assert "Rossi" in page.partition("g-finished")[2]


def test_the_page_says_what_was_done_and_takes_it_back(client, rossi):
    page = client.post(VISITS, {"arrive": rossi.code}, follow=True).text
    assert "Arrived: Rossi." in page
    undo = re.search(r'name="undo" value="(.*?)"', page)[1]
    page = client.post(VISITS, {"undo": undo}, follow=True).text
    assert "Taken back: Rossi." in page
    assert 'name="undo"' not in page
    assert Booking.objects.get().state == State.CONFIRMED
    assert kinds(rossi) == ["CONFIRMED", "CHECKED_IN", "UNDONE"]


def test_the_way_back_closes(client, rossi, clock):  # noqa: F811 - a fixture
    page = client.post(VISITS, {"arrive": rossi.code}, follow=True).text
    undo = re.search(r'name="undo" value="(.*?)"', page)[1]
    clock.passes(minutes=1)
    page = client.post(VISITS, {"undo": undo}, follow=True).text
    assert "It is too late to undo this." in page
    assert Booking.objects.get().state == State.CHECKED_IN
    assert 'name="undo"' not in client.get(f"{DAY}?done={undo}").text


def test_an_open_page_gets_the_day_and_the_way_back(client, rossi):
    answer = client.post(VISITS, {"arrive": rossi.code}, headers=HTMX, follow=True)
    assert answer.text.lstrip().startswith('<div id="toast"')
    assert "Arrived: Rossi." in answer.text
    assert 'id="day"' in answer.text
    assert "<h1" not in answer.text
    again = client.post(VISITS, {"arrive": rossi.code}, headers=HTMX, follow=True).text
    assert "already checked in" in again
    assert 'name="undo"' not in again


def test_what_somebody_else_did_is_not_ours_to_take_back(client, rossi, manager, clock):  # noqa: F811 - a fixture
    visits.arrive(rossi, by=manager, now=clock.now)
    assert "Undo" not in client.get(f"{DAY}?done={rossi.code}.2").text
    client.post(VISITS, {"undo": f"{rossi.code}.2"})
    assert Booking.objects.get().state == State.CHECKED_IN


@pytest.mark.parametrize("done", ["", "x", "{}", "{}.x", "{}.99", "{}.-1", "{}.٣"])
def test_an_address_that_names_nothing_says_nothing(client, rossi, done):
    page = client.get(DAY, {"done": done.format(rossi.code)})
    assert page.status_code == 200
    assert 'name="undo"' not in page.text


@pytest.mark.parametrize(
    "sent", [{}, {"arrive": ""}, {"arrive": "x"}, {"dance": "x"}, {"undo": "x.1"}]
)
def test_a_press_that_names_nothing_is_not_found(client, rossi, sent):
    assert client.post(VISITS, sent).status_code == 404


def test_cancelling_asks_why_and_tells_the_person(client, desk, alice, now):
    booking = book(desk, alice, now, at(15))
    page = f"{DAY}bookings/{booking.code}/cancel/"
    assert f'href="{page}"' in client.get(DAY).text
    assert "Desk 1" in client.get(page).text
    refused = client.post(page, {"reason": " "})
    assert (refused.status_code, Booking.objects.get().state) == (422, State.CONFIRMED)
    told = client.post(page, {"reason": "Flood"}, follow=True).text
    assert "Cancelled: alice." in told
    assert 'name="undo"' in told
    event = BookingEvent.objects.get(kind="CANCELLED")
    assert (event.reason, event.booking) == ("Flood", booking)
    assert "nothing to cancel" in client.get(page).text


def test_a_usual_reason_is_one_press(client, desk, alice, now):
    booking = book(desk, alice, now, at(15))
    page = f"{DAY}bookings/{booking.code}/cancel/"
    assert (
        '<button class="button quiet" name="reason" value="booked twice"' in client.get(page).text
    )
    client.post(page, {"reason": ["", "booked twice"]})  # the empty field, then the button
    assert BookingEvent.objects.get(kind="CANCELLED").reason == "booked twice"


def test_a_press_on_another_day_leads_back_to_it(client, desk, alice, now):
    booking = book(desk, alice, now, at(15).replace(day=26))
    page = f"{DAY}bookings/{booking.code}/cancel/?date=2026-11-26"
    assert f'href="{page}"' in client.get(f"{DAY}?date=2026-11-26").text
    answer = client.post(page, {"reason": "Flood", "date": "2026-11-26"})
    assert answer["Location"].startswith(f"{DAY}?date=2026-11-26&done=")
