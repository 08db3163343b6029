"""SQLite whose file may be locked: the first request waits, whoever comes next is told soon.

Commands and workers wait as long as it takes, try after try.
"""

import sqlite3
import time
from typing import Any

from django.conf import settings
from django.db.backends.sqlite3 import base

from config.databases.breaker import Breaker

SHORT = 0.5  # seconds that a writer waits while the last one waited in vain
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

breaker = Breaker()


class Cursor(base.SQLiteCursorWrapper):
    def execute(self, query: str, params: Any = None) -> Any:
        if not settings.IS_SERVING:
            return super().execute(query, params)
        patience = SHORT if breaker.is_suspect else settings.DATABASE_WAITS["busy"]
        if patience == SHORT:
            self.connection.execute(f"PRAGMA busy_timeout = {int(1000 * SHORT)}")
        began = time.monotonic()
        try:
            result = super().execute(query, params)
        except sqlite3.OperationalError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in BUSY and time.monotonic() > began + 0.9 * patience:
                breaker.trip()
                # Without the code that asks for another try: there has been patience enough.
                raise sqlite3.OperationalError("database is locked, and stays it") from error
            raise
        finally:
            if patience == SHORT:
                usual = 1000 * settings.DATABASE_WAITS["busy"]
                self.connection.execute(f"PRAGMA busy_timeout = {usual}")
        if query.startswith("BEGIN"):
            breaker.reset()
        return result


class DatabaseWrapper(base.DatabaseWrapper):
    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=Cursor)
