"""One service call is one transaction, retried as a whole when the database asks for it."""

import random
import time
from collections.abc import Callable
from functools import wraps

from django.db import OperationalError, transaction

from accounts import lateness

ATTEMPTS = 8
AGAIN = {"40001", "40P01"}  # serialization failure, deadlock detected


def wants_retry(error: OperationalError) -> bool:
    """Tell whether the same transaction may succeed on a second run.

    PostgreSQL says so by SQLSTATE, SQLite by its busy and locked errors.
    """
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in AGAIN:
        return True
    return str(getattr(cause, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def transactional[**P, R](service: Callable[P, R]) -> Callable[P, R]:
    """Run a service in its own transaction; retry on conflict, after a growing random pause.

    Only as the outermost: what it returns is committed (`durable`).
    """

    service = _in_time(service)

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS):
            try:
                with transaction.atomic(durable=True):
                    return service(*args, **kwargs)
            except OperationalError as error:
                if not wants_retry(error):
                    raise
            time.sleep(random.uniform(0, 0.01 * 2**attempt))  # noqa: S311 - spreads, hides nothing
        with transaction.atomic(durable=True):
            return service(*args, **kwargs)

    return run


def _in_time[**P, R](service: Callable[P, R]) -> Callable[P, R]:
    """Raise Late at the end of what nobody waits for any more: nothing of it is committed."""

    @wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        result = service(*args, **kwargs)
        lateness.require_in_time()
        return result

    return run
