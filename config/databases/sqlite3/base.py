"""SQLite whose file may be locked: the first request waits, later ones are refused sooner.

Commands and workers wait as long as it takes, retrying.
"""

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from django.conf import settings
from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.features import DatabaseFeatures
from django.utils.functional import cached_property

from config.databases.breaker import Breaker
from config.databases.patience import quartered

BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
#: Statements that take the single write lock, outside a transaction.
TAKES_LOCK = re.compile(r"\s*(BEGIN|INSERT|UPDATE|DELETE|REPLACE)\b")

breaker = Breaker("locked_file")


def patience() -> float:
    return quartered(settings.DATABASE_WAITS["busy"], breaker.times)


def watched[R](wait: Callable[[], R], longest: float) -> R:
    """Remember that somebody waited this long in vain."""
    began = time.monotonic()
    try:
        return wait()
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in BUSY and time.monotonic() > began + 0.9 * longest:
            breaker.trip()
            # Without the code that asks for a retry: we have waited long enough.
            raise sqlite3.OperationalError("database is locked, and stays locked") from error
        raise


class Cursor(base.SQLiteCursorWrapper):
    def execute(self, query: str, params: Any = None) -> Any:
        if not settings.IS_SERVING:
            return super().execute(query, params)
        takes_lock = not self.connection.in_transaction and TAKES_LOCK.match(query)
        longest, execute = patience(), super().execute
        if breaker.times:
            self.connection.execute(f"PRAGMA busy_timeout = {int(1000 * longest)}")
        result = watched(lambda: execute(query, params), longest)
        if takes_lock and breaker.times:
            breaker.reset()
            self.connection.execute(f"PRAGMA busy_timeout = {int(1000 * patience())}")
        return result


class Features(DatabaseFeatures):
    @cached_property
    def supports_json_field(self) -> bool:  # type: ignore[override]  # theirs is cached too
        """Ask a database of our own, which nobody can lock.

        Django asks the file, in a transaction that takes the write lock. When it doesn't get that,
        it concludes that there is no JSON, and pages that need it fail until the process ends.
        """
        with closing(sqlite3.connect(":memory:")) as memory:
            try:
                memory.execute("SELECT JSON('{}')")
            except sqlite3.OperationalError:
                return False
        return True


class DatabaseWrapper(base.DatabaseWrapper):
    features_class = Features

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connect = super().get_new_connection
        if not settings.IS_SERVING:
            return connect(conn_params)
        longest = patience()
        return watched(lambda: connect({**conn_params, "timeout": longest}), longest)

    def create_cursor(self, name: str | None = None) -> Any:
        return self.connection.cursor(factory=Cursor)
