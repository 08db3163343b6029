"""Moving a booking: its own place first, and the usual wishes by one press."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from bookings.tests.acts import book, hours
from bookings.words.words import day
from spaces.factories import PolicyFactory, open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

BUTTON = re.compile(r'<button class="button soft small">([^<]+)</button>')
CARD = re.compile(r"<h3>(?:<svg.*?</svg>)?([^<]+)</h3>")


@pytest.fixture
def hall(db):
    """Forty desks."""
    return open_space(slug="hall", name="Hall", places=40)


@pytest.fixture
def thirtieth(hall):
    return hall.places.get(number=30)


@pytest.fixture
def mine(thirtieth, alice, soon):
    """From 10 to 12."""
    return book(thirtieth, alice, soon - hours(24), soon)


def moving(client, booking, **query):
    client.force_login(booking.member)
    return client.get("/spaces/hall/", {"move": booking.code, **query})


def pressed(client, page, words):
    """Press one of the usual moves."""
    form = page.text[: page.text.index(f">{words}</button>")].rpartition("<form")[2]
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    action = re.search(r'action="([^"]+)"', form)[1]
    return client.post(action, {name: unescape(value) for name, value in fields.items()})


def words_of(at):
    return day(at.date(), datetime.now(UTC).date())


def words(page):
    return [unescape(text).replace("\N{NO-BREAK SPACE}", " ") for text in BUTTON.findall(page.text)]


def test_the_day_after_at_the_same_time_is_one_press(client, mine, soon):
    page = moving(client, mine)
    [later, longer, shorter] = words(page)
    assert later.endswith(f"{words_of(soon + timedelta(days=1))}, 10:00–12:00")
    assert (longer, shorter) == ("1 hour longer: 10:00–13:00", "1 hour shorter: 10:00–11:00")
    answer = pressed(client, page, BUTTON.findall(page.text)[0])
    assert answer["Location"].endswith("?moved=1")
    mine.refresh_from_db()
    assert (mine.starts_at, mine.ends_at) == (soon + hours(24), soon + hours(26))


@pytest.mark.parametrize(("number", "until"), [(1, 13), (2, 11)])
def test_an_hour_more_or_less(client, mine, soon, number, until):
    page = moving(client, mine)
    pressed(client, page, BUTTON.findall(page.text)[number])
    mine.refresh_from_db()
    assert mine.ends_at == soon.replace(hour=until)


def test_it_is_called_tomorrow_when_it_is(client, thirtieth, alice, clock):
    clock.now = clock.now.replace(hour=9, minute=0, second=0)
    mine = book(thirtieth, alice, clock.now, clock.now.replace(hour=12))
    assert words(moving(client, mine))[0] == "Tomorrow, 12:00–14:00"


def test_what_is_taken_or_not_allowed_has_no_button(client, mine, hall, bob, soon):
    book(mine.place, bob, soon - hours(24), soon + hours(24))
    book(mine.place, bob, soon - hours(24), soon + hours(2))
    assert words(moving(client, mine)) == ["1 hour shorter: 10:00–11:00"]
    PolicyFactory.create(space=hall, min_minutes=120)
    assert words(moving(client, mine)) == []


def test_a_longer_step_is_a_longer_wish(client, mine, hall):
    PolicyFactory.create(space=hall, step_minutes=90)
    found = words(moving(client, mine))
    assert not any("1 hour" in each for each in found)


def test_the_own_place_is_first_among_forty(client, mine, soon):
    times = {"from": "10:00", "to": "12:00"}
    page = moving(client, mine, date=f"{soon + timedelta(days=1):%Y-%m-%d}", **times)
    assert CARD.findall(page.text)[0] == "Desk 30"
    page = moving(client, mine, date=f"{soon:%Y-%m-%d}", sort="number")
    assert CARD.findall(page.text)[0] == "Desk 30"


def test_or_the_page_says_why_not(client, mine, bob, soon):
    book(mine.place, bob, soon - hours(24), soon + hours(5))
    query = {"date": f"{soon:%Y-%m-%d}", "from": "15:00", "to": "17:00"}
    page = moving(client, mine, **query)
    assert "Desk 30 is taken at that time." in re.sub("<[^>]+>", "", page.text)
    assert CARD.findall(page.text)[0] == "Desk 1"


def test_each_button_says_where_to(client, mine, soon):
    same_day = moving(client, mine, **{"date": f"{soon:%Y-%m-%d}", "from": "15:00", "to": "17:00"})
    assert 'Move to <span class="time">15:00–17:00</span>' in same_day.text
    later = soon + timedelta(days=1)
    page = moving(client, mine, **{"date": f"{later:%Y-%m-%d}", "from": "15:00", "to": "17:00"})
    assert f'Move to <span class="time">{words_of(later)}, 15:00–17:00</span>' in page.text


def test_nobody_else_gets_buttons_and_a_board_without_a_move_has_none(client, mine, bob):
    client.force_login(bob)
    assert client.get("/spaces/hall/", {"move": mine.code}).status_code == 404
    assert words(client.get("/spaces/hall/")) == []
