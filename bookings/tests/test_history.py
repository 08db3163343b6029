"""The pages of a member's history: each booking on one of them, whichever way they are turned."""

import random
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import pairwise

import pytest

from bookings.finding import history
from bookings.finding.history import PAGE, Position
from bookings.models import Booking
from bookings.tests.acts import book, hours, write_booked
from spaces.codes import new_code
from spaces.factories import open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

#: The clocks that are furthest apart, one that changes by half an hour, and two ordinary ones.
ZONES = ["Pacific/Kiritimati", "Pacific/Niue", "Australia/Lord_Howe", "Europe/Berlin", "UTC"]
LINK = re.compile(r'href="(\?[^"]*\b(older|newer)=[^"]*)"')


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def everywhere(db):
    return [
        open_space(places=1, slug=f"s{n}", time_zone=zone).places.get()
        for n, zone in enumerate(ZONES)
    ]


def many(places, member, *, seed, count=100, within=timedelta(days=20)):
    """Write bookings at random times, several at the same time, around a change of the clocks."""
    chance = random.Random(seed)
    first = datetime(2026, 10, 16, tzinfo=UTC)
    quarters = within // timedelta(minutes=15)
    return Booking.objects.bulk_create(
        Booking(
            code=new_code(),
            place=chance.choice(places),
            member=member,
            starts_at=(at := first + chance.randrange(quarters) * timedelta(minutes=15)),
            ends_at=at + hours(1),
            state="CANCELLED",
            created_at=first,
            decided_at=first,
        )
        for _ in range(count)
    )


def in_order():
    everything = Booking.objects.with_place()
    return sorted(everything, key=lambda booking: Position.of(booking), reverse=True)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("within", [timedelta(hours=6), timedelta(days=3), timedelta(days=300)])
def test_the_pages_are_the_whole_list_in_the_order_of_the_clocks(everywhere, alice, seed, within):
    many(everywhere, alice, seed=seed, within=within)
    rows, expected = Booking.objects.of(alice).with_place(), in_order()
    pages = [history.older(rows, None)]
    while pages[-1].older:
        pages.append(history.older(rows, Position.read(pages[-1].older)))
    assert [booking for page in pages for booking in page.bookings] == expected
    assert [len(page.bookings) for page in pages] == [PAGE, PAGE, PAGE, 100 - 3 * PAGE]
    for before, page in reversed(list(pairwise(pages))):
        assert history.newer(rows, Position.read(page.newer)).bookings == before.bookings


def test_the_links_lead_through_it_and_back(member, alice, everywhere):
    many(everywhere, alice, seed=1, count=PAGE + 2)
    expected = in_order()
    first = member.get("/bookings/history/?state=CANCELLED")
    [(older, _)] = LINK.findall(first.text)[:1]
    second = member.get("/bookings/history/" + unescape(older))
    assert second.context["page"].bookings == expected[PAGE:]
    assert "state=CANCELLED" in older
    [(newer, name)] = LINK.findall(second.text)
    assert name == "newer"
    assert "older=" not in newer
    assert (
        member.get("/bookings/history/" + unescape(newer)).context["page"].bookings
        == (expected[:PAGE])
    )


def test_a_new_booking_shifts_no_page(member, alice, desk, soon):
    times = [soon - timedelta(days=60 - n) for n in range(PAGE + 1)]
    oldest, *_ = write_booked([(desk, alice, at) for at in times], soon - timedelta(days=61))
    page = member.get("/bookings/history/").context["page"]
    book(desk, alice, soon - hours(24), soon)
    address = f"/bookings/history/?older={page.older}"
    assert member.get(address).context["page"].bookings == [oldest]
    fragment = member.get(address, headers={"HX-Request": "true"}).text
    assert fragment.count('class="row"') == 1
    assert "Load older" not in fragment


@pytest.mark.parametrize(
    "position",
    [
        "",
        "x",
        "20261125T1000",
        "20261125T1000_x",
        "00010101T0000_0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55",
        "99991231T2345_0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55",
        "20261125T1000_{0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55}",
        "２0261125T1000_0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55",
    ],
)
@pytest.mark.parametrize("side", ["older", "newer"])
def test_a_position_that_is_none_is_the_first_page(member, alice, desk, soon, side, position):
    mine = book(desk, alice, soon - hours(24), soon)
    page = member.get("/bookings/history/", {side: position}).context["page"]
    assert page.bookings == [mine]


@pytest.mark.parametrize("side", ["older", "newer"])
def test_beyond_the_ends_is_the_first_page(member, alice, desk, soon, side):
    mine = book(desk, alice, soon - hours(24), soon)
    at = soon - timedelta(days=9) if side == "older" else soon + timedelta(days=9)
    page = member.get("/bookings/history/", {side: f"{at:%Y%m%dT%H%M}_{mine.code}"})
    assert page.context["page"].bookings == [mine]
