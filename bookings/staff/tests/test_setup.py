"""From an empty site to an open venue: the owner's link, one page, whoever is invited."""

import re
from datetime import time, timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts import invitations
from accounts.factories import PASSWORD, StaffRoleFactory, UserFactory
from accounts.joining import Invitation
from accounts.models import User
from spaces.founding import country_of, slug_of
from spaces.models import OpeningHours, Place, Policy, Space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

SETUP = "/staff/setup/"


def browser(person):
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def boss(db):
    return UserFactory.create(username="boss", is_superuser=True)


def filled_in(**changed):
    return {
        "name": "Bistro Nord",
        "kind": "RESTAURANT",
        "time_zone": "Europe/Oslo",
        "opens": "12:00",
        "closes": "15:00",
        "opens_again": "18:00",
        "closes_again": "0:30",
        "closed_0": "on",
        "opens_6": "13:00",
        "closes_6": "20:00",
        "tables": "10 × 2, 6x4; 4 * 6",
        "hosts": "hanna@example.org\nivan@example.org",
        "managers": "marat@example.org",
        "request_key": str(uuid4()),
        **changed,
    }


def owners_link(capsys):
    call_command("owner")
    found = re.search(r"/join/\w+/", capsys.readouterr().out)
    return found[0] if found else None


def test_the_terminal_shows_how_to_become_the_owner(db, capsys, settings):
    link = owners_link(capsys)
    newcomer = Client()
    assert "owner" in newcomer.get(link).text
    sent = {"username": "olga", "email": "olga@example.org", "password1": PASSWORD}
    assert newcomer.post(link, sent)["Location"] == SETUP
    olga = User.objects.get()
    assert (olga.username, olga.is_superuser, olga.is_staff) == ("olga", True, True)
    assert "Set up your venue" in newcomer.get(SETUP).text
    assert Client().get(link).status_code == 404
    assert owners_link(capsys) is None


def test_nobody_becomes_the_owner_without_the_link_of_the_terminal(db, capsys):
    old = owners_link(capsys)
    link = owners_link(capsys)
    sent = {"username": "mallory", "password1": PASSWORD}
    for wrong in (old, "/join/OWNER/", "/join/" + "0" * 64 + "/"):
        assert Client().post(wrong, sent).status_code == 404
    UserFactory.create(is_superuser=True)  # by `createsuperuser`, meanwhile
    assert Client().post(link, sent).status_code == 404
    assert not User.objects.filter(username="mallory").exists()


def test_the_owners_link_ends_after_a_day(db, capsys):
    link = owners_link(capsys)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(link).status_code == 404


def test_the_first_superuser_lands_on_the_set_up(boss):
    assert browser(boss).get("/")["Location"] == SETUP
    Space.objects.create(slug="hidden", name="Hidden", is_active=False)
    assert browser(boss).get("/").status_code == 200


def test_one_page_opens_a_venue(boss):
    answer = browser(boss).post(SETUP, filled_in())
    assert (answer.status_code, answer["Location"]) == (302, "/staff/bistro-nord/")
    space = Space.objects.get()
    assert (space.kind, space.time_zone, space.country) == ("RESTAURANT", "Europe/Oslo", "NO")
    hours = space.opening_hours.order_by("weekday", "opens_at")
    lunch, dinner = (time(12), time(15)), (time(18), time(0, 30))
    assert [(each.weekday, each.opens_at, each.closes_at) for each in hours] == [
        *((day, *times) for day in range(1, 6) for times in (lunch, dinner)),
        (6, time(13), time(20)),
    ]
    tables = list(space.places.by_number().values_list("number", "kind", "capacity"))
    assert tables == [
        (n, "TABLE", capacity) for n, capacity in enumerate([2] * 10 + [4] * 6 + [6] * 4, 1)
    ]
    invited = Invitation.objects.order_by("email").values_list("email", "role")
    assert dict(invited) == {
        "hanna@example.org": "HOST",
        "ivan@example.org": "HOST",
        "marat@example.org": "MANAGER",
    }
    page = browser(boss).get("/spaces/bistro-nord/")
    assert page.status_code == 200


def test_guests_of_a_restaurant_come_at_any_quarter_of_an_hour(boss):
    browser(boss).post(SETUP, filled_in())
    said = browser(boss).get("/staff/bistro-nord/rules/").text
    assert "Times go in steps of 15 min." in said
    browser(boss).post(SETUP, filled_in(kind="COWORKING", request_key=str(uuid4())))
    assert [rule.space.slug for rule in Policy.objects.all()] == ["bistro-nord"]


