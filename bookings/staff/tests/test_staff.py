"""Where the staff's pages begin, and who finds them."""

import pytest
from django.test import Client

from accounts.factories import StaffRoleFactory, UserFactory
from bookings.staff.tests.acts import DAY, browser
from spaces.factories import open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_whoever_runs_one_space_is_led_to_it(host):
    answer = browser(host).get("/staff/")
    assert (answer.status_code, answer["Location"]) == (302, DAY)


def test_whoever_runs_several_begins_where_they_were_last(host):
    StaffRoleFactory.create(user=host, space=open_space(slug="attic", name="Attic"))
    client = browser(host)
    assert client.get("/staff/")["Location"] == "/staff/attic/"
    client.get(DAY)
    assert client.get("/staff/")["Location"] == DAY
    page = client.get("/staff/?all=1").text
    assert page.index('href="/staff/attic/"') < page.index(f'href="{DAY}"')


def test_a_space_that_is_not_theirs_any_more_is_forgotten(host):
    attic = StaffRoleFactory.create(user=host, space=open_space(slug="attic", name="Attic"))
    client = browser(host)
    client.get("/staff/attic/")
    attic.delete()
    assert client.get("/staff/")["Location"] == DAY


def test_a_member_has_nothing_to_do_here(alice, space):
    assert browser(alice).get("/staff/").status_code == 403


def test_a_visitor_signs_in_first(space):
    assert Client().get(DAY)["Location"] == f"/accounts/login/?next={DAY}"


def test_only_its_own_staff_find_a_space(alice, host, manager, space):
    stranger = StaffRoleFactory.create(user__username="stranger", role="MANAGER").user
    boss = UserFactory.create(username="boss", is_superuser=True)
    people = {"member": alice, "stranger": stranger, "host": host, "manager": manager, "boss": boss}
    found = {who: browser(person).get(DAY).status_code for who, person in people.items()}
    assert found == {"member": 404, "stranger": 404, "host": 200, "manager": 200, "boss": 200}
    assert browser(boss).get("/staff/nowhere/").status_code == 404


def test_the_main_links_lead_here_for_staff_alone(alice, host, space):
    assert 'href="/staff/"' in browser(host).get("/").text
    assert 'href="/staff/"' not in browser(alice).get("/").text
