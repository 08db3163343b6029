"""Finding a place, and moving, in few presses: both devices, languages and themes."""

import pytest
from playwright.sync_api import expect

from bookings.models import Booking
from bookings.tests.acts import book, hours
from config.tests.browser.inspection import NARROW, WIDE, violations
from config.tests.browser.person import DESKTOP, PHONE
from spaces.factories import PlaceFactory, open_space
from spaces.models import Place

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

WAYS = pytest.mark.parametrize(
    ("device", "language", "scheme"),
    [
        (PHONE, "en", "dark"),
        (PHONE, "ru", "light"),
        (DESKTOP, "en", "light"),
        (DESKTOP, "ru", "dark"),
    ],
    ids=["phone-en", "phone-ru", "desktop-en", "desktop-ru"],
)


def amiss(somebody, scheme):
    """Return what axe finds on the page as it is."""
    return violations(somebody.page, NARROW if somebody.is_on_phone else WIDE, scheme)


@pytest.fixture
def hall(db):
    """Forty desks and a room."""
    hall = open_space(slug="hall", name="Hall", places=40)
    PlaceFactory.create(space=hall, number=41, kind=Place.Kind.ROOM, capacity=6, name="Volga")
    return hall


@WAYS
def test_rooms_are_one_press_away_and_back_works(person, hall, soon, device, language, scheme):
    visitor = person(device, language, color_scheme=scheme)
    visitor.open(f"/spaces/hall/?date={soon:%Y-%m-%d}&from=10:00&to=12:00")
    titles = visitor.page.locator(".cards h3")
    everything = titles.count()
    visitor.press("#kind-room")
    expect(titles).to_have_text(["Volga"])
    assert visitor.query["kind"] == "ROOM"
    expect(visitor.page.locator("#kind-room")).to_be_focused()
    assert str(soon.day) in visitor.page.title()
    expect(visitor.page.locator("#announcement")).to_contain_text(str(soon.day))
    assert amiss(visitor, scheme) == []
    visitor.page.go_back()
    expect(titles).to_have_count(everything)


@WAYS
def test_the_day_after_is_three_presses_for_the_thirtieth_of_forty(
    person, hall, alice, soon, device, language, scheme
):
    alice.language = language
    alice.save()
    mine = book(hall.places.get(number=30), alice, soon - hours(24), soon)
    member = person(device, language, color_scheme=scheme)
    member.sign_in(alice)
    member.open("/bookings/")
    member.follow(f"/bookings/{mine.code}/")
    member.press('a[href*="move="]')
    member.page.locator(".moves button").first.wait_for()
    expect(member.page.locator(".cards h3").first).to_contain_text("30")
    assert amiss(member, scheme) == []
    with member.page.expect_navigation():
        member.press(".moves button")
    member.expect_path(rf"/bookings/{mine.code}/\?moved=1")
    assert Booking.objects.get().starts_at == soon + hours(24)


STAYING = """() => [
  ".top", ".main-links", ".timeline thead th", ".timeline thead th + th",
].filter((each) => {
  const {position, top, bottom} = getComputedStyle(document.querySelector(each));
  return position !== "static" && (top !== "auto" || bottom !== "auto");
})"""
FILLS = """() => ["free", "taken", "mine"].map(
  (each) => getComputedStyle(document.querySelector(`.timeline td.${each} > *`)).backgroundColor)"""


@pytest.mark.parametrize("width", [640, 900])
def test_nothing_stays_in_the_way_in_a_low_window(person, hall, soon, width):
    """As at 200 % zoom; what has the focus is never behind a bar (WCAG 2.4.11)."""
    visitor = person(DESKTOP)
    visitor.page.set_viewport_size({"width": width, "height": 400})
    visitor.open(f"/spaces/hall/?date={soon:%Y-%m-%d}")
    assert visitor.page.evaluate(STAYING) == []


@pytest.mark.parametrize("options", [{}, {"forced_colors": "active"}], ids=["colours", "forced"])
def test_free_taken_and_yours_are_told_apart(person, hall, alice, bob, soon, options):
    book(hall.places.get(number=1), alice, soon - hours(24), soon)
    book(hall.places.get(number=2), bob, soon - hours(24), soon)
    member = person(DESKTOP, **options)
    member.sign_in(alice)
    member.open(f"/spaces/hall/?date={soon:%Y-%m-%d}")
    assert len({*member.page.evaluate(FILLS)}) == 3