@pytest.mark.parametrize(
    ("typed", "read"), [("8", time(8)), ("9.30", time(9, 30)), ("09:30", time(9, 30))]
)
def test_hours_may_be_typed_in_short(boss, typed, read):
    browser(boss).post(SETUP, filled_in(opens=typed))
    assert OpeningHours.objects.filter(weekday=1).earliest("opens_at").opens_at == read


def test_what_comes_next_are_links(boss):
    page = browser(boss).post(SETUP, filled_in(), follow=True).text
    for link in ("rules", "holidays", "people"):
        assert f'<a href="/staff/bistro-nord/{link}/">' in page
    assert "&lt;a" not in page


def test_the_same_press_twice_opens_one_venue(boss):
    sent = filled_in()
    answers = [browser(boss).post(SETUP, sent)["Location"] for _ in range(2)]
    assert answers == ["/staff/bistro-nord/"] * 2
    assert Space.objects.count() == 1


def test_each_kind_of_place_is_numbered_from_a_hundred_of_its_own(boss):
    sent = filled_in(kind="COWORKING", desks="60", rooms="2 × 6", tables="")
    browser(boss).post(SETUP, sent)
    numbers = {
        kind: list(Place.objects.filter(kind=kind).by_number().values_list("number", flat=True))
        for kind in ("DESK", "ROOM")
    }
    assert numbers == {"DESK": list(range(1, 61)), "ROOM": [101, 102]}


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Кафе «Ёлка»", "kafe-elka"),
        ("Tverskaya Coworking", "tverskaya-coworking"),
        ("北京", "beijing"),
        ("Երևան", "erevan"),
        ("💺", ""),
        ("—", ""),
    ],
)
def test_the_address_is_made_from_a_name_of_any_script(name, slug):
    assert slug_of(name).replace("seat", "") == slug


def test_an_address_that_is_taken_or_ours_gets_a_number(boss):
    for name in ("Setup", "Setup", "—"):
        browser(boss).post(SETUP, filled_in(name=name, hosts="", managers=""))
    slugs = Space.objects.order_by("pk").values_list("slug", flat=True)
    assert list(slugs) == ["setup-2", "setup-3", "restaurant"]


WRONG = {
    "name": {"name": " "},
    "time_zone": {"time_zone": "Europe/Nowhere"},
    "opens": {"opens": "12:10"},
    "closes": {"closes": ""},
    "opens_again": {"opens_again": "14:00"},
    "closes_3": {"opens_3": "9:00"},
    "tables": {"tables": "some"},
    "hosts": {"hosts": "hanna@example.org, nobody"},
}


@pytest.mark.parametrize("field", WRONG)
def test_nothing_typed_is_lost(boss, field):
    answer = browser(boss).post(SETUP, filled_in(address="Storgata 1 & 2", **WRONG[field]))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    for typed in ("Storgata 1 &amp; 2", "0:30", "13:00", "marat@example.org", "checked"):
        assert typed in answer.text
    assert not Space.objects.exists()
    assert not Invitation.objects.exists()


def test_a_venue_needs_places_and_hours(boss):
    assert "how many" in browser(boss).post(SETUP, filled_in(tables="")).text
    closed = {f"closed_{day}": "on" for day in range(7)}
    assert "never be open" in browser(boss).post(SETUP, filled_in(**closed)).text
    assert browser(boss).post(SETUP, filled_in(tables="400 × 2, 400 × 4")).status_code == 422
    assert not Space.objects.exists()


def test_all_or_nothing_when_a_mailbox_has_had_enough(boss, settings):
    settings.TRIES = {**settings.TRIES, "letter": {"login": 0}}
    answer = browser(boss).post(SETUP, filled_in())
    assert answer.status_code == 429
    assert "Bistro Nord" in answer.text
    assert not Space.objects.exists()


def test_a_zone_tells_its_country():
    assert [country_of(zone) for zone in ("Europe/Moscow", "Asia/Calcutta", "UTC")] == [
        "RU",
        "IN",
        "",
    ]


def test_a_superuser_finds_the_page_among_the_spaces(boss):
    assert SETUP in browser(boss).get("/staff/").text
    StaffRoleFactory.create(user=UserFactory.create(username="eve"), role="MANAGER")
    assert SETUP not in browser(User.objects.get(username="eve")).get("/staff/", follow=True).text


def test_an_invitation_of_the_set_up_opens_by_its_link(boss):
    browser(boss).post(SETUP, filled_in())
    invitation = Invitation.objects.get(role="MANAGER")
    link = f"/join/{invitations.key_of(invitation)}/"
    newcomer = Client()
    sent = {"username": "marat", "password1": PASSWORD}
    assert newcomer.post(link, sent)["Location"] == "/staff/bistro-nord/"
    assert newcomer.get("/staff/bistro-nord/people/").status_code == 200
