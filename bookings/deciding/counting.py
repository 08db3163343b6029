"""Counts what is refused at once, by space, local day, reason and door: it leaves no other row.

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
from bookings.guests import BY_GUEST, Actor
from bookings.models import Booking
from bookings.refusals import Door, RefusalCount
from spaces.models import Space

logger = logging.getLogger("mesto.refusals")

#: So many rows share a count of one door. The first ones belong to no door.
PARTS = 4
DOORS = list(Door)

#: Wishes for other days are no wishes, and would let anybody fill the table.
AROUND_NOW = timedelta(days=400)

#: Which space a call wishes for, when, and by which door; None counts nothing.
type Wished = Callable[..., tuple[Space, datetime, Door] | None]

#: Through which door who books so has come.
BY_CHANNEL: dict[str, Door] = {
    Booking.Channel.STAFF: Door.PHONE,
    Booking.Channel.WALK_IN: Door.WALK_IN,
}


def door_of(channel: str) -> Door:
    return BY_CHANNEL.get(channel, Door.ONLINE)


def door_of_change(booking: Booking, by: Actor | None) -> Door:
    """Return through which door somebody changes a booking."""
    is_own = by is BY_GUEST or by == booking.member
    return Door.ONLINE if is_own else Door.DESK


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
                wish, now = wished(*args, **kwargs), kwargs["now"]
                assert isinstance(now, datetime)
                if wish and abs(wish[1] - now) <= AROUND_NOW and not replica.is_read():
                    _count(*wish, _codes(error))
                raise

        return run

    return decorate


def _codes(error: BookingError) -> list[str]:
    if isinstance(error, Refused):
        return sorted({problem.code for problem in error.problems})
    return [error.code]


def _count(space: Space, at: datetime, door: Door, codes: Iterable[str]) -> None:
    """Add one for each reason, always in the same order: so nobody waits for each other."""
    day = at.astimezone(space.zone).date()
    part = PARTS * (1 + DOORS.index(door)) + random.randrange(PARTS)  # noqa: S311 - spreads, hides nothing
    table = connection.ops.quote_name(RefusalCount._meta.db_table)
    rows = [(space.pk, day, code, part, str(door)) for code in codes]
    marks = ", ".join(["(%s, %s, %s, %s, %s, 1)"] * len(rows))
    sql = (
        f"INSERT INTO {table} (space_id, day, code, part, door, count) VALUES {marks} "  # noqa: S608 - our own names and marks
        f"ON CONFLICT (space_id, day, code, part) DO UPDATE SET count = {table}.count + 1"
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, [value for row in rows for value in row])
    except (DatabaseError, InterfaceError):
        logger.warning("a refusal could not be counted", exc_info=True)
