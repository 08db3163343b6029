"""A real browser: one process for all tests in this folder, a separate window for each person."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, expect, sync_playwright

from config.tests.browser.person import PATIENCE, Person

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
)
MISSING = (
    "There is no Chromium: `apt-get install chromium`, or `.venv/bin/playwright install chromium`."
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


@pytest.fixture
def person(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Person]]:
    """Give somebody a window: `person(PHONE, "ru")`. Fails at the end if it had any trouble."""
    people: list[Person] = []

    def arrive(*args: Any, **kwargs: Any) -> Person:
        people.append(Person(chromium, live_server.url, *args, **kwargs))
        return people[-1]

    yield arrive
    for each in people:
        each.leave()
    assert [trouble for each in people for trouble in each.troubles] == []
