"""A screen at a door, as whoever stands there and whoever finds its address meets it."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import uuid4

import pytest
from django.test import Client

from bookings.deciding import door_keys
from bookings.doors import DoorView
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.views import door as door_view

pytestmark = pytest.mark.any_database

MINUTE = timedelta(minutes=1)
PART = {"X-Part": "screen"}


@pytest.fixture
def at_noon(clock):
    """Seven past twelve tomorrow, in the opening hours."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    clock.now = tomorrow.replace(hour=12, minute=7, second=30, microsecond=0)
    return clock


def make(space, *places, language="en", **may):
    allowed = {"shows_names": True, "may_check_in": True, "may_walk_in": True, **may}
    _door, key = door_keys.make(
        space,
        name="Room 1",
        places=list(places),
        language=language,
        code=uuid4(),
        now=datetime.now(UTC),
        **allowed,
    )
    return f"/door/{key}/"


@pytest.fixture
def path(space, desk, at_noon):
    return make(space, desk)


def said(page):
    """Return the words of a page, without its tags."""
    body = re.sub(r"<script.*?</script>|<head>.*?</head>", "", page.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub("<[^>]*>", " ", body)).split())


def form(page, act):
    """Return what the first form of that kind sends."""
    for each in re.findall(r'<form method="post".*?</form>', page.text, re.DOTALL):
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', each))
        if fields["act"] == act:
            return fields
    return None


def booked(place, member, at, start, length=1, **more):
    """Book as if it had been done yesterday."""
    return book(
        place,
        member,
        at.now - hours(24),
        at.now.replace(minute=0, second=0) + hours(start),
        length,
        **more,
    )


# --- What it shows


def test_free_until_the_next_booking(client, path, desk, alice, at_noon):
    booked(desk, alice, at_noon, 2)
    page = client.get(path)
    assert page.status_code == 200
    assert "Desk 1 Free until 14:00" in said(page)
    assert "Next 14:00–15:00 alice" in said(page)
    assert "Use until 12:45" in said(page)


def test_taken_and_by_whom(client, path, desk, alice, at_noon):
    booked(desk, alice, at_noon, 0)
    page = client.get(path)
    assert "Taken until 13:00" in said(page)
    assert "12:00–13:00 · alice" in said(page)
    assert "Check in" in said(page)
    assert "Use until" not in said(page)


def test_no_names_if_the_screen_shows_none(client, space, desk, alice, at_noon):
    booked(desk, alice, at_noon, 0)
    booked(desk, None, at_noon, 2, by=alice, guest_name="Rossi")
    page = client.get(make(space, desk, shows_names=False))
    assert "alice" not in page.text
    assert "Rossi" not in page.text
    assert "Next 14:00–15:00 booked" in said(page)


def test_a_hall_is_taken_through_its_part(client, space, desk, alice, at_noon):
    hall = space.places.create(number=9, kind="ROOM", name="Hall", capacity=9)
    hall.parts.set([desk, space.places.get(number=2)])
    booked(desk, alice, at_noon, 0)
    assert "Hall Taken until 13:00" in said(client.get(make(space, hall)))


def test_closed_until_tomorrow(client, path, at_noon):
    at_noon.now = at_noon.now.replace(hour=23)
    page = client.get(path)
    assert re.search(r"Desk 1 Closed opens: \w+ \d+ \w+, 8:00", said(page))
    at_noon.now = at_noon.now.replace(hour=7)
    assert "Closed opens at 8:00" in said(client.get(path))


def test_all_places_with_how_many_are_free(client, space, desk, alice, at_noon):
    booked(desk, alice, at_noon, 0)
    page = client.get(make(space))
    assert "2 of 3 free" in said(page)
    assert [f"Desk {n}" in said(page) for n in (1, 2, 3)] == [True] * 3
    some = client.get(make(space, desk, space.places.get(number=3)))
    assert "1 of 2 free" in said(some)
    assert "Desk 2" not in said(some)


