"""All pages in Russian, with one long word wherever people write, on a phone and in the dark.

They are usable by everyone, none scrolls sideways because of the words, even at 320 px with
everything unfolded, and none says anything in English. See test_pages.py for English.
"""

from datetime import time

import pytest

from accounts.models import User
from bookings.tests.acts import book, hours
from config.tests.browser import tours, tours_of_the_house, tours_of_webhooks
from config.tests.browser.inspection import NARROW, NARROWEST, foreign_words, misfits, violations
from spaces.factories import open_space
from spaces.models import Place, Space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: The other rules of axe look at what is the same in English, where test_pages.py asks them.
OF_COLOURS = ["color-contrast"]
#: Letters between which no program may break a line by itself.
WORD = "Ненасыщающийсядлинношеее"


def word(length):
    return (WORD * (length // len(WORD) + 1))[:length]


def longest(model, name):
    return word(model._meta.get_field(name).max_length)


@pytest.fixture(autouse=True)
def long_words(settings, space, alice, admin_user):
    settings.ROOT_URLCONF = "config.tests.browser.urls"
    settings.AXES_FAILURE_LIMIT = 2
    Space.objects.update(
        name=longest(Space, "name"), address=longest(Space, "address"), about=word(400)
    )
    for place in Place.objects.all():
        place.name = longest(Place, "name")
        place.capacity = 4
        place.features = ["MONITOR", "WINDOW"]
        place.save()
    User.objects.update(name=longest(User, "name"))
    space.refresh_from_db()


@pytest.fixture
def wide(alice, space, host, soon):
    """What members and guests write: a note and a name of maximum length."""
    at = soon + hours(24 * 4)
    common = {"by": host, "note": word(500)}
    guest = {"guest_name": word(150), "guest_contact": word(150)}
    book(space.places.get(number=1), alice, soon - hours(24), at, **common)
    book(space.places.get(number=2), None, soon - hours(24), at, **common, **guest)


@pytest.fixture
def narrow(person):
    """Tour the pages on narrow screens; return what is wrong, by page."""

    def go(visitor, tour):
        found = {}
        for name in tour:
            visitor.page.wait_for_load_state()
            wrong = [
                *misfits(visitor.page, NARROW),
                *violations(visitor.page, NARROW, "dark", only=OF_COLOURS),
                *foreign_words(visitor.page),
                *misfits(visitor.page, NARROWEST),
            ]
            visitor.page.set_viewport_size(NARROW)
            if wrong:
                found[name] = wrong
        return found

    return go


def test_what_visitors_see(person, narrow, space, alice, bob, soon):
    busy = open_space(slug="busy", name=word(100), places=1)
    book(busy.places.get(), bob, soon - hours(24), soon)
    visitor = person(language="ru")
    assert narrow(visitor, tours.of_a_visitor(visitor, space, busy, soon)) == {}


@pytest.mark.usefixtures("wide")
def test_what_members_see(person, narrow, space, alice, bob, host, soon):
    member = person(language="ru")
    member.sign_in(alice)
    assert narrow(member, tours.of_a_member(member, alice, bob, host, space, soon)) == {}


def test_what_a_new_member_sees(person, narrow, alice):
    member = person(language="ru")
    member.sign_in(alice)
    assert narrow(member, tours.of_a_new_member(member)) == {}


@pytest.mark.usefixtures("wide")
def test_what_the_staff_see(person, narrow, space, alice, host, admin_user, soon):
    boss = person(language="ru")
    boss.sign_in(admin_user)
    assert narrow(boss, tours.of_the_staff(boss, alice, host, space, soon)) == {}


@pytest.mark.usefixtures("wide")
def test_what_runs_the_day(person, narrow, space, alice, host, manager, soon):
    someone = person(language="ru")
    User.objects.filter(pk=manager.pk).update(name=longest(User, "name"))
    someone.sign_in(manager)
    tour = tours_of_the_house.of_the_house(someone, alice, host, space, soon)
    assert narrow(someone, tour) == {}


def test_what_guests_see(person, narrow, space, alice, soon):
    always = open_space(
        slug="always", name=word(100), places=2, opens_at=time(0), closes_at=time(0)
    )
    guest = person(language="ru")
    assert narrow(guest, tours_of_the_house.of_a_guest(guest, space, soon)) == {}
    assert narrow(guest, tours_of_the_house.of_who_arrives(guest, always, alice)) == {}


def test_webhook_pages(person, narrow, space, alice, admin_user, soon):
    boss = person(language="ru")
    boss.sign_in(admin_user)
    assert narrow(boss, tours_of_webhooks.of_webhooks(boss, alice, space, soon)) == {}
