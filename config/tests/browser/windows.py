"""Windows of the browser, lent to one person after the other."""

from collections import defaultdict
from typing import Any

from playwright.sync_api import Browser, BrowserContext


class Windows:
    """Keep what was opened for one person for the next who asks for the same.

    A new window costs more than most tests do in it. What stays is the cache of static files;
    cookies and pages don't.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: defaultdict[str, list[BrowserContext]] = defaultdict(list)
        self._lent: dict[BrowserContext, str] = {}

    def lend(self, **options: Any) -> BrowserContext:
        kind = repr(sorted(options.items()))
        free = self._free[kind]
        window = free.pop() if free else self._browser.new_context(**options)
        self._lent[window] = kind
        return window

    def take_back(self, window: BrowserContext, *, is_as_before: bool) -> None:
        """Clear a window for the next person, or close it if something changed for good."""
        kind = self._lent.pop(window)
        if not is_as_before:
            window.close()
            return
        for page in window.pages:
            # To close a page that still loads has no timeout, and was once never answered.
            page.goto("about:blank")
            page.close()
        window.clear_cookies()
        self._free[kind].append(window)
