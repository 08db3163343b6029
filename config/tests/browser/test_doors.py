"""A tablet at a door that loses the server and finds it again, and how its pages look."""

from datetime import UTC, datetime, time
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import expect

from bookings.deciding import door_keys
from bookings.doors import DoorView
from bookings.tests.acts import book, hours
from config.tests.browser.inspection import NARROW, WIDE, foreign_words, misfits, violations
from config.tests.browser.person import DESKTOP, PHONE, Person
from config.tests.processes import wait_for
from scripts.postgres import free_port
from spaces.factories import open_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TABLET = {"viewport": {"width": 1024, "height": 768}, "has_touch": True}
WORDS = {
    "en": {
        "free": "Free",
        "was free": "Was free",
        "away": "Not connected. As of",
        "taken": "Taken",
        "here": "checked in",
        "gone": "This screen was switched off. It needs a new address.",
    },
    "ru": {
        "free": "Свободно",
        "was free": "Было свободно",
        "away": "Нет связи. Данные на",
        "taken": "Занято",
        "here": "отмечен приход",
        "gone": "Этот экран отключили. Ему нужен новый адрес.",
    },
}
#: What the script counts in, milliseconds.
A_POLL, TOO_LONG = 5_000, 16_000


@pytest.fixture
def always(db):
    """A space that never closes, with two desks."""
    return open_space(slug="always", name="Loft", places=2, opens_at=time(0), closes_at=time(0))


def make(space, *places, language="ru"):
    _door, key = door_keys.make(
        space,
        name="Loft",
        places=list(places),
        language=language,
        shows_names=True,
        may_check_in=True,
        may_walk_in=True,
        code=uuid4(),
        now=datetime.now(UTC),
    )
    return f"/door/{key}/"


@pytest.fixture
def server(manage):
    """Start the site as a process of its own, at the same port each time."""
    port = free_port()

    def start():
        process = manage(
            "runserver", f"127.0.0.1:{port}", "--noreload", DEBUG="true", ALLOWED_HOSTS="127.0.0.1"
        )
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/healthz"))
        return process

    start.url = f"http://127.0.0.1:{port}"
    return start


def answers(url):
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


def test_they_say_when_they_are_alone_and_survive_a_restart(server, windows, always, alice):
    """Four screens, on a phone and wide, in both languages, lose one server and find it again."""
    desk = always.places.get(number=1)
    running = server()
    keys = {language: make(always, desk, language=language) for language in WORDS}
    screens = [
        (Person(windows, server.url, device, "en"), words, keys[language])
        for device in (PHONE, DESKTOP)
        for language, words in WORDS.items()
    ]
    for screen, words, key in screens:
        screen.take_the_clock()
        screen.open(key)
        expect(state(screen)).to_have_text(words["free"])
        expect(screen.page.locator("#away")).to_be_hidden()

    running.kill()
    running.wait()
    for screen, words, _key in screens:
        screen.page.clock.run_for(TOO_LONG)
        expect(state(screen)).to_have_text(words["was free"])
        expect(screen.page.locator("#away")).to_contain_text(words["away"])
        expect(screen.page.locator(".door-act button:visible")).to_have_count(0)
        assert violations(screen.page, screen.page.viewport_size, "light") == []

    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    book(desk, alice, hour - hours(2), hour)
    server()
    for screen, words, _key in screens:
        screen.page.clock.run_for(A_POLL)
        expect(state(screen)).to_have_text(words["taken"])
        expect(screen.page.locator("#away")).to_be_hidden()
    screens[0][0].press(".door-act button")
    for screen, words, _key in screens:
        screen.page.clock.run_for(A_POLL)
        expect(screen.page.locator(".door-who")).to_contain_text(words["here"])

    DoorView.objects.all().delete()
    for screen, words, _key in screens:
        screen.page.clock.run_for(A_POLL)
        expect(screen.page.locator("#away")).to_have_text(words["gone"])
        expect(screen.page.locator("main")).to_be_hidden()
        screen.leave()


def state(screen):
    return screen.page.locator(".door-state:visible")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_screens_are_usable_by_everyone(person, always, alice, language):
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    book(always.places.get(number=1), alice, hour - hours(2), hour)
    someone = person(TABLET, language)
    one = always.places.get(number=2)
    paths = {
        "one place": make(always, one, language=language),
        "all places": make(always, language=language),
    }
    found = []
    for name, path in paths.items():
        someone.open(path)
        for each in someone.page.locator("summary").all():
            each.tap()
        troubles = [*misfits(someone.page, NARROW), *misfits(someone.page, WIDE)]
        for size, scheme in ((NARROW, "dark"), (WIDE, "light"), (WIDE, "dark")):
            troubles += violations(someone.page, size, scheme)
        if language == "ru":
            troubles += foreign_words(someone.page)
        found += [f"{name}: {trouble}" for trouble in troubles]
    assert not found, "\n".join(found)
