"""Where rendered pages are kept: in a bounded part of the process's memory, and in CACHE_URL."""

import logging
import time
from collections.abc import Callable, Hashable
from hashlib import blake2b
from threading import Lock

from cachetools import LRUCache
from django.conf import settings
from django.core.cache import cache

from accounts import watching
from accounts.shared import is_shared, unreachable
from bookings.finding.kept import Page

logger = logging.getLogger("mesto.pages")

#: How long the shared cache keeps a page, in seconds. A board is asked for within one minute; and
#: a full cache drops first what would expire first, which must not be the counts of requests.
KEPT_FOR = 60
#: For how many seconds the shared cache isn't asked after a failure.
LEFT_ALONE_FOR = 10.0


class Shelf:
    """Pages by content: a key holds everything that its page shows, so no page is ever outdated."""

    def __init__(self, size: int) -> None:
        """Make a shelf for so many bytes of text."""
        self._pages: LRUCache[str, Page] = LRUCache(size, getsizeof=lambda page: page.size)
        self._lock = Lock()
        self._asks_again_at = 0.0
        self.found = self.made = 0

    def page(self, digest: str, make: Callable[[], Page]) -> Page:
        """Return the page whose key has this digest; make it if there is none."""
        with self._lock:
            page = self._pages.get(digest)
        if page is not None:
            self._note_found()
            return page
        page = self._shared(digest)
        if page is not None:
            self._note_found()
        else:
            self.made += 1
            watching.tell("cache", cache="pages", outcome="miss")
            page = make()
            self._share(digest, page)
        with self._lock:
            if page.size <= self._pages.maxsize:
                self._pages[digest] = page
        return page

    def _note_found(self) -> None:
        self.found += 1
        watching.tell("cache", cache="pages", outcome="hit")

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
        self.found = self.made = 0

    def _shared(self, digest: str) -> Page | None:
        packed = self._ask(lambda: cache.get(f"page:{digest}"))
        return Page.unpacked(packed) if packed is not None else None

    def _share(self, digest: str, page: Page) -> None:
        self._ask(lambda: cache.set(f"page:{digest}", page.packed(), KEPT_FOR))

    def _ask[T](self, question: Callable[[], T]) -> T | None:
        """Ask the cache that all processes share; without one, pages are made anew."""
        if not self._pages.maxsize or not is_shared() or time.monotonic() < self._asks_again_at:
            return None
        try:
            return question()
        except unreachable():
            self._asks_again_at = time.monotonic() + LEFT_ALONE_FOR
            logger.exception("the cache can't be reached; pages are kept in memory alone")
            return None


def digest_of(key: Hashable) -> str:
    """Return a short name for a key, the same in every process of a release."""
    return blake2b(repr((settings.RELEASE, key)).encode(), digest_size=16).hexdigest()


shelf = Shelf(settings.KEPT_PAGES_BYTES)
