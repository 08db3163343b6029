"""How long requests and steps wait for the database."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db.backends.signals import connection_created

from accounts import watching

SLOW = 0.2  # seconds


class Spent(threading.local):
    """What this thread waited since it last told."""

    seconds = 0.0
    statements = 0


spent = Spent()


def measure(
    execute: Callable[..., Any], sql: Any, values: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Execute a statement and note how long that took: a wrapper for Django."""
    began = time.perf_counter()
    try:
        if not watching.traceparent():
            return execute(sql, values, many, context)
        text = str(sql)
        with watching.part(named(text), kind="client", sql=text):
            return execute(sql, values, many, context)
    finally:
        took = time.perf_counter() - began
        spent.seconds += took
        spent.statements += 1
        if took > SLOW:
            watching.tell("slow_statements")


def named(sql: str) -> str:
    """Return a statement's verb."""
    return sql.split(None, 1)[0].upper() if sql.strip() else "SQL"


def tell() -> None:
    """Tell what was waited for since the last time."""
    if spent.statements:
        watching.tell("statements", spent.statements)
        watching.tell("database_seconds", spent.seconds)
        spent.seconds, spent.statements = 0.0, 0


def _install(connection: Any, **_: object) -> None:
    # First, as Django takes the last one off when it is done with one for the time being.
    if measure not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, measure)


def install() -> None:
    connection_created.connect(_install, dispatch_uid="config.watching.database")
