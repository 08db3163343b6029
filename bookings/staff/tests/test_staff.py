"""Where the staff's pages begin, and who finds them."""

import pytest

from accounts.factories import StaffRoleFactory
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


def test_the_main_links_lead_here_for_staff_alone(alice, host, space):
    assert 'href="/staff/"' in browser(host).get("/").text
    assert 'href="/staff/"' not in browser(alice).get("/").text
