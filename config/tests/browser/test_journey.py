"""A newcomer's whole journey: sign up, find, book, see it, move it, cancel it, look back."""

import pytest
from django.utils import translation
from playwright.sync_api import expect

from bookings.deciding.invariants import violations
from bookings.models import Booking
from bookings.states import State
from config.tests.browser.person import DESKTOP, PHONE
from spaces.models import Place

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "a lamp beside the window"
CODE = r"[0-9a-f-]{36}"


@pytest.mark.parametrize(
    ("device", "language", "scripts"),
    [
        pytest.param(PHONE, "ru", True, id="phone, Russian", marks=pytest.mark.both_databases),
        pytest.param(DESKTOP, "en", True, id="desktop, English"),
        pytest.param(DESKTOP, "ru", True, id="desktop, Russian"),
        pytest.param(PHONE, "en", False, id="phone without scripts"),
    ],
)
def test_from_sign_up_to_history(person, space, soon, device, language, scripts):
    someone = person(device, language, scripts=scripts)
    with translation.override(language):
        sign_up(someone, "newcomer")
        booking = find_and_book(someone, space, soon)
        see_it(someone, booking)
        move_it(someone, booking)
        cancel_it(someone, booking)
        look_back(someone, booking)
    assert list(violations(now=soon)) == []


def sign_up(someone, login):
    someone.open("/")
    expect(someone.page.locator("html")).to_have_attribute("lang", translation.get_language())
    someone.follow("/accounts/login/")
    someone.follow("/accounts/register/")
    someone.fill(username=login, password1=PASSWORD)
    someone.send()
    someone.expect_path("/$")
    expect(someone.see(".messages [role=status]")).to_be_visible()
    expect(someone.see('a[href="/accounts/profile/"]')).to_contain_text(login)


def find_and_book(someone, space, day):
    someone.follow(space.get_absolute_url())
    someone.search(**{"date": f"{day:%Y-%m-%d}", "from": "10:00", "to": "12:00"})
    code = someone.page.locator(".offers .place [name=place]").first.get_attribute("value")
    place = Place.objects.get(code=code)
    someone.send('.offers .place form[action="/bookings/"]')
    someone.expect_path(rf"/bookings/{CODE}/\?booked=1$")
    booking = Booking.objects.get()
    assert (booking.place, booking.state) == (place, State.CONFIRMED)
    heading = someone.page.locator("h1")
    expect(heading).to_have_text(words("%(place)s is yours.", place=place))
    expect(heading).to_be_focused()
    return booking


def words(message, **values):
    """Return a message in the language of the test."""
    return translation.gettext(message) % values


def see_it(someone, booking):
    someone.follow("/bookings/")
    expect(someone.page.locator(".row")).to_have_count(1)
    expect(someone.page.locator(".row")).to_contain_text("10:00–12:00")
    someone.follow(booking.get_absolute_url())
    expect(someone.page.locator("h1")).to_have_text(str(booking.place))
    expect(someone.page.locator(".ticket dl")).to_contain_text("10:00–12:00")


def move_it(someone, booking):
    someone.press('a[href*="move="]')
    expect(someone.see("[role=note]")).to_contain_text("10:00–12:00")
    someone.search(**{"from": "14:00", "to": "15:00"})
    someone.send('.offers .place form[action$="/reschedule/"]')
    someone.expect_path(rf"/bookings/{booking.code}/\?moved=1$")
    expect(someone.page.locator("h1")).to_be_focused()
    expect(someone.page.locator(".ticket dl")).to_contain_text("14:00–15:00")
    expect(someone.page.locator(".events li")).to_have_count(2)


def cancel_it(someone, booking):
    someone.press('.ticket a[href$="/cancel/"]')
    someone.send('form[action$="/cancel/"]')
    someone.expect_path(rf"/bookings/{booking.code}/\?cancelled=1$")
    expect(someone.page.locator("h1")).to_be_focused()
    expect(someone.page.locator(".ticket .state")).to_have_class("chip state cancelled")
    expect(someone.page.locator(".events li")).to_have_count(3)
    booking.refresh_from_db()
    assert booking.state == State.CANCELLED
    assert not booking.booked_slots.exists()


def look_back(someone, booking):
    someone.follow("/bookings/")
    expect(someone.page.locator(".row")).to_have_count(0)
    someone.follow("/bookings/history/")
    expect(someone.page.locator(".row")).to_have_count(1)
    expect(someone.page.locator(".row .state")).to_have_text(
        booking.get_state_display().capitalize()
    )
    someone.follow(booking.get_absolute_url())
    someone.expect_path(f"/bookings/{booking.code}/$")
