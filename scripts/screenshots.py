"""Take the README's pictures: a site with demo data, a browser, docs/screenshots/*.png.

Needs Chromium (of the system, or `playwright install chromium`).
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Literal
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from scripts import prepared

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/screenshots"
LOGIN, PASSWORD = "member", "mesto-demo"  # from the demo data
DESKTOP, PHONE = (1280, 800), (390, 844)


@contextmanager
def site() -> Iterator[str]:
    """Serve the demo data from a database of its own, and yield the address."""
    with tempfile.TemporaryDirectory(prefix="mesto-screenshots-") as folder:
        database = f"sqlite:///{folder}/mesto.sqlite3"
        environment = {**os.environ, "DEBUG": "true", "DATABASE_URL": database}

        def manage(*arguments: str) -> list[str]:
            return [sys.executable, str(ROOT / "manage.py"), *arguments]

        prepared.fill(database, environment)
        subprocess.run(manage("demo"), env=environment, check=True)
        port = _free_port()
        command = manage("runserver", "--noreload", f"127.0.0.1:{port}")
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
            try:
                url = f"http://localhost:{port}"
                _wait_for(f"{url}/healthz")
                yield url
            finally:
                server.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urlopen(url, timeout=5).close()  # noqa: S310 - our own address
            return
        except URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def signed_in(
    browser: Browser, url: str, size: tuple[int, int], scheme: Literal["light", "dark"] = "light"
) -> Page:
    """Return a browser page on which the demo member has signed in."""
    width, height = size
    page = browser.new_page(
        base_url=url,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        device_scale_factor=2 if size == PHONE else 1,
        locale="en-GB",
    )
    page.goto("/accounts/login/")
    page.fill("[name=username]", LOGIN)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/")
    return page


def take(page: Page, name: str) -> None:
    page.evaluate("document.activeElement.blur()")  # no focus ring
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"docs/screenshots/{name}.png")


def take_all(browser: Browser, url: str) -> None:
    for size, name in ((DESKTOP, "desktop"), (PHONE, "phone")):
        page = signed_in(browser, url, size)
        take(page, f"home-{name}")
        open_board(page)
        take(page, f"board-{name}")
        show_day(page)
        take(page, f"day-{name}")
        page.locator(".place form button").first.click()
        page.get_by_role("heading", name="is yours").wait_for()
        take(page, f"booking-{name}")
        page.context.close()
    page = signed_in(browser, url, DESKTOP, "dark")
    open_board(page)
    show_day(page)
    take(page, "day-dark")


def open_board(page: Page) -> None:
    """Open tomorrow afternoon in the coworking space."""
    page.locator(".space", has_text="Coworking").get_by_role("link", name="Find a place").click()
    tomorrow = date.today() + timedelta(days=1)  # noqa: DTZ011 - any day that is not over
    page.goto(f"{page.url}?date={tomorrow}&from=13:00&to=15:00")


def show_day(page: Page) -> None:
    page.evaluate("document.getElementById('day-title').scrollIntoView()")


def launch(playwright: Playwright) -> Browser:
    names = ("chromium", "chromium-headless-shell", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    return playwright.chromium.launch(
        executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
    )


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with site() as url, sync_playwright() as playwright, launch(playwright) as browser:
        take_all(browser, url)


if __name__ == "__main__":
    main()
