"""A page with nothing left to do says what to do next."""

import ast
import re
from datetime import time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import bookings
from bookings.deciding import services
from bookings.models import Booking
from bookings.states import MET, OCCUPYING, State
from bookings.tests.acts import book, hours
from bookings.words.local_time import read_instant

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


@pytest.fixture
def upcoming(desk, alice, soon):
    return book(desk, alice, soon - hours(24), soon)


def links(page):
    """Return the ticket's links, by their text."""
    ticket = page.text.partition("<article")[2].partition("</article>")[0]
    found = re.findall(r'<a class="button[^"]*" href="([^"]*)"[^>]*>([^<]*)<', ticket)
    return {words: url.replace("&amp;", "&") for url, words in found}


def picked(board):
    """Return the place's code, start and end of the offer that a board shows first."""
    (card,) = re.findall(r'<li class="place card picked".*?</li>\n', board.text, re.DOTALL)
    named = dict(re.findall(r'name="(\w+)" value="([^"]*)"', card))
    return named["place"], *(
        read_instant(named[name], ZoneInfo("UTC")) for name in ("starts_at", "ends_at")
    )


class TestCancelled:
    def test_the_headline_says_so_and_has_the_focus(self, member, upcoming):
        page = member.post(f"{upcoming.get_absolute_url()}cancel/", follow=True)
        assert re.search(r'<h1 id="what" tabindex="-1" autofocus>Cancelled: Desk 1</h1>', page.text)
        assert "The place is free for others again." in page.text
        later = member.get(upcoming.get_absolute_url()).text
        assert "autofocus" not in later
        assert "Cancelled: " not in later

    def test_it_is_booked_again_with_two_clicks(self, member, upcoming, desk, soon):
        page = member.post(f"{upcoming.get_absolute_url()}cancel/", follow=True)
        board = member.get(links(page)["Book it again"])
        assert picked(board) == (str(desk.code), upcoming.starts_at, upcoming.ends_at)

    def test_another_time_is_searched_on_the_same_day(self, member, upcoming, soon):
        services.cancel(upcoming, by=upcoming.member, now=soon - hours(20))
        page = member.get(upcoming.get_absolute_url())
        board = member.get(links(page)["Find another time"])
        assert re.search(f'name="date"[^>]* value="{soon.date()}"', board.text)

    def test_a_past_booking_is_booked_again_on_a_future_day(self, member, desk, alice, soon):
        long_ago = soon - timedelta(days=30)
        past = book(desk, alice, long_ago - hours(24), long_ago)
        Booking.objects.update(state=State.COMPLETED)
        board = member.get(links(member.get(past.get_absolute_url()))["Book it again"])
        place, starts_at, _ends_at = picked(board)
        assert place == str(desk.code)
        assert starts_at.time() == long_ago.time()


@pytest.mark.parametrize("setup", ["open", "withdrawn", "hidden"])
@pytest.mark.parametrize("when", ["past", "to come"])
def test_no_state_is_a_dead_end(member, space, desk, alice, soon, setup, when, subtests):
    """The ticket has links, and each leads to an existing page."""
    at = soon if when == "to come" else soon - timedelta(days=30)
    made = book(desk, alice, at - hours(24), at)
    if setup == "withdrawn":
        space.places.update(is_bookable=False)
    if setup == "hidden":
        space.is_active = False
        space.save()
    seen = set()
    for state in State:
        Booking.objects.update(state=state, checked_in_at=soon, hold_expires_at=soon)
        with subtests.test(state.value):
            offered = links(member.get(made.get_absolute_url()))
            assert ("Book it again" in offered) <= (setup == "open")
            if not (state in OCCUPYING and when == "past"):  # about to be completed
                assert offered
            for url in {*offered.values()} - seen:
                assert member.get(url).status_code == 200
                if str(made.code) not in url:  # so it isn't about the booking and its state
                    seen.add(url)


def test_the_dialog_that_asks_has_its_focus_on_keeping(member, upcoming):
    page = member.get(upcoming.get_absolute_url()).text
    dialog = page.partition("<dialog")[2].partition("</dialog>")[0]
    assert re.findall(r"<button[^>]*autofocus[^>]*>([^<]*)<", dialog) == ["Keep it"]


