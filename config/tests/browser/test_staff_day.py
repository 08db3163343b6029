"""The staff's day in a browser: stays up to date, is worked by finger and by key, and prints."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import User
from bookings.deciding import visits
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book
from config.tests.browser.inspection import NARROW, WIDE, misfits, violations
from config.tests.browser.person import DESKTOP, PHONE
from config.tests.clock import Clock
from config.tests.processes import wait_for
from spaces.factories import PlaceFactory
from spaces.models import Space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DAY = "/staff/loft/"
NOON = datetime(2026, 11, 25, 12, 5, tzinfo=UTC)
EARLIER = NOON - timedelta(days=1)
#: The names of which a part can't be seen.
WHOLE = """names => names.filter((each) => {
  const row = each.closest(".visit");
  return !each.checkVisibility() || row.scrollWidth > row.clientWidth;
}).map((each) => each.textContent)"""
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
    """A restaurant with a party that is due, one that comes at two, and one at eight."""
    Space.objects.update(kind="RESTAURANT")
    space.places.update(kind="TABLE", capacity=4)
    made = {}
    for number, (name, hour) in enumerate({"Rossi": 12, "Bianchi": 14, "Verdi": 20}.items(), 1):
        made[name] = party(space, host, number, name, hour)
    return made


def party(space, host, number, name, hour, **kwargs):
    place = space.places.get(number=number)
    starts_at = NOON.replace(hour=hour, minute=0)
    kwargs = {"party_size": 2, "guest_contact": "+39 06 6982", **kwargs}
    return book(place, None, EARLIER, starts_at, 1, by=host, guest_name=name, **kwargs)


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


def is_on_screen(someone, locator):
    box = locator.bounding_box()
    return (
        box["y"] >= 0
        and box["y"] + box["height"] <= someone.page.viewport_size["height"]
        and (box["x"] >= 0 and box["x"] + box["width"] <= someone.page.viewport_size["width"])
    )


@pytest.mark.parametrize("device", [PHONE, DESKTOP])
def test_who_comes_at_two_is_one_press_from_home_and_no_scroll(waiter, evening, device):
    someone = waiter(device, path="/")
    someone.follow(reverse("staff"))
    someone.expect_path(DAY)
    for part in (".time", ".name", ".people", ".place-name"):
        assert is_on_screen(someone, row(someone, "Bianchi").locator(part))
    assert someone.page.evaluate("scrollX + scrollY") == 0


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ru", "dark")])
def test_the_day_suits_everyone(waiter, evening, space, host, language, scheme, clock):
    User.objects.update(language=language)
    visits.arrive(evening["Rossi"], by=host, now=clock.now)
    party(space, host, 2, "Ло Прести-Джованнини-Кастельфранко", 19, note="a " * 100)
    someone = waiter(DESKTOP, language)
    for path in (DAY, f"{DAY}?date=2026-11-26", f"{DAY}?q=rossi", f"{DAY}?q=nobody"):
        someone.open(path)
        for size in (WIDE, NARROW):
            assert misfits(someone.page, size) == [], path
            assert violations(someone.page, size, scheme) == [], path
    someone.open(f"{DAY}bookings/{evening['Verdi'].code}/cancel/")
    assert violations(someone.page, NARROW, scheme) == []


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


def test_forty_bookings_print_on_one_sheet(waiter, space, host, clock):
    Space.objects.update(kind="RESTAURANT")
    places = PlaceFactory.create_batch(10, space=space, kind="TABLE", capacity=4)
    names = []
    for n in range(40):
        names.append(f"Alessandra Montefeltro-Castelbianco {n}")
        note = "nut allergy, by the window" if n % 4 == 0 else ""
        party(space, host, places[n % 10].number, names[-1], 13 + n // 10 * 2, note=note)
    someone = waiter()
    document = someone.page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", document)) == 1
    someone.page.emulate_media(media="print")
    someone.page.set_viewport_size({"width": 718, "height": 1046})
    shown = someone.page.locator(".name")
    assert shown.all_inner_texts() == names
    assert shown.evaluate_all(WHOLE) == []
    for hidden in (".top", ".staff-links", ".verbs >> nth=0", ".finder", "#toast"):
        expect(someone.page.locator(hidden)).to_be_hidden()
