"""Counts what is refused at once, by space, local day and reason: such a wish leaves no other row.

Written when the refused transaction has been rolled back, in one statement of its own. A count that
can't be written is lost, and the person is answered as if it had been.
"""

import logging
import random
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import wraps

from django.db import DatabaseError, InterfaceError, connection

from accounts import replica, watching
from bookings.deciding.errors import BookingError, Refused, SlotTaken, TooLate
from bookings.refusals import RefusalCount
from spaces.models import Space

logger = logging.getLogger("mesto.refusals")

#: So many rows share a count.
PARTS = 4

#: Wishes for other days are no wishes, and would let anybody fill the table.
AROUND_NOW = timedelta(days=400)

#: Which space a call wishes for, and when.
type Wished = Callable[..., tuple[Space, datetime]]


def counted[**P, R](wished: Wished) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Count what a service refuses; around its transaction. Its `now` is a keyword."""

    def decorate(service: Callable[P, R]) -> Callable[P, R]:
        @wraps(service)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return service(*args, **kwargs)
            except (Refused, SlotTaken, TooLate) as error:
                for code in _codes(error):
                    watching.tell("refusals", rule=code)
                space, at = wished(*args, **kwargs)
                now = kwargs["now"]
                assert isinstance(now, datetime)
                if abs(at - now) <= AROUND_NOW and not replica.is_read():
                    _count(space, at, _codes(error))
                raise

        return run

    return decorate


def _codes(error: BookingError) -> list[str]:
    if isinstance(error, Refused):
        return sorted({problem.code for problem in error.problems})
    return [error.code]


def _count(space: Space, at: datetime, codes: Iterable[str]) -> None:
    """Add one for each reason, always in the same order: so nobody waits for each other."""
    part, day = random.randrange(PARTS), at.astimezone(space.zone).date()  # noqa: S311 - spreads, hides nothing
    table = connection.ops.quote_name(RefusalCount._meta.db_table)
    rows = [(space.pk, day, code, part) for code in codes]
    marks = ", ".join(["(%s, %s, %s, %s, 1)"] * len(rows))
    sql = (
        f"INSERT INTO {table} (space_id, day, code, part, count) VALUES {marks} "  # noqa: S608 - our own names and marks
        f"ON CONFLICT (space_id, day, code, part) DO UPDATE SET count = {table}.count + 1"
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for row in rows for value in row])
    except (DatabaseError, InterfaceError):
        logger.warning("a refusal could not be counted", exc_info=True)