def test_a_place_that_was_withdrawn_leaves_an_empty_screen(client, path, space):
    space.places.update(is_bookable=False)
    page = client.get(path)
    assert "No place can be booked here right now." in said(page)


def test_in_the_language_of_the_screen(client, space, desk, at_noon):
    page = client.get(make(space, desk, language="ru"), headers={"Accept-Language": "en"})
    assert '<html lang="ru"' in page.text
    assert page["Content-Language"] == "ru"
    assert "Свободно до 22:00" in said(page)
    assert "Занять до 12:45" in said(page)


def test_times_are_those_of_the_space(client, path, space):
    type(space).objects.update(time_zone="Asia/Kathmandu")
    page = said(client.get(path))
    assert "17:52" in page
    assert "Kathmandu time" in page


def test_words_for_a_screen_that_has_lost_us_are_there(client, path):
    page = client.get(path)
    assert "Was free" in said(page)
    assert "Not connected. As of {time}" in page.text
    assert "As of 12:07" in said(page)


# --- Asking again and again


def test_its_script_gets_a_part_and_when_nothing_changed_nothing(
    client, path, desk, alice, at_noon
):
    part = client.get(path, headers=PART)
    assert part.text.strip().startswith('<div class="door-screen one"')
    at_noon.now += 5 * timedelta(seconds=1)
    again = client.get(path, headers={**PART, "If-None-Match": part["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Server-Time"] > part["Server-Time"]
    booked(desk, alice, at_noon, 0)
    assert client.get(path, headers={**PART, "If-None-Match": part["ETag"]}).status_code == 200


def test_it_says_until_when_it_is_right(client, path, desk, alice, at_noon):
    booked(desk, alice, at_noon, 1)
    until = re.search('data-valid-until="(.*?)"', client.get(path).text)[1]
    assert datetime.fromisoformat(until) == at_noon.now.replace(minute=0, second=0) + hours(1)


def test_asking_costs_three_statements(
    client, path, desk, alice, at_noon, django_assert_num_queries
):
    for n in range(4):
        booked(desk, alice, at_noon, 2 * n)
    client.get(path)
    with django_assert_num_queries(3):
        client.get(path, headers=PART)


# --- Pressing


def test_check_in(client, path, desk, alice, at_noon):
    booking = booked(desk, alice, at_noon, 0)
    answer = client.post(path, form(client.get(path), "check_in"))
    assert (answer.status_code, answer.url) == (303, path)
    booking.refresh_from_db()
    assert booking.state == State.CHECKED_IN
    assert "checked in" in said(client.get(path))


def test_use_a_free_place(client, path, desk, at_noon):
    fields = form(client.get(path), "use")
    for _ in range(2):  # two presses are one
        assert client.post(path, fields).status_code == 303
    booking = Booking.objects.get()
    assert (booking.place, booking.channel) == (desk, "WALK_IN")
    assert booking.ends_at == at_noon.now.replace(minute=45, second=0)
    assert "Taken until 12:45" in said(client.get(path))


def test_only_until_the_next_booking(client, path, desk, alice, at_noon):
    at_noon.now = at_noon.now.replace(minute=40)
    booked(desk, alice, at_noon, 1)
    page = client.get(path)
    assert "Use until 13:00" in said(page)
    client.post(path, form(page, "use"))
    assert "Taken until 14:00" in said(client.get(path))  # one after the other


def test_somebody_was_faster(client, path, desk, alice, at_noon):
    fields = form(client.get(path), "use")
    booked(desk, alice, at_noon, 0)
    page = client.post(path, fields)
    assert page.status_code == 409
    assert "Someone has Desk 1 for that time." in said(page)
    assert "Taken until 13:00" in said(page)


def test_what_was_on_the_screen_too_long_is_refused(client, path, desk, at_noon):
    fields = form(client.get(path), "use")
    at_noon.now += hours(1)
    page = client.post(path, fields)
    assert page.status_code == 422
    assert not Booking.objects.exists()


def test_no_buttons_and_no_way_around_them(client, space, desk, alice, path, at_noon):
    booking = booked(desk, alice, at_noon, 0)
    other = space.places.get(number=2)
    check_in, use = form(client.get(path), "check_in"), form(client.get(make(space, other)), "use")
    plain = make(space, may_check_in=False, may_walk_in=False)
    page = client.get(plain)
    assert "<form" not in page.text
    assert [client.post(plain, each).status_code for each in (check_in, use)] == [422, 422]
    # And a screen of one place does nothing for another.
    assert client.post(path, use).status_code == 422
    assert client.post(make(space, other), check_in).status_code == 422
    booking.refresh_from_db()
    assert booking.state == State.CONFIRMED
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"act": "cancel"},
        {"act": "check_in"},
        {"act": "check_in", "booking": "\x00"},
        {"act": "use", "place": "1"},
    ],
)
def test_nonsense(client, path, sent):
    assert client.post(path, sent).status_code == 400


