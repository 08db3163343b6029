"""The rows of the final database, read with plain SQL and no model."""

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from chaos.checker import Booking, Slot

BOOKINGS = (
    "SELECT id, code, member_id, request_key, place_id, starts_at, ends_at, state"
    " FROM bookings_booking ORDER BY id"
)
SLOTS = "SELECT booking_id, place_id, slot FROM bookings_bookedslot"


def read(url: str) -> tuple[list[Booking], list[Slot]]:
    """Return all bookings and slots of the database at this address."""
    connection: Any
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(url)
    try:
        bookings = [_booking(*row) for row in _rows(connection, BOOKINGS)]
        slots = [Slot(booking, place, _time(at)) for booking, place, at in _rows(connection, SLOTS)]
    finally:
        connection.close()
    return bookings, slots


def _rows(connection: Any, query: str) -> Iterable[tuple[Any, ...]]:
    found: Iterable[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found


def _booking(*row: Any) -> Booking:
    number, code, member, key, place, starts_at, ends_at, state = row
    return Booking(
        number, UUID(str(code)), member, key, place, _time(starts_at), _time(ends_at), state
    )


def _time(value: str | datetime) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)
