"""The page on which managers make screens for doors, and revoke them."""

import re
from uuid import uuid4

import pytest

from bookings.doors import DoorView

pytestmark = pytest.mark.any_database

PAGE = "/staff/loft/doors/"


@pytest.fixture
def at_loft(client, manager):
    client.force_login(manager)
    return client


def fields(**more):
    return {"name": "Room Volga", "language": "ru", "request_key": str(uuid4()), **more}


def address(page):
    [found] = re.findall(r'value="http://testserver(/door/[^"]+)"', page.text)
    return found


def test_a_screen_is_made_and_its_address_shown_once(at_loft, desk):
    page = at_loft.post(PAGE, fields(places=[desk.code], may_check_in="on"))
    assert page.status_code == 201
    door = DoorView.objects.get()
    assert (door.name, door.language, door.places) == ("Room Volga", "ru", [str(desk.code)])
    assert (door.may_check_in, door.may_walk_in, door.shows_names) == (True, False, False)
    assert at_loft.get(address(page)).status_code == 200
    later = at_loft.get(PAGE).text
    assert "/door/" not in later
    assert "Room Volga" in later
    assert "Desk 1 · Русский" in later


def test_no_place_chosen_is_the_whole_space(at_loft):
    at_loft.post(PAGE, fields())
    assert DoorView.objects.get().is_of_all


def test_a_press_that_comes_twice_makes_one(at_loft):
    sent = fields()
    assert at_loft.post(PAGE, sent).status_code == 201
    again = at_loft.post(PAGE, sent, follow=True)
    assert "already been made" in again.text
    assert DoorView.objects.count() == 1


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": "x" * 61}, {"language": "de"}, {"request_key": "1"}]
)
def test_mistakes_keep_the_form(at_loft, wrong):
    page = at_loft.post(PAGE, fields(**wrong))
    assert page.status_code == 422
    assert not DoorView.objects.exists()


def test_revoking_asks_first(at_loft):
    path = address(at_loft.post(PAGE, fields()))
    revoke = f"{PAGE}{DoorView.objects.get().code}/revoke/"
    assert "Room Volga" in at_loft.get(revoke).text
    assert at_loft.get(path).status_code == 200
    assert "Revoked." in at_loft.post(revoke, follow=True).text
    assert at_loft.get(path).status_code == 404
    assert at_loft.post(revoke).status_code == 404


def test_in_russian(at_loft):
    page = at_loft.get(PAGE, headers={"Accept-Language": "ru"})
    assert "Экраны у дверей" in page.text


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_screen_speaks_as_whoever_makes_it_unless_they_choose(at_loft, manager, language):
    manager.language = language
    manager.save()
    assert f'value="{language}" selected' in at_loft.get(PAGE).text
