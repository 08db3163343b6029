"""How long a booking is when only its start was asked for."""

from datetime import datetime, timedelta

from spaces.limits import Limits
from spaces.slots import Period
from spaces.venue import Venue

USUAL = timedelta(hours=2)


def usual(limits: Limits) -> timedelta:
    """Return two hours, or what the limits allow that is nearest, in whole steps."""
    return max(limits.shortest, min(limits.longest, USUAL // limits.step * limits.step))


def until(venue: Venue, kind: str, starts_at: datetime, party_size: int) -> Period:
    """Return the time that a party gets: the house's turn time, or the usual one."""
    turn = venue.turn(kind, starts_at, party_size)
    try:
        return Period(starts_at, starts_at + (turn or usual(venue.limits(kind, starts_at))))
    except OverflowError:  # at the end of the calendar; the rules say that it is too far away
        return Period(starts_at - USUAL, starts_at)
