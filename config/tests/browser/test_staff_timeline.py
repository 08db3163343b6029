"""The staff's timeline in a browser: bookings move by pointer, by finger and by key."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from bookings.models import Booking
from bookings.tests.acts import book, hours
from config.tests.browser.hands import block, drag
from config.tests.browser.inspection import NARROW, misfits
from config.tests.browser.person import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NOW = datetime.now(UTC)
NOON = NOW.replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
PATH = f"/staff/loft/timeline/?date={NOON:%Y-%m-%d}"


@pytest.fixture
def rossi(desk, host):
    return book(desk, None, NOW, starts_at=NOON, by=host, guest_name="Rossi")


@pytest.fixture
def waiter(person, host, rossi):
    def come(*args):
        someone = person(*args)
        someone.sign_in(host)
        someone.open(PATH)
        return someone

    return come


def where(booking):
    """Return the booking's place, and its first and last hour."""
    found = Booking.objects.with_place().get(pk=booking.pk)
    return str(found.place), found.starts_at.hour, found.ends_at.hour


def expect_told(someone, words):
    expect(someone.page.locator("#staff-timeline .alert")).to_contain_text(words)


def test_by_mouse_to_another_place_and_time_and_to_a_later_end(waiter, rossi):
    someone = waiter(DESKTOP)
    drag(someone, rossi, rows=1, quarters=4)
    expect_told(someone, "Rossi, Desk 2")
    assert where(rossi) == ("Desk 2", 13, 15)
    expect(block(someone, rossi)).to_be_focused()
    rossi.refresh_from_db()
    drag(someone, rossi, quarters=4, by_end=True)
    expect_told(someone, "13:00–16:00")
    assert where(rossi) == ("Desk 2", 13, 16)


def test_what_is_refused_goes_back_and_one_press_puts_it_elsewhere(waiter, rossi, space, bob):
    book(space.places.get(number=2), bob, NOW, starts_at=NOON)
    someone = waiter(DESKTOP)
    before = block(someone, rossi).bounding_box()
    drag(someone, rossi, rows=1)
    expect_told(someone, "Someone has Desk 2")
    expect_told(someone, "bob")
    assert where(rossi) == ("Desk 1", 12, 14)
    assert block(someone, rossi).bounding_box()["x"] == before["x"]
    assert [each.split()[0] for each in someone.troubles] == ["409"]
    someone.troubles.clear()
    with someone.page.expect_navigation():
        someone.page.get_by_role("button", name="Desk 3, 12:00–14:00").click()
    assert where(rossi) == ("Desk 3", 12, 14)


def test_by_keyboard_with_every_step_announced(waiter, rossi):
    someone = waiter(DESKTOP)
    said = someone.page.locator("#timeline-said")
    block(someone, rossi).focus()
    for key, words in (
        ("ArrowRight", "Desk 1, 13:00–15:00"),
        ("ArrowDown", "Desk 2, 13:00–15:00"),
        ("Shift+ArrowRight", "Desk 2, 13:00–16:00"),
    ):
        someone.page.keyboard.press(key)
        expect(said).to_have_text(words)
    someone.page.keyboard.press("Escape")
    expect(said).to_have_text("Put back.")
    assert where(rossi) == ("Desk 1", 12, 14)
    for key in ("ArrowDown", "ArrowLeft", "Enter"):
        someone.page.keyboard.press(key)
    expect_told(someone, "Rossi, Desk 2")
    assert where(rossi) == ("Desk 2", 11, 13)
    # Without a move, Enter opens the form.
    with someone.page.expect_navigation():
        someone.page.keyboard.press("Enter")
    assert someone.path == f"/staff/loft/bookings/{rossi.code}/"


def test_on_a_phone_names_stay_and_a_finger_that_holds_lifts(waiter, rossi):
    someone = waiter(PHONE)
    page = someone.page
    name = page.locator("tbody th").first
    held = block(someone, rossi)
    held.scroll_into_view_if_needed()
    assert name.bounding_box()["x"] == 0
    assert misfits(page, NARROW) == []
    drag(someone, rossi, rows=1)
    expect_told(someone, "Rossi, Desk 2")
    assert where(rossi) == ("Desk 2", 12, 14)


def test_without_scripts_a_block_leads_to_the_form(person, host, rossi):
    someone = person(DESKTOP, scripts=False)
    someone.sign_in(host)
    someone.open(PATH)
    block(someone, rossi).click()
    assert someone.path == f"/staff/loft/bookings/{rossi.code}/"
    someone.fill(starts="15:00", ends="17:00")
    someone.press("main form .button.primary")
    assert where(rossi) == ("Desk 1", 15, 17)
    assert rossi.starts_at + hours(3) == Booking.objects.get().starts_at
