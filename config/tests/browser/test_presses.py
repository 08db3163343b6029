"""A press is never lost: a session that ends, a newcomer's four clicks, a mistake undone."""

from datetime import timedelta

import pytest
from django.utils import timezone, translation
from playwright.sync_api import expect

from accounts.factories import PASSWORD
from accounts.models import User
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import book, hours
from config.tests.browser.person import DESKTOP, PHONE
from spaces.factories import PolicyFactory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

EVERYWHERE = pytest.mark.parametrize(
    ("device", "language"),
    [
        pytest.param(device, language, id=f"{name}, {language}")
        for name, device in {"phone": PHONE, "desktop": DESKTOP}.items()
        for language in ("en", "ru")
    ],
)


class Counted:
    """A person whose presses and fields are counted."""

    def __init__(self, someone):
        self.someone = someone
        self.clicks = self.fields = 0

    def press(self, selector):
        with self.someone.page.expect_navigation():
            self.someone.press(selector)
        self.clicks += 1

    def fill(self, **fields):
        self.someone.fill(**fields)
        self.fields += len(fields)


@EVERYWHERE
def test_a_newcomer_books_by_four_clicks_and_two_fields(person, space, device, language):
    someone = person(device, language)
    newcomer = Counted(someone)
    with translation.override(language):
        someone.open("/")
        newcomer.press(f'main a[href="{space.get_absolute_url()}"]')
        if not someone.page.locator(".offers .place a.button").count():  # the house closes soon
            newcomer.press('.offers a.button[href*="date="]')
        newcomer.press(".offers .place a.button")
        wish = someone.page.locator(".wish li").first.inner_text()
        newcomer.fill(username="carol", password1="lamp beside the window")
        shown = someone.page.locator("[name=password1]")
        someone.press("[data-show]")
        expect(shown).to_have_attribute("type", "text")
        expect(someone.page.locator("[data-show]")).to_have_attribute("aria-pressed", "true")
        newcomer.press("main form button:not([type=button])")
        someone.expect_path(r"/bookings/[0-9a-f-]{36}/\?booked=1$")
        made = Booking.objects.get()
        assert (made.member.username, made.state) == ("carol", State.CONFIRMED)
        assert wish == str(made.place)
    assert (newcomer.clicks, newcomer.fields) <= (4, 2)


@EVERYWHERE
def test_a_press_outlives_the_session(person, space, alice, bob, soon, device, language):
    someone = person(device, language)
    someone.sign_in(alice)
    made = book(space.places.get(number=3), alice, soon - hours(72), soon)
    board = f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=10:00&to=12:00"

    someone.open(board)
    someone.end_session()
    someone.submit('.offers .place form[action="/bookings/"]')
    sign_in(someone)
    expect(someone.page.locator("main form li").nth(1)).to_contain_text("10:00–12:00")
    someone.submit('main form[action="/bookings/"]')
    someone.expect_path("/bookings/.*booked=1$")
    assert Booking.objects.exclude(pk=made.pk).get().member == alice

    someone.open(f"{board.replace('10:00&to=12', '14:00&to=16')}&move={made.code}")
    someone.end_session()
    someone.submit('.offers .place form[action$="/reschedule/"]')
    sign_in(someone)
    someone.submit('main form[action$="/reschedule/"]')
    someone.expect_path("/bookings/.*moved=1$")
    made.refresh_from_db()
    assert made.starts_at == soon + hours(4)

    someone.open("/accounts/profile/")
    someone.fill(name="Alice Ёлкина & <Co>")
    someone.end_session()
    someone.submit('main form:has([name="theme"])')
    sign_in(someone)
    expect(someone.page.locator("main form li").first).to_contain_text("Alice Ёлкина & <Co>")
    someone.submit('main form[action="/accounts/profile/"]')
    someone.expect_path("/accounts/profile/$")
    assert User.objects.get(username="alice").name == "Alice Ёлкина & <Co>"


def sign_in(someone):
    someone.expect_path("/accounts/login/")
    someone.fill(username="alice", password=PASSWORD)
    someone.submit()
    someone.expect_path("/accounts/again/")
    expect(someone.page.locator("main h1")).to_be_focused()


@EVERYWHERE
def test_a_mistake_is_undone(person, space, alice, soon, device, language):
    PolicyFactory.create(space=space, cancel_deadline_minutes=7 * 24 * 60)
    someone = person(device, language)
    someone.sign_in(alice)
    someone.open(f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=10:00&to=12:00")
    expect(someone.page.locator(".place .last-word.warning").first).to_be_visible()
    someone.submit('.offers .place form[action="/bookings/"]')
    someone.expect_path("/bookings/.*booked=1$")
    until = (Booking.objects.get().decided_at + timedelta(minutes=5)).strftime("%-H:%M")
    expect(someone.page.locator(".ticket footer")).to_contain_text(until)
    undo = '.ticket form[action$="/cancel/"]'
    someone.submit(undo)
    someone.expect_path("/bookings/.*cancelled=1$")
    assert Booking.objects.get().state == State.CANCELLED

    someone.open(f"{space.get_absolute_url()}?date={soon:%Y-%m-%d}&from=14:00&to=15:00")
    someone.submit('.offers .place form[action="/bookings/"]')
    someone.expect_path("/bookings/.*booked=1$")
    late = timezone.now() - timedelta(minutes=6)
    Booking.objects.filter(state=State.CONFIRMED).update(decided_at=late)
    someone.open(someone.path)
    assert someone.page.locator(undo).count() == 0
