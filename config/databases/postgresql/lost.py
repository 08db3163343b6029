"""A connection that was lost while nobody used it is replaced, and nobody notices.

Django can ask before each request whether the connection still works: a round trip that is in vain
almost always. Here a request's first statement finds out. If the connection turns out to be gone,
the statement is executed once more on a new one, where that can't do anything twice: it reads, or
it is the first of a transaction, which nobody has committed. A change that commits by itself asks
first. Later statements aren't repeated: something may depend on what was done before.
"""

import re
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError

READS = re.compile(r"\s*SELECT\b")


def first(
    execute: Callable[..., Any], sql: Any, values: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Execute the first statement since the connection rested: a wrapper for Django."""
    database: Any = context["connection"]  # a `DatabaseWrapper` of ours
    database.execute_wrappers.remove(first)
    if database.autocommit and not READS.match(str(sql)):
        if not database.is_usable():
            database.replace(context["cursor"])
        return execute(sql, values, many, context)
    try:
        return execute(sql, values, many, context)
    except (OperationalError, InterfaceError):
        if not database.is_lost:
            raise
        database.replace(context["cursor"])
        return execute(sql, values, many, context)