class TestAnotherTime:
    """The form below a refusal: a day and two times, on a 24-hour clock."""

    def test_it_shows_what_was_refused_and_books_what_is_typed(self, member, desk, bob, soon):
        book(desk, bob, soon - hours(24), soon)
        sent = {"place": desk.code, "party_size": "1", "note": "By the window", "request_key": "k"}
        taken = {"starts_at": f"{soon:%Y-%m-%dT%H:%M}", "ends_at": f"{soon:%Y-%m-%d}T12:00"}
        page = member.post("/bookings/", sent | taken)
        assert page.status_code == 409
        asked = dict(re.findall(r' name="(day|from|to)" value="([^"]*)"', page.text))
        assert asked == {"day": f"{soon:%Y-%m-%d}", "from": "10:00", "to": "12:00"}
        again = {"from": "12:00", "to": "14:00", "request_key": "l"}
        ticket = member.post("/bookings/", sent | asked | again)
        assert ticket.status_code == 302
        made = Booking.objects.get(member__username="alice", state=State.CONFIRMED)
        assert (made.starts_at, made.ends_at) == (soon + hours(2), soon + hours(4))
        assert made.note == "By the window"

    def test_an_end_before_the_start_is_named(self, member, desk, soon):
        sent = {"place": desk.code, "day": f"{soon:%Y-%m-%d}", "from": "12:00", "to": "10:00"}
        page = member.post("/bookings/", sent)
        assert page.status_code == 422
        assert "The end must be later than the start." in page.text
        assert 'name="to" value="10:00"' in page.text

    def test_where_nights_are_open_it_is_the_following_night(self, member, desk, soon):
        desk.space.opening_hours.update(closes_at=time(2))
        sent = {"place": desk.code, "day": f"{soon:%Y-%m-%d}", "from": "22:00", "to": "1:00"}
        assert member.post("/bookings/", sent).status_code == 302
        assert Booking.objects.get().ends_at == soon + hours(15)

    @pytest.mark.parametrize("day", ["", "tomorrow", "2026-11-25T10:00", "\x00"])
    def test_what_is_no_day_is_refused(self, member, desk, day):
        sent = {"place": desk.code, "day": day, "from": "12:00"}
        assert member.post("/bookings/", sent).status_code == 422


class TestFilters:
    """Only states that are in use."""

    def test_of_the_history(self, member, upcoming):
        page = member.get("/bookings/history/").text
        field = re.search(r'<select name="state".*?</select>', page, re.DOTALL)[0]
        assert re.findall(r'value="(\w+)"', field) == [state.value for state in MET]

    def test_of_the_staffs_list(self, client, host):
        client.force_login(host)
        page = client.get("/admin/bookings/booking/").text
        assert sorted(re.findall(r"state=(\w+)", page)) == sorted(MET)

    def test_they_are_the_states_that_the_code_moves_to(self):
        """A new state that a service uses has to be offered too."""
        sources = [
            path
            for path in Path(bookings.__file__).parent.rglob("*.py")
            if "tests" not in path.parts and "migrations" not in path.parts
        ]
        targets = set()
        for path in sources:
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and _name(node.func) in CHANGERS:
                    targets |= set(map(_state, node.args))
                    targets |= {_state(k.value) for k in node.keywords if k.arg == "state"}
                if isinstance(node, ast.Assign):
                    targets |= _assigned(node)
        assert targets - {None} == {state.name for state in MET}


CHANGERS = {"move_to", "_become", "Booking", "booking", "claim"}


def _name(function):
    """Return what is called, as a function or as a method: `wish.booking`."""
    return getattr(function, "id", "") or getattr(function, "attr", "")


def _state(node):
    is_state = isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "State"
    return node.attr if is_state else None


def _assigned(node):
    """Return the states of `state = State.X` and `booking.pk, booking.state = None, State.X`."""
    target = node.targets[0]
    pairs = (
        zip(target.elts, getattr(node.value, "elts", ()), strict=False)
        if isinstance(target, ast.Tuple)
        else [(target, node.value)]
    )
    named = {"state", "booking.state"}
    return {_state(value) for name, value in pairs if ast.unparse(name) in named}
