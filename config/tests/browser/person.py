"""Somebody at a browser."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import ConsoleMessage, Locator, Page, Response, expect

from accounts.models import User
from config.tests.browser.windows import Windows

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}

# The browser's language, and a zone nobody uses: pages show the space's time.
LOCALES = {"en": "en-US", "ru": "ru-RU"}
SOMEWHERE = "Asia/Kathmandu"

TELL_OF_CSP = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
});
"""

PATIENCE = 300_000  # milliseconds: for what never comes, so it is long

# The status of a page, such as an expected 404; htmx drops a search for a newer one.
HARMLESS = ("Failed to load resource", "htmx:afterRequest", "htmx:sendAbort")


class Person:
    """One window with its own cookies. `troubles` records what goes wrong in it."""

    def __init__(
        self,
        windows: Windows,
        url: str,
        device: dict[str, Any] = DESKTOP,
        language: str = "en",
        *,
        scripts: bool = True,
        **options: Any,
    ) -> None:
        self.url = url
        self.is_on_phone = device is PHONE
        self.troubles: list[str] = []
        self._statuses: dict[str, int] = {}
        self._is_clock_ours = False
        self._windows = windows
        self._context = windows.lend(
            base_url=url,
            locale=LOCALES[language],
            timezone_id=SOMEWHERE,
            java_script_enabled=scripts,
            **device,
            **options,
        )
        self._context.set_default_timeout(PATIENCE)
        self.page: Page = self._context.new_page()
        self.page.add_init_script(TELL_OF_CSP)
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("response", self._note_response)

    def _note_response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self._statuses[response.url] = response.status
        elif response.status >= 400:
            self.troubles.append(f"{response.status} {response.url}")

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(HARMLESS):
            self.troubles.append(f"console: {message.text}")

    def leave(self) -> None:
        self._windows.take_back(self._context, is_as_before=not self._is_clock_ours)

    def take_the_clock(self) -> None:
        """Let the test decide how time passes in this window."""
        self._is_clock_ours = True
        self.page.clock.install()

    def sign_in(self, user: User) -> None:
        """Sign in without the form."""
        session = Client()
        session.force_login(user)
        cookie = {"name": "sessionid", "value": session.cookies["sessionid"].value, "url": self.url}
        self._context.add_cookies([cookie])

    def end_session(self) -> None:
        """Be signed out on the server, as after a long time; the browser doesn't know."""
        [key] = [c["value"] for c in self._context.cookies() if c["name"] == "sessionid"]
        Session.objects.get(session_key=key).delete()

    def open(self, path: str) -> None:
        self.page.goto(path)

    @property
    def status(self) -> int:
        """The HTTP status of the current page."""
        return self._statuses[self.page.url.partition("#")[0]]

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def query(self) -> dict[str, str]:
        """The first value of each name in the query."""
        found = parse_qs(urlsplit(self.page.url).query)
        return {name: values[0] for name, values in found.items()}

    def see(self, selector: str) -> Locator:
        """Return the first visible element of that kind."""
        return self.page.locator(selector).locator("visible=true").first

    def press(self, selector: str) -> None:
        target = self.see(selector)
        if self.is_on_phone:
            target.tap()
        else:
            target.click()

    def follow(self, path: str) -> None:
        """Click a link by its target, and wait until it has loaded."""
        self.press(f'a[href^="{path}"]')
        self.page.wait_for_url(
            lambda url: urlsplit(url)._replace(scheme="", netloc="").geturl().startswith(path)
        )

    def fill(self, **fields: str) -> None:
        for name, value in fields.items():
            self.page.locator(f"main [name={name}]:not([type=hidden])").fill(value)

    def forget(self) -> None:
        """Lose all cookies."""
        self._context.clear_cookies()

    def send(self, selector: str = "main form") -> None:
        """Press a form's first button."""
        self.press(f"{selector} :is(button:not([type=button]), input[type=submit])")

    def submit(self, selector: str = "main form") -> None:
        """Press it, and wait until the answer's page has replaced this one."""
        with self.page.expect_navigation():
            self.send(selector)

    def search(self, **fields: str) -> None:
        """Fill in the board's search, press its button, and wait for the result."""
        summary = self.page.locator(".search > summary")
        if summary.is_visible() and not self.page.locator(".search[open]").count():
            self.press(".search > summary")
        for name, value in fields.items():
            field = self.page.locator(f".search [name={name}]")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        self.send(".search form")
        self.page.wait_for_url(lambda _url: fields.items() <= self.query.items())
        if {"from", "to"} <= fields.keys():
            expect(self.page.locator("#found")).to_contain_text(f"{fields['from']}–{fields['to']}")

    def expect_path(self, pattern: str) -> None:
        self.page.wait_for_url(re.compile(rf"{re.escape(self.url)}{pattern}"))
