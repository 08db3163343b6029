"""An evening's work on a phone and at a desk, in both languages, counted in presses."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from accounts.models import User
from bookings.models import Booking
from bookings.states import State
from config.tests.browser import evening
from config.tests.browser.evening import DAY, NOON, amiss, party
from config.tests.browser.hands import Typist, block, drag
from config.tests.browser.person import DESKTOP, PHONE
from config.tests.clock import Clock
from spaces.factories import PlaceFactory
from spaces.models import Space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DEVICES = [pytest.param(PHONE, id="phone"), pytest.param(DESKTOP, id="desktop")]
LANGUAGES = ["en", "ru"]
TOMORROW = NOON.date() + timedelta(days=1)
#: As it is typed into the browser's own field, which speaks English here on Russian pages too.
TYPED = f"{TOMORROW:%m%d%Y}"
#: Slower than that, and who calls hears the host type.
LONGEST_CALL = 20  # seconds
#: A second press of the same finger is taken for the first one's echo.
IS_ANOTHER_PRESS = "since => performance.now() - since > 600"
#: The names of which a part can't be seen.
CUT = """names => names.filter((each) => {
  const row = each.closest(".visit");
  return !each.checkVisibility() || row.scrollWidth > row.clientWidth;
}).map((each) => each.textContent)"""


@pytest.fixture
def clock(monkeypatch):
    found = Clock(NOON)
    found.stop(monkeypatch)
    return found


@pytest.fixture
def waiter(person, host):
    def come(device, language, path=DAY):
        User.objects.filter(pk=host.pk).update(language=language)
        someone = person(device, language)
        someone.sign_in(host)
        someone.open(path)
        return someone

    return come


def is_on_screen(someone, locator):
    box, size = locator.bounding_box(), someone.page.viewport_size
    top = someone.page.locator(".top").bounding_box()
    bar = someone.page.locator(".staff-bar").bounding_box()
    bottom = bar["y"] if someone.is_on_phone else size["height"]
    return (
        box["y"] >= top["y"] + top["height"]
        and box["y"] + box["height"] <= bottom
        and (box["x"] >= 0 and box["x"] + box["width"] <= size["width"])
    )


def where(booking):
    """Return the number of the booking's table, and its first and last hour."""
    found = Booking.objects.with_place().get(pk=booking.pk)
    return found.place.number, found.starts_at.hour, found.ends_at.hour


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("device", DEVICES)
def test_an_evening(waiter, space, host, clock, device, language):
    booked = evening.of(space, host)
    someone = waiter(device, language, path="/")
    wrong = {}

    def look(name):
        someone.page.wait_for_load_state()
        if found := amiss(someone):
            wrong[name] = found

    comes_at_two(someone, booked["Бьянки"])
    look("day")
    arrives_and_leaves(someone, booked["Росси"], look)
    walks_in(someone, look)
    booking = calls(someone, look)
    is_moved_by_form(someone, booking, look)
    is_moved_on_the_timeline(someone, booking, look)
    assert wrong == {}


def comes_at_two(someone, booking):
    """One press from home shows who comes at two, and nothing has to be scrolled."""
    hand = Typist(someone)
    hand.press(f'nav a[href="{reverse("staff")}"]')
    someone.expect_path(DAY)
    row = someone.page.locator(f"#b-{booking.code}")
    for part in (".time", ".name", ".people", ".place-name"):
        assert is_on_screen(someone, row.locator(part)), part
    assert someone.page.evaluate("scrollX + scrollY") == 0
    assert hand.presses == 1


def arrives_and_leaves(someone, booking, look):
    """One tap each."""
    page, row = someone.page, f"#b-{booking.code}"
    someone.press(f"{row} [name=arrive]")
    pressed_at = page.evaluate("performance.now()")
    expect(page.locator(f"#g-here {row}")).to_be_visible()
    expect(page.locator("#toast [name=undo]")).to_be_visible()
    assert Booking.objects.get(pk=booking.pk).state == State.CHECKED_IN
    look("arrived")
    page.wait_for_function(IS_ANOTHER_PRESS, arg=pressed_at)
    someone.press(f"{row} [name=leave]")
    expect(page.locator(f"#g-finished {row}")).to_be_attached()
    assert Booking.objects.get(pk=booking.pk).state == State.COMPLETED