# --- Who may


def test_the_key_opens_nothing_else(path, desk, alice, at_noon):
    key = path.split("/")[2]
    booking = booked(desk, alice, at_noon, 0)
    for other in ("/bookings/", f"/bookings/{booking.code}/", "/staff/loft/", "/staff/loft/doors/"):
        answer = Client(headers={"Authorization": f"Bearer {key}"}).get(f"{other}?token={key}")
        assert answer.status_code == 302
    api = Client(headers={"Authorization": f"Bearer {key}"}).get("/api/v1/bookings")
    assert api.status_code == 401


def test_headers(client, path):
    for page in (
        client.get(path),
        client.get(path, headers=PART),
        client.post(path, {"act": "use"}),
    ):
        if page.status_code == 200:
            assert page["Referrer-Policy"] == "no-referrer"
            assert page["X-Robots-Tag"] == "noindex, nofollow"
            assert not page.cookies
        assert "no-store" in page["Cache-Control"]
    assert '<meta name="robots" content="noindex, nofollow">' in client.get(path).text
    assert "style=" not in client.get(path).text


def test_no_cookie_and_no_token_are_needed_to_press(path, desk, alice, at_noon):
    """The tablet signs in nowhere; only who knows the address can send anything."""
    booked(desk, alice, at_noon, 0)
    tablet = Client(enforce_csrf_checks=True)
    fields = form(tablet.get(path), "check_in")
    # What `no-referrer` makes browsers send.
    assert tablet.post(path, fields, headers={"Origin": "null"}).status_code == 303


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_says_is_of_another_site_is_refused(
    client, path, desk, alice, at_noon, site
):
    booking = booked(desk, alice, at_noon, 0)
    fields = form(client.get(path), "check_in")
    answer = client.post(path, fields, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    booking.refresh_from_db()
    assert booking.state == State.CONFIRMED


def test_a_screen_and_a_guesser_have_to_wait(client, path, monkeypatch):
    monkeypatch.setattr(door_view, "MOST_OF_A_SCREEN", 3)
    monkeypatch.setattr(door_view, "MOST_WRONG", 2)
    assert [client.get(path).status_code for _ in range(4)] == [200, 200, 200, 429]
    found = [client.get(f"/door/{n}/") for n in range(3)]
    assert [each.status_code for each in found] == [404, 404, 429]
    assert "Its managers make a new address" in found[0].text
    assert found[-1]["Retry-After"] == "60"
    assert client.get(path).status_code == 429


def test_when_it_was_last_seen_is_noted_to_a_few_minutes(client, path, at_noon):
    first = at_noon.now
    for _ in range(2):
        client.get(path)
        assert DoorView.objects.get().last_seen_at == first
        at_noon.now += MINUTE
    at_noon.now += 5 * MINUTE
    client.get(path)
    assert DoorView.objects.get().last_seen_at == at_noon.now
