"""Addresses that open something stay with their person: no other site learns them."""

from datetime import UTC, datetime, time, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from accounts.factories import StaffRoleFactory
from bookings.deciding import links
from bookings.finding.signed import check_in_url
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from notifications.tests.receiver import Answer, Receiver
from spaces.factories import PolicyFactory, open_space
from spaces.slots import floor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

A_PAGE = Answer(200, b"<!doctype html><title>Elsewhere</title>", {"Content-Type": "text/html"})


@pytest.fixture
def elsewhere():
    """Another site."""
    site = Receiver(host="localhost")
    site.answers(A_PAGE, to="/")
    yield site
    site.close()


@pytest.fixture
def addresses(db, alice):
    """A guest's link and the link in a member's reminder, to bookings that begin now."""
    space = open_space(slug="always", places=2, opens_at=time(0), closes_at=time(0))
    PolicyFactory.create(space=space, check_in_opens_minutes=30, step_minutes=15)
    now = datetime.now(UTC)
    begins = floor(now) + timedelta(minutes=15)
    one, two = space.places.by_number()
    host = StaffRoleFactory.create(space=space).user
    contact = {"guest_name": "Anna", "guest_contact": "anna@example.org"}
    guests = book(one, None, now - hours(24), begins, by=host, **contact)
    members = book(two, alice, now - hours(24), begins)
    link = links.path_of(links.link_of(guests, now=now))
    return {guests.pk: link, members.pk: urlsplit(check_in_url(members)).path}


def test_no_other_site_learns_them_and_their_forms_work(person, addresses, elsewhere):
    visitor = person()
    asked = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    for key, address in addresses.items():
        visitor.open(address)
        # Forms need the browser to say where they come from.
        visitor.press("main form button")
        expect(visitor.page.locator("h1, .chip.state").first).to_be_visible()
        assert Booking.objects.get(pk=key).state == State.CHECKED_IN
        assert all(url.startswith(visitor.url) for url in asked)
        visitor.open(address)
        visitor.page.evaluate(
            """(url) => {
              const link = document.createElement("a");
              link.href = url; link.id = "out"; link.textContent = "Elsewhere";
              document.querySelector("main").append(link);
            }""",
            elsewhere.url,
        )
        visitor.press("#out")
        expect(visitor.page).to_have_title("Elsewhere")
        asked.clear()
    came = [each for each in elsewhere.received if each.path == "/"]
    assert len(came) == len(addresses)
    assert [each.headers.get("referer") for each in came] == [None] * len(came)
