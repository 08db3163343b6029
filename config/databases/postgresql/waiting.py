"""A web process's waits for PostgreSQL's locks and slow statements.

A locked *table* is refused to everybody who wants as strong a lock, until it is available again. A
locked *row*, or a slow statement, is refused only to that very statement: one contested place
doesn't close the site.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
from django.conf import settings
from django.core.signals import request_started
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts import watching
from config.databases.patience import LEAST, Patience, quartered
from config.databases.postgresql.things import Statement, Thing, waited_for

#: How many seconds in total a request may spend in LONG statements.
ALL_TOGETHER = 6.0
LONG = 0.2

TAKES_STATEMENTS = (psycopg.pq.TransactionStatus.IDLE, psycopg.pq.TransactionStatus.INTRANS)
FREELY = nullcontext()


class Waits:
    """Executes statements with limits that depend on earlier failures: a wrapper for Django."""

    def __init__(self) -> None:
        self._patience: Patience[Thing] = Patience()
        self._spent = 0.0

    def begin(self, **_: object) -> None:
        """Start counting for another request."""
        self._spent = 0.0

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: Any,
        values: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        if not settings.IS_SERVING:
            return execute(sql, values, many, context)
        in_vain = self._patience.known()
        # Nearly always nothing is, and then a statement costs nothing here.
        concerned = self._concerned(in_vain, Statement(str(sql), repr(values))) if in_vain else ()
        is_limited = in_vain or self._spent
        began = time.monotonic()
        try:
            with limited(context["connection"], self._limits(in_vain)) if is_limited else FREELY:
                result = execute(sql, values, many, context)
        except OperationalError as error:
            statement = Statement(str(sql), repr(values))
            cursor = context["cursor"].cursor
            if thing := waited_for(error.__cause__, statement, cursor, None if many else values):
                self._patience.lose(thing)
                watching.tell("database_waits", what="slow_statement" if thing.is_slow else "lock")
            raise
        finally:
            if (took := time.monotonic() - began) > LONG:
                self._spent += took
        if concerned:
            self._patience.regain(concerned)
        return result

    def _concerned(self, in_vain: Sequence[Thing], statement: Statement) -> Sequence[Thing]:
        """Return what a statement needs of what was waited for in vain; refuse it if it's lost."""
        concerned = [thing for thing in in_vain if thing.concerns(statement)]
        if any(map(self._patience.is_lost, concerned)):
            raise OperationalError("what this waits for was not available a moment ago")
        return concerned

    def _limits(self, in_vain: Sequence[Thing]) -> dict[str, float]:
        """Return tighter limits than usual, in seconds."""
        left = max(ALL_TOGETHER - self._spent, LEAST)
        slow = sum(thing.is_slow for thing in in_vain)
        return {
            "lock_timeout": min(quartered(settings.DATABASE_WAITS["lock"], len(in_vain)), left),
            "statement_timeout": min(quartered(settings.DATABASE_WAITS["statement"], slow), left),
        }


@contextmanager
def limited(connection: BaseDatabaseWrapper, limits: dict[str, float]) -> Iterator[None]:
    """Apply limits to one statement.

    After a failure in a transaction nothing can be set; its rollback undoes the settings.
    """
    if not is_free(connection):
        yield
        return
    try:
        apply(connection, {name: f"'{int(1000 * value)}ms'" for name, value in limits.items()})
        yield
    finally:
        if is_free(connection):
            apply(connection, dict.fromkeys(limits, "DEFAULT"))


def is_free(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether the server would accept another statement now."""
    found = connection.connection
    return found is not None and found.info.transaction_status in TAKES_STATEMENTS


def apply(connection: BaseDatabaseWrapper, values: dict[str, str]) -> None:
    with connection.wrap_database_errors:
        connection.connection.execute("; ".join(f"SET {name} = {v}" for name, v in values.items()))


waits = Waits()
request_started.connect(waits.begin)
