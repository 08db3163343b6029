"""Migrate a PostgreSQL in use: wait briefly for a lock, step back, and come again.

Whoever waits for a table's lock makes all others wait who come after, also readers. So a migration
gives up before a request would (DATABASE_LOCK_SECONDS), lets everybody through, and tries again.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from config.online.statements import runs_concurrently

# lock_not_available, deadlock_detected: what was begun has been rolled back.
IN_THE_WAY = ("55P03", "40P01")
SHORTEST, LONGEST = 0.5, 5.0  # seconds between two attempts


def is_in_the_way(error: BaseException) -> bool:
    """Tell whether a statement failed only because somebody else was at it."""
    return getattr(error.__cause__, "sqlstate", None) in IN_THE_WAY


@dataclass
class Patience:
    """How long to wait for a lock at a time, and in all; seconds."""

    lock: float
    in_all: float
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.in_all
        self._pause = SHORTEST

    def begin(self) -> None:
        """Count the time from here: something has succeeded."""
        self.__post_init__()

    def is_over(self) -> bool:
        return time.monotonic() >= self._until

    def rest(self, error: BaseException) -> None:
        """Let others through before the next attempt."""
        self.say(f"Others use it ({str(error).splitlines()[0]}); trying again.")
        # Not in step with another one that does the same.
        time.sleep(self._pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        self._pause = min(2 * self._pause, LONGEST)

    @contextmanager
    def on(self, connection: BaseDatabaseWrapper) -> Iterator[None]:
        """Let every statement of a PostgreSQL connection wait briefly until the block ends.

        One that runs outside a transaction is tried again by itself. In a transaction, locks of
        earlier statements would be held meanwhile: the whole has to be tried again, by the caller.
        """
        if connection.vendor != "postgresql":
            yield
            return
        try:
            with connection.execute_wrapper(self._execute):
                yield
        finally:
            if connection.connection and not connection.in_atomic_block:
                with suppress(psycopg.Error):  # it is lost
                    connection.connection.execute("RESET lock_timeout")

    def _execute(self, execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        connection = context["connection"]
        if connection.in_atomic_block:
            _set_timeout(connection, self.lock)
            return execute(sql, parameters, many, context)
        if runs_concurrently(sql):
            # It makes nobody wait while it waits; interrupted, it would leave an invalid index.
            _set_timeout(connection, 0)
            return execute(sql, parameters, many, context)
        while True:
            _set_timeout(connection, self.lock)
            try:
                return execute(sql, parameters, many, context)
            except DatabaseError as error:
                if not is_in_the_way(error) or self.is_over():
                    raise
                self.rest(error)


def _set_timeout(connection: BaseDatabaseWrapper, seconds: float) -> None:
    connection.connection.execute(f"SET lock_timeout = {int(seconds * 1000)}")
