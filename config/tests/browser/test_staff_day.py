"""The staff's day in a browser: stays up to date, is worked by finger and by key.

See test_staff_work.py for the whole evening, and how it prints.
"""

from math import inf

import pytest
from playwright.sync_api import expect

from accounts import flags
from accounts.flags import Flag
from bookings.models import Booking, BookingEvent
from bookings.states import State
from config.tests.browser.evening import DAY, NOON, of, party
from config.tests.browser.person import PHONE
from config.tests.clock import Clock
from config.tests.processes import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: Whether the browser has kept a day for this sign-in; the window may have one of an earlier test.
HAS_COPY = """async (day) => {
  const days = await caches.open("mesto-days");
  const whose = await (await days.match("/staff/worker.js?whose"))?.text();
  const mine = document.getElementById("day").dataset.signIn;
  return whose === mine && Boolean(await days.match(day, {ignoreVary: true}));
}"""


@pytest.fixture
def clock(monkeypatch):
    found = Clock(NOON)
    found.stop(monkeypatch)
    return found


@pytest.fixture
def evening(space, clock, host):
    return of(space, host, ("Rossi", "Bianchi", "Verdi"))


@pytest.fixture
def waiter(person, host):
    def come(*args, path=DAY, **kwargs):
        someone = person(*args, **kwargs)
        someone.sign_in(host)
        someone.open(path)
        return someone

    return come


def row(someone, name):
    return someone.page.locator(".visit", has=someone.page.locator(f'.name:text-is("{name}")'))


def test_an_open_day_stops_asking_when_that_is_switched_off(waiter, evening):
    someone = waiter()
    someone.page.evaluate("window.before = document.getElementById('day')")
    flags.remembered.keep({Flag.LIVE_BOARD: False}, until=inf)
    expect(someone.page.locator("#day")).to_have_attribute("hx-trigger", "none")
    # What isn't in the page asks no more.
    assert not someone.page.evaluate("window.before.isConnected")
    assert someone.page.locator(".visit").count() == 3


def test_an_open_day_changes_by_itself_and_disturbs_nobody(waiter, evening, space, host, clock):
    someone = waiter()
    someone.page.locator("#q").fill("Bian")
    folded = someone.page.locator("#g-due")
    folded.locator("> summary").click()
    someone.page.locator("#q").focus()
    party(space, host, 2, "Neri", 13)
    expect(row(someone, "Neri")).to_be_visible()
    expect(someone.page.locator("#announcement")).to_contain_text("13:00 Neri")
    assert folded.get_attribute("open") is None
    expect(someone.page.locator("#q")).to_be_focused()
    expect(someone.page.locator("#q")).to_have_value("Bian")


def test_one_tap_and_another_takes_it_back(waiter, evening):
    someone = waiter(PHONE)
    row(someone, "Rossi").get_by_role("button", name="Arrived").tap()
    toast = someone.page.locator("#toast")
    expect(toast).to_contain_text("Arrived: Rossi.")
    expect(someone.page.locator("#g-here")).to_contain_text("Rossi")
    assert Booking.objects.get(guest_name="Rossi").state == State.CHECKED_IN
    toast.get_by_role("button", name="Undo").tap()
    expect(toast).to_contain_text("Taken back: Rossi.")
    expect(someone.page.locator("#g-due")).to_contain_text("Rossi")
    assert Booking.objects.get(guest_name="Rossi").state == State.CONFIRMED


def test_presses_during_a_slow_one_wait_and_do_what_they_say(waiter, evening, space, host):
    party(space, host, 2, "Neri", 12)
    party(space, host, 3, "Russo", 12)
    someone = waiter()
    held = []
    someone.page.route(
        "**/visits/", lambda route: route.continue_() if held else held.append(route), times=2
    )
    for name in ("Rossi", "Neri", "Russo"):
        row(someone, name).get_by_role("button", name="Arrived").click()
        someone.page.wait_for_timeout(700)  # sooner, it would be a second press of the same finger
    row(someone, "Russo").get_by_role("button", name="Seated").click()
    held[0].continue_()
    expect(someone.page.locator("#toast")).to_contain_text("Seated: Russo.")
    events = BookingEvent.objects.exclude(kind="CONFIRMED").order_by("at", "pk")
    assert [(event.booking.guest_name, event.kind) for event in events] == [
        ("Rossi", "CHECKED_IN"),
        ("Neri", "CHECKED_IN"),
        ("Russo", "CHECKED_IN"),
        ("Russo", "SEATED"),
    ]


def test_a_tap_without_a_connection_says_so(waiter, evening):
    someone = waiter()
    someone.page.context.set_offline(True)
    try:
        row(someone, "Rossi").get_by_role("button", name="Arrived").click()
        expect(someone.page.locator("#toast")).to_contain_text("nothing has changed")
        expect(row(someone, "Rossi")).to_be_visible()
    finally:
        someone.page.context.set_offline(False)
    assert Booking.objects.get(guest_name="Rossi").state == State.CONFIRMED
    row(someone, "Rossi").get_by_role("button", name="Arrived").click()
    expect(someone.page.locator("#toast")).to_contain_text("Arrived: Rossi.")
    someone.troubles.clear()  # that there was no connection


def test_the_same_by_key(waiter, evening):
    someone = waiter()
    keys = someone.page.keyboard
    keys.press("j")
    expect(row(someone, "Rossi")).to_be_focused()
    keys.press("a")
    expect(someone.page.locator("#toast")).to_contain_text("Arrived: Rossi.")
    expect(row(someone, "Rossi")).to_be_focused()
    someone.page.wait_for_timeout(700)  # a second press of the same finger does nothing
    keys.press("l")
    expect(someone.page.locator("#toast")).to_contain_text("Left: Rossi.")
    assert Booking.objects.get(guest_name="Rossi").state == State.COMPLETED
    keys.press("u")
    expect(someone.page.locator("#toast")).to_contain_text("Taken back: Rossi.")
    keys.press("/")
    expect(someone.page.locator("#q")).to_be_focused()
    keys.type("?a")  # is text here
    expect(someone.page.locator("#q")).to_have_value("?a")
    someone.page.locator("h1").click()
    keys.press("?")
    dialog = someone.page.locator("#shortcuts")
    expect(dialog).to_be_visible()
    dialog.get_by_role("checkbox").uncheck()
    keys.press("Escape")
    keys.press("/")
    expect(someone.page.locator("#q")).not_to_be_focused()


def test_without_javascript_everything_works(waiter, evening):
    someone = waiter(PHONE, scripts=False)
    with someone.page.expect_navigation():
        row(someone, "Rossi").get_by_role("button", name="Arrived").tap()
    expect(someone.page.locator("#toast")).to_contain_text("Arrived: Rossi.")
    with someone.page.expect_navigation():
        someone.page.get_by_role("button", name="Undo").tap()
    expect(someone.page.locator("#g-due")).to_contain_text("Rossi")


def test_the_day_can_be_read_without_a_connection_until_the_sign_out(waiter, evening):
    someone = waiter()
    page = someone.page
    wait_for(lambda: page.evaluate(HAS_COPY, DAY))
    page.context.set_offline(True)
    try:
        page.reload()
        expect(row(someone, "Rossi")).to_be_visible()
        expect(page.locator("#offline")).to_contain_text("Offline, as of 12:05")
    finally:
        page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    someone.troubles.clear()  # that there was no connection
    page.get_by_role("button", name="Sign out").click()
    someone.expect_path("/")
    wait_for(lambda: not page.evaluate("caches.has('mesto-days')"))
