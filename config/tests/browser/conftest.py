"""A real browser: one process for all tests in this folder, a separate window for each person.

It need not be fast but frugal: hundreds of pages are each loaded and inspected once.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from config.tests.browser.person import PATIENCE, Person
from config.tests.browser.windows import Windows

# The same browser without its own windows and menus comes first: it needs half the CPU time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# Optimising a page's scripts costs more than it saves when they run once; so does a process for
# each window.
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage "
    "--renderer-process-limit=1 --js-flags=--no-turbofan,--no-maglev"
)
MISSING = (
    "There is no Chromium: `apt-get install chromium-headless-shell` (or `chromium`), "
    "or `.venv/bin/playwright install chromium`."
)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Start the browser; skip without one, but fail where nobody would notice that (CI)."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright runs an event loop in this thread, where Django then forbids its ORM.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        path = next(filter(None, map(shutil.which, NAMES)), None)
        try:
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS.split())
        except Error as error:
            if "Executable doesn't exist" not in error.message:
                raise
            stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            stop(MISSING)
        expect.set_options(timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def windows(chromium: Browser) -> Windows:
    return Windows(chromium)


@pytest.fixture
def person(windows: Windows, live_server: Any) -> Iterator[Callable[..., Person]]:
    """Give somebody a window: `person(PHONE, "ru")`. Fails at the end if it had any trouble."""
    people: list[Person] = []

    def arrive(*args: Any, **kwargs: Any) -> Person:
        people.append(Person(windows, live_server.url, *args, **kwargs))
        return people[-1]

    yield arrive
    for each in people:
        each.leave()
    assert [trouble for each in people for trouble in each.troubles] == []
