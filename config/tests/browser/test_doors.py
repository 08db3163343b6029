"""A tablet at a door that loses the server and finds it again; its pages, and those of numbers."""

from datetime import UTC, datetime, time, timedelta
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import expect

from accounts.services import change
from bookings.deciding import door_keys
from bookings.doors import DoorView
from bookings.tests.acts import book, hours
from config.tests.browser.inspection import NARROW, WIDE, foreign_words, misfits, violations
from config.tests.browser.person import Person
from config.tests.processes import wait_for
from scripts.postgres import free_port
from spaces.factories import open_space

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TABLET = {"viewport": {"width": 1024, "height": 768}, "has_touch": True}
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


def test_it_says_when_it_is_alone_and_survives_a_restart(server, windows, always, alice):
    desk = always.places.get(number=1)
    running = server()
    tablet = Person(windows, server.url, TABLET, "en")
    page = tablet.page
    tablet.take_the_clock()
    tablet.open(make(always, desk))
    state = page.locator(".door-state:visible")
    expect(state).to_have_text("Свободно")
    expect(page.locator("#away")).to_be_hidden()

    running.kill()
    running.wait()
    page.clock.run_for(TOO_LONG)
    expect(state).to_have_text("Было свободно")
    expect(page.locator("#away")).to_contain_text("Нет связи. Данные на")
    expect(page.locator(".door-act button:visible")).to_have_count(0)
    assert violations(page, WIDE, "light") == []

    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    book(desk, alice, hour - hours(2), hour)
    server()
    page.clock.run_for(A_POLL)
    expect(state).to_have_text("Занято")
    expect(page.locator("#away")).to_be_hidden()
    page.set_viewport_size(TABLET["viewport"])
    page.locator(".door-act button").first.tap()
    expect(page.locator(".door-who")).to_contain_text("отмечен приход")

    DoorView.objects.all().delete()
    page.clock.run_for(A_POLL)
    expect(page.locator("#away")).to_have_text("Этот экран отключили. Ему нужен новый адрес.")
    expect(page.locator("main")).to_be_hidden()
    tablet.leave()


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_pages_are_usable_by_everyone(person, always, alice, manager, space, language):
    now = datetime.now(UTC)
    hour = now.replace(minute=0, second=0, microsecond=0)
    book(always.places.get(number=1), alice, hour - hours(2), hour)
    book(
        space.places.get(number=1),
        alice,
        now,
        (now + timedelta(days=1)).replace(hour=10, minute=0, second=0, microsecond=0),
    )
    someone = person(TABLET, language)
    change(manager, name="Марат")
    someone.sign_in(manager)
    one = always.places.get(number=2)
    paths = {
        "one place": make(always, one, language=language),
        "all places": make(always, language=language),
        "numbers": "/staff/loft/numbers/?period=this-month",
        "doors": "/staff/loft/doors/",
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
