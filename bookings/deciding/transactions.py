"""One service call is one transaction, retried as a whole where that can't do anything twice."""

import random
import time
from collections.abc import Callable
from functools import wraps

from django.db import InterfaceError, OperationalError, connection, transaction

from accounts import lateness, watching

ATTEMPTS = 8
AGAIN = {"40001": "serialization", "40P01": "deadlock"}


def wants_retry(error: BaseException) -> bool:
    """Tell whether the same transaction may succeed on a second run.

    PostgreSQL says so by SQLSTATE, SQLite by its busy and locked errors.
    """
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in AGAIN:
        return True
    return str(getattr(cause, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def transactional[**P, R](service: Callable[P, R]) -> Callable[P, R]:
    """Run a service in its own transaction; retry on conflict, after a growing random pause.

    On another connection, once, if this one was lost or leads to a former primary; but never once
    a COMMIT was sent, unless the database itself says that it failed: nobody knows what arrived.
    Whoever asks again is answered by their `request_key`.
    Only as the outermost: what it returns is committed (`durable`).
    """

    service = _in_time(service)

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with watching.part(service.__name__):
            return attempts(*args, **kwargs)

    def attempts(*args: P.args, **kwargs: P.kwargs) -> R:
        is_reconnected = False
        for attempt in range(1, ATTEMPTS + 1):
            is_lost = False
            try:
                with transaction.atomic(durable=True):
                    try:
                        return service(*args, **kwargs)
                    except (OperationalError, InterfaceError):
                        is_lost = getattr(connection, "is_lost", False)
                        raise
            except (OperationalError, InterfaceError) as error:
                if is_lost and not is_reconnected:
                    is_reconnected = True
                    if getattr(connection, "is_lost", False):  # or Django replaced it by now
                        connection.close()
                elif attempt == ATTEMPTS or not wants_retry(error):
                    raise
                watching.tell("retries", reason="connection" if is_lost else _reason(error))
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - spreads, hides nothing
        raise AssertionError("the last attempt returns or raises")

    return run


def _reason(error: BaseException) -> str:
    return AGAIN.get(getattr(error.__cause__, "sqlstate", None) or "", "busy")


def _in_time[**P, R](service: Callable[P, R]) -> Callable[P, R]:
    """Raise Late at the end of what nobody waits for any more: nothing of it is committed."""

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        result = service(*args, **kwargs)
        lateness.require_in_time()
        return result

    return run
