"""Chips for the kinds of places: one press shows only rooms, and the space remembers it."""

import re
from html import unescape

import pytest

from bookings.tests.acts import book, hours
from spaces.factories import PlaceFactory, PolicyFactory
from spaces.models import Place

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

EVERYTHING = {"Desk 1", "Desk 2", "Desk 3", "Room 4"}
CHIP = re.compile(r'<a id="kind-(\w+)"[^>]* href="([^"]+)"[^>]*?( aria-current="true")?>')


@pytest.fixture
def loft(space, desk):
    """Three desks, one with a monitor, and a room that has one too."""
    space.places.filter(number=2).update(features=["monitor"])
    room = {"kind": Place.Kind.ROOM, "capacity": 6, "features": ["monitor", "whiteboard"]}
    PlaceFactory.create(space=space, number=4, **room)
    return space


def chips(page):
    """Return address and state of each chip."""
    return {
        name: (unescape(address), bool(chosen)) for name, address, chosen in CHIP.findall(page.text)
    }


def places(page):
    """Return what is offered, and what the day's table shows."""
    cards = re.findall(r"<h3>(?:<svg.*?</svg>)?([^<]+)</h3>", page.text)
    rows = re.findall(r'<th scope="row">([^<]+?) ?<', page.text)
    return {name for name in cards if re.search(r"\d$", name)}, set(rows)


def test_one_press_shows_only_rooms_and_back_again(client, loft, soon):
    page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}")
    found = chips(page)
    assert {name: chosen for name, (_address, chosen) in found.items()} == {
        "all": True,
        "desk": False,
        "room": False,
    }
    assert "Room <span" in page.text
    assert "(1)</span>" in page.text
    rooms = client.get(found["room"][0])
    assert places(rooms) == ({"Room 4"}, {"Room 4"})
    assert chips(rooms)["room"][1]
    everything = client.get(chips(rooms)["all"][0])
    assert places(everything)[1] == EVERYTHING


def test_it_stays_in_the_address_of_every_way_on(client, loft, soon):
    page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}&kind=ROOM")
    ways = re.findall(r'href="(/spaces/loft/)?(\?[^"]+)"', page.text)
    ways = [unescape(query) for _path, query in ways if "kind=DESK" not in query]
    assert len(ways) > 4
    assert all("kind=ROOM" in query or query.endswith("&kind=") for query in ways)
    assert '<input type="hidden" name="kind" value="ROOM">' in page.text


def test_features_are_counted_for_the_kind_and_none_is_offered_in_vain(client, loft, soon):
    page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}").text
    assert "monitor (2)" in page
    assert "whiteboard (1)" in page
    page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}&kind=DESK").text
    assert "monitor (1)" in page
    assert "whiteboard" not in page.partition('<div id="results">')[0]
    chosen = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}&kind=DESK&feature=whiteboard").text
    assert "whiteboard (0)" in chosen  # or it could not be unticked


def test_the_space_remembers_it_until_all_is_chosen(client, loft, soon):
    client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}&kind=ROOM")
    cookie = client.cookies["kind"]
    assert (cookie["path"], cookie["samesite"], cookie["httponly"]) == (
        "/spaces/loft/",
        "Lax",
        True,
    )
    again = client.get("/spaces/loft/")
    assert chips(again)["room"][1]
    assert places(again)[1] == {"Room 4"}
    client.get(chips(again)["all"][0])
    assert chips(client.get("/spaces/loft/"))["all"][1]


def test_a_link_to_a_place_shows_it_whatever_was_chosen_before(client, loft, desk, alice, soon):
    client.cookies["kind"] = "ROOM"
    page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}&place={desk.code}")
    assert "Desk 1" in places(page)[0]
    booking = book(desk, alice, soon - hours(24), soon + hours(2))
    client.force_login(alice)
    assert "Desk 1" in places(client.get(f"/spaces/loft/?move={booking.code}"))[1]


@pytest.mark.parametrize("kind", ["TABLE", "room", "<b>"])
def test_what_was_remembered_and_is_not_here_any_more_is_forgotten(client, loft, kind):
    client.cookies["kind"] = kind
    assert places(client.get("/spaces/loft/"))[1] == EVERYTHING


@pytest.mark.parametrize("kind", ["TABLE", "room", "<b>"])
def test_another_kind_in_the_address_is_an_error_and_not_remembered(client, loft, soon, kind):
    page = client.get("/spaces/loft/", {"kind": kind, "date": f"{soon:%Y-%m-%d}"})
    assert "There is nothing of that kind here." in page.text
    assert "kind" not in client.cookies


def test_one_kind_needs_no_chips(client, space, desk):
    page = client.get("/spaces/loft/")
    assert not chips(page)
    assert 'name="kind"' not in page.text


def test_times_follow_the_rules_of_the_kind(client, loft, soon):
    PolicyFactory.create(space=loft, kind=Place.Kind.ROOM, step_minutes=30)
    page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}")
    assert '<option value="10:30"' not in page.text
    page = client.get(f"/spaces/loft/?date={soon:%Y-%m-%d}&kind=ROOM")
    assert '<option value="10:30"' in page.text


def test_two_people_who_chose_differently_share_no_page(client, loft, soon):
    """Both pages have one address: what is kept must differ."""
    first = client.get("/spaces/loft/")
    client.cookies["kind"] = "ROOM"
    second = client.get("/spaces/loft/", headers={"If-None-Match": first["ETag"]})
    assert second.status_code == 200
    assert places(second)[1] == {"Room 4"}


def test_htmx_renews_the_features_with_the_kind_only(client, loft, soon):
    address = f"/spaces/loft/?date={soon:%Y-%m-%d}&kind=ROOM"
    pressed = client.get(address, headers={"HX-Request": "true", "HX-Trigger": "kind-room"}).text
    assert '<fieldset id="features" hx-swap-oob="true">' in pressed
    assert '<fieldset id="features"' not in client.get(address, headers={"HX-Request": "true"}).text
