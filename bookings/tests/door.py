"""Parties at the door, for tests."""

from datetime import UTC, datetime, timedelta

from bookings.deciding import holds
from bookings.deciding.waiting_list import Newcomer
from bookings.deciding.waiting_list import add as add_to_list
from bookings.deciding.walk_ins import Seat
from spaces.slots import floor

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def add(space, name="Anna", *, by, now, **said):
    """Write a party down."""
    return add_to_list(space, Newcomer(name=name, **{"party_size": 2, **said}), by=by, now=now)


def told(table, name="Anna", *, by, now, **said):
    """Write a party down, and tell it that a table is ready."""
    party = add(table.space, name, by=by, now=now, **said)
    return holds.tell(party, Seat(table, floor(now) + HOUR), by=by, now=now)
