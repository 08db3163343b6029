"""A guest who becomes a member finds the bookings made with that address."""

from datetime import timedelta

import pytest

from accounts import emails
from accounts.factories import UserFactory
from bookings.deciding import links, services
from bookings.deciding.invariants import violations
from bookings.deciding.leaving import leave
from bookings.deciding.queueing import decide_next
from bookings.deciding.wish import Wish
from bookings.guests import Guest
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, book, hours
from spaces.factories import PolicyFactory, open_space

pytestmark = pytest.mark.django_db

ANNA = {"guest_name": "Anna", "guest_contact": "Anna@Example.org"}


@pytest.fixture
def anna(db):
    """Signed up, and hasn't followed the link in the mail."""
    return UserFactory.create(username="anna", email="anna@example.org", email_confirmed_at=None)


def confirm(user, now):
    assert emails.confirm(user, user.email, now=now)
    assert list(violations(now=now)) == []
    return list(Booking.objects.of(user).order_by("starts_at"))


def visit(desk, host, now, starts_at=TEN, **said):
    return book(desk, None, now, starts_at, by=host, **ANNA | said)


def test_whoever_confirms_an_address_finds_the_guests_bookings(desk, host, anna, now):
    mine = visit(desk, host, now, request_key="guest:1")
    link = links.link_of(mine, now=now)
    others = visit(desk, host, now, TEN + hours(3), guest_contact="b@example.org")

    assert confirm(anna, now) == [mine]
    mine.refresh_from_db()
    assert (mine.guest_name, mine.guest_contact, mine.request_key) == ("", "", None)
    assert mine.guest == Guest.objects.get(email="anna@example.org")
    event = mine.events.latest("sequence")
    assert (event.kind, event.actor) == ("AMENDED", anna)
    assert links.find(links.token_of(link), now=now) is None
    assert Booking.objects.get(pk=others.pk).member is None


def test_in_every_space_and_what_is_over_too(desk, host, anna, now):
    boss = UserFactory.create(is_superuser=True)
    other = open_space(slug="bar", places=1).places.get()
    past = visit(desk, host, now)
    there = visit(other, boss, now, TEN + timedelta(days=1))
    later = TEN + hours(3)
    services.complete_past(now=later)

    assert confirm(anna, later) == [past, there]
    assert past.events.count() == 2


def test_once_only(desk, host, anna, now):
    mine = visit(desk, host, now)
    confirm(anna, now)
    confirm(anna, now)

    assert mine.events.count() == 2


def test_an_address_that_is_not_confirmed_finds_nothing(desk, host, anna, now):
    visit(desk, host, now)
    assert not Booking.objects.of(anna).exists()


def test_quotas_keep_holding(space, desk, host, anna, now):
    PolicyFactory.create(space=space, max_upcoming=2)
    own = book(desk, anna, now, TEN + hours(9))
    first, second = (visit(desk, host, now, TEN + hours(n)) for n in (0, 3))
    link = links.link_of(second, now=now)

    assert confirm(anna, now) == [first, own]
    assert links.find(links.token_of(link), now=now) == second


def test_another_contact_of_the_same_guest_is_not_enough(desk, host, anna, now):
    """A phone may be shared; only the address that was confirmed counts."""
    visit(desk, host, now, guest_contact="+44 20 7946 0018, anna@example.org")
    shared = visit(desk, host, now, TEN + hours(3), guest_contact="+44 20 7946 0018")

    assert len(confirm(anna, now)) == 1
    assert Booking.objects.get(pk=shared.pk).member is None


def test_what_is_undecided_stays_a_guests(desk, host, anna, now):
    wish = Wish(place=desk, member=None, starts_at=TEN, ends_at=TEN + hours(1), **ANNA)
    services.request(wish, by=host, now=now)

    assert confirm(anna, now) == []
    decide_next(now=now)
    assert confirm(anna, now) == [Booking.objects.get()]


def test_a_person_who_leaves_is_forgotten_as_a_guest_too(desk, host, anna, now):
    booking = visit(desk, host, now)
    confirm(anna, now)
    leave(anna, by=anna, now=now)

    assert not Guest.objects.exists()
    booking.refresh_from_db()
    assert (booking.state, booking.guest) == (State.CANCELLED, None)
    assert list(violations(now=now)) == []