def walks_in(someone, look):
    """Three presses from the day: *Walk-in*, how many, the best place."""
    hand = Typist(someone)
    hand.press('.staff-links a[data-key="w"]')
    hand.press('.people a[href$="people=2"]')
    someone.page.locator(".best").wait_for()
    look("walk-in")
    hand.press(".best")
    someone.expect_path(".*seated=")
    assert hand.presses <= 3
    seated = Booking.objects.get(seated_at__isnull=False)
    assert (seated.party_size, seated.state) == (2, State.CHECKED_IN)
    look("seated")


def calls(someone, look):
    """Somebody calls for tomorrow at seven, four people, a name, a number and an allergy."""
    hand = Typist(someone)
    hand.press('.staff-links a[data-key="p"]')
    if someone.is_on_phone:
        hand.presses += 3  # the phone's own calendar: open, a day, done
        someone.fill(date=f"{TOMORROW}")
    else:
        hand.press("#id_date")
        hand.type(TYPED)
    for name, text in {"from": "19:00", "party": "4"}.items():
        hand.press(f"#id_{name}")
        hand.key("ControlOrMeta+a")
        hand.type(text)
    hand.press("#id_guest_name")
    hand.type("Нери")
    hand.key("Tab")
    hand.type("+7 900 123-45-67")
    look("phone")
    hand.press("#id_note")
    hand.type("арахис")
    hand.press("main .primary")
    someone.expect_path(f"{DAY}bookings/")
    booking = Booking.objects.get(guest_name="Нери")
    assert (booking.starts_at.date(), booking.party_size) == (TOMORROW, 4)
    assert where(booking)[1] == 19
    assert (booking.guest_contact, booking.note) == ("+7 900 123-45-67", "арахис")
    assert hand.seconds <= LONGEST_CALL
    look("booking")
    return booking


def is_moved_by_form(someone, booking, look):
    table = space_table(booking, 2 if where(booking)[0] != 2 else 1)
    someone.page.locator("main [name=place]").select_option(str(table.code))
    someone.fill(starts="20:00", ends="21:00")
    someone.submit("main form.edit")
    assert where(booking) == (table.number, 20, 21)
    # Before and after.
    expect(someone.page.locator(".events")).to_contain_text(re.compile("19:00.*20:00", re.DOTALL))
    look("moved")


def space_table(booking, number):
    return booking.place.space.places.get(number=number)


def is_moved_on_the_timeline(someone, booking, look):
    """By keys to another time, by mouse or finger to another table."""
    page = someone.page
    someone.press('main a[href*="/timeline/"]')
    someone.expect_path(f"{DAY}timeline/")
    held, told = block(someone, booking), page.locator("#staff-timeline .alert")
    number, *_hours = where(booking)
    held.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(told).to_contain_text("19:00–20:00")
    assert where(booking) == (number, 19, 20)
    booking.refresh_from_db()
    drag(someone, booking, rows=1)
    table = space_table(booking, number + 1)
    expect(told).to_contain_text(str(table.number))
    assert where(booking) == (number + 1, 19, 20)
    look("timeline")


@pytest.mark.parametrize("place_name", ["", "By the garden window"])  # on one line, and on two
def test_forty_bookings_print_on_one_sheet(waiter, space, host, clock, place_name):
    Space.objects.update(kind="RESTAURANT")
    numbers = range(4321, 4331)
    for number in numbers:
        name = place_name and f"{place_name} {number}"
        PlaceFactory(space=space, kind="TABLE", capacity=4, number=number, name=name)
    names = []
    for n in range(40):
        names.append(f"Alessandra Montefeltro-Castelbianco {n}")
        note = "nut allergy, by the window" if n % 4 == 0 else ""
        if place_name:
            note = "severe nut allergy, one wheelchair, a birthday"
        party(space, host, numbers[n % 10], names[-1], 13 + n // 10 * 2, note=note)
    for device in (PHONE, DESKTOP):
        for language in LANGUAGES:
            someone = waiter(device, language)
            document = someone.page.pdf(prefer_css_page_size=True)
            assert len(re.findall(rb"/Type\s*/Page\b", document)) == 1
            someone.page.emulate_media(media="print")
            someone.page.set_viewport_size({"width": 718, "height": 1046})
            shown = someone.page.locator(".name")
            assert shown.all_inner_texts() == names
            assert shown.evaluate_all(CUT) == []
            for hidden in (".top", ".staff-links", ".verbs >> nth=0", ".finder", "#toast"):
                expect(someone.page.locator(hidden)).to_be_hidden()
