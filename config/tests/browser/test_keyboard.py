"""Without a mouse: every step by Tab and Enter, with the focus always visible."""

import pytest
from playwright.sync_api import expect

from bookings.models import Booking
from bookings.tests.acts import book, hours

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

FOCUSED = """
() => {
  const here = document.activeElement;
  const ring = (element, part) => parseFloat(getComputedStyle(element, part).outlineWidth) > 0
    && getComputedStyle(element, part).outlineStyle !== "none";
  // Inside a control, such as the calendar of a date, the browser draws the ring.
  const is_inside = !here.matches(":focus");
  return [here.outerHTML.slice(0, 120), is_inside || ring(here) || ring(here, "::after")];
}
"""


@pytest.fixture
def typist(person, alice):
    someone = person()
    someone.sign_in(alice)
    return someone


def tab_to(someone, selector):
    """Press Tab until something has the focus; each stop on the way must show its focus."""
    for _ in range(80):
        someone.page.keyboard.press("Tab")
        stop, has_ring = someone.page.evaluate(FOCUSED)
        assert has_ring, stop
        if someone.page.locator(f"{selector}:focus").count():
            return
    pytest.fail(f"Tab never came to {selector}")


def press(someone, key):
    someone.page.keyboard.press(key)


def test_a_place_is_booked_by_tab_and_enter(typist, space):
    typist.open("/")
    tab_to(typist, f'a[href="{space.get_absolute_url()}"]')
    press(typist, "Enter")
    typist.expect_path(space.get_absolute_url())
    tab_to(typist, "#id_date")
    tab_to(typist, ".search form > button")
    tab_to(typist, ".offers .place button")
    press(typist, "Enter")
    typist.expect_path("/bookings/.*booked=1")
    heading = typist.page.locator("h1")
    expect(heading).to_be_focused()
    expect(heading).to_contain_text(str(Booking.objects.get().place))


def test_the_first_stop_skips_to_the_content(typist, space):
    typist.open(space.get_absolute_url())
    press(typist, "Tab")
    expect(typist.page.locator(".skip")).to_be_focused()
    expect(typist.page.locator(".skip")).to_be_in_viewport()
    press(typist, "Enter")
    expect(typist.page.locator("#content")).to_be_focused()
    press(typist, "Tab")
    assert typist.page.locator("main :focus").count() == 1


def test_the_timeline_is_walked_by_keyboard(typist, space, bob, soon):
    book(space.places.get(number=3), bob, soon - hours(24), soon)
    typist.open(f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=10:00&to=12:00")
    tab_to(typist, ".timeline")
    before = typist.page.locator(".timeline").evaluate("box => box.scrollLeft")
    tab_to(typist, "tr:nth-of-type(3) td:last-of-type a")
    assert typist.page.locator(".timeline").evaluate("box => box.scrollLeft") >= before
    press(typist, "Enter")
    expect(typist.page.locator(".picked.place")).to_be_focused()


class TestTheDialogBeforeCancelling:
    @pytest.fixture
    def booking(self, typist, space, alice, soon):
        booking = book(space.places.get(number=1), alice, soon - hours(24), soon)
        typist.open(booking.get_absolute_url())
        tab_to(typist, ".ticket [data-dialog]")
        press(typist, "Enter")
        expect(typist.page.get_by_role("dialog")).to_be_visible()
        return booking

    def test_keeps_the_focus_inside(self, typist, booking):
        for key in ["Tab"] * 5 + ["Shift+Tab"] * 5:
            press(typist, key)
            assert typist.page.locator(":focus:not(dialog *)").count() == 0

    def test_closes_with_escape_and_gives_the_focus_back(self, typist, booking):
        press(typist, "Escape")
        expect(typist.page.get_by_role("dialog")).to_be_hidden()
        expect(typist.page.locator(".ticket [data-dialog]")).to_be_focused()

    def test_keeps_the_booking_when_asked_to(self, typist, booking):
        tab_to(typist, "dialog form[method=dialog] button")
        press(typist, "Enter")
        expect(typist.page.get_by_role("dialog")).to_be_hidden()
        expect(typist.page.locator(".ticket [data-dialog]")).to_be_focused()
        booking.refresh_from_db()
        assert booking.occupies

    def test_cancels_when_asked_to(self, typist, booking):
        typist.page.locator('dialog form[action$="/cancel/"] button').focus()
        press(typist, "Enter")
        expect(typist.page.locator(".state.cancelled")).to_be_visible()
        booking.refresh_from_db()
        assert not booking.occupies
