"""All pages in English: usable by everyone on a wide screen in light colours, and none too wide.

See test_long_words.py for all of them in Russian, on a phone and in the dark.
"""

from datetime import time

import pytest

from accounts.factories import UserFactory
from bookings.tests.acts import book, hours
from config.tests.browser import tours, tours_of_the_house, tours_of_webhooks
from config.tests.browser.inspection import NARROWEST, WIDE, misfits, violations
from spaces.factories import open_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def site(settings, space):
    """Pages that break, a sign-in that soon locks, and places of all kinds."""
    settings.ROOT_URLCONF = "config.tests.browser.urls"
    settings.AXES_FAILURE_LIMIT = 2


@pytest.fixture
def always(db):
    return open_space(slug="always", name="Loft", places=2, opens_at=time(0), closes_at=time(0))


@pytest.fixture
def busy(bob, soon):
    space = open_space(slug="busy", name="Busy", places=1)
    book(space.places.get(), bob, soon - hours(24), soon)
    return space


def inspect(person, tour):
    """Return what is wrong, by page."""
    found = {}
    for name in tour:
        person.page.wait_for_load_state()
        wrong = [
            *misfits(person.page, WIDE),
            *violations(person.page, WIDE, "light"),
            *misfits(person.page, NARROWEST),
        ]
        person.page.set_viewport_size(WIDE)
        if wrong:
            found[name] = wrong
    return found


def test_what_visitors_see(person, space, busy, alice, soon):
    visitor = person()
    assert inspect(visitor, tours.of_a_visitor(visitor, space, busy, soon)) == {}


def test_what_a_new_member_sees(person, alice):
    member = person()
    member.sign_in(alice)
    assert inspect(member, tours.of_a_new_member(member)) == {}


def test_what_members_see(person, space, alice, bob, host, soon):
    member = person()
    member.sign_in(alice)
    tour = tours.of_a_member(member, alice, bob, host, space, soon)
    assert inspect(member, tour) == {}


def test_what_the_staff_see(person, space, alice, host, admin_user, soon):
    boss = person()
    boss.sign_in(admin_user)
    assert inspect(boss, tours.of_the_staff(boss, alice, host, space, soon)) == {}


def test_what_runs_the_day(person, space, alice, host, manager, soon):
    someone = person()
    someone.sign_in(manager)
    tour = tours_of_the_house.of_the_house(someone, alice, host, space, soon)
    assert inspect(someone, tour) == {}


def test_what_guests_see(person, space, always, alice, soon):
    guest = person()
    assert inspect(guest, tours_of_the_house.of_a_guest(guest, space, soon)) == {}
    assert inspect(guest, tours_of_the_house.of_who_arrives(guest, always, alice)) == {}
    boss = UserFactory.create(username="boss", is_superuser=True)
    assert inspect(guest, tours_of_the_house.of_who_waits(guest, always, boss)) == {}


def test_webhook_pages(person, space, alice, admin_user, soon):
    boss = person()
    boss.sign_in(admin_user)
    assert inspect(boss, tours_of_webhooks.of_webhooks(boss, alice, space, soon)) == {}


def test_a_page_of_a_site_that_is_down_reloads_by_itself(person):
    visitor = person()
    visitor.take_the_clock()
    visitor.open("/unreachable/")
    assert visitor.status == 503
    with visitor.page.expect_request("**/unreachable/"):
        visitor.page.clock.fast_forward("00:06")


SEND = """() => {
  const form = document.querySelector("main form[method=post]");
  form.action = "/unreachable/";
  form.replaceChildren(form.elements.csrfmiddlewaretoken);
  const key = Object.assign(document.createElement("input"), {name: "request_key", value: "once"});
  form.append(key);
  form.submit();
}"""


def test_a_booking_that_met_a_site_that_is_down_is_sent_again_by_itself(person):
    visitor = person()
    visitor.take_the_clock()
    visitor.open("/accounts/register/")
    with visitor.page.expect_navigation():
        visitor.page.evaluate(SEND)
    assert visitor.status == 503
    with visitor.page.expect_request("**/unreachable/") as asked:
        visitor.page.clock.fast_forward("00:06")
    assert asked.value.method == "POST"
    assert "request_key=once" in asked.value.post_data
