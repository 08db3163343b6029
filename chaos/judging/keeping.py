"""Keeps what is judged of a database as a SQLite file, so that it can be judged again."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chaos import records

#: The columns that are read, by table; the judge reads the copy by the same statements.
COLUMNS = {
    "accounts_user": "id username",
    "accounts_idempotencykey": "code key",
    "accounts_user_groups": "group_id user_id",
    "accounts_tiermember": "tier_id user_id",
    "spaces_place": "id code space_id kind",
    "spaces_place_parts": "from_place_id to_place_id",
    "spaces_policy": "id space_id kind group_id tier_id max_upcoming changed_at",
    "bookings_booking": "id code member_id request_key place_id starts_at ends_at state problems "
    "created_at decided_at",
    "bookings_bookedslot": "booking_id place_id slot",
    "bookings_bookingevent": "id booking_id sequence kind at data",
    "notifications_endpoint": "id channel url space_id kinds is_active listens_since",
    "notifications_delivery": "endpoint_id event_id purpose state",
}


def keep(database_url: str, path: Path) -> None:
    """Copy the tables that are judged, without secrets, into a new file."""
    path.unlink(missing_ok=True)
    copy = sqlite3.connect(path)
    try:
        with records.connected(database_url) as connection:
            for table, columns in COLUMNS.items():
                _copy(connection, copy, table, columns.split())
        copy.commit()
    finally:
        copy.close()


def _copy(connection: Any, copy: sqlite3.Connection, table: str, columns: list[str]) -> None:
    names = ", ".join(columns)
    copy.execute(f"CREATE TABLE {table} ({names})")
    rows: Iterable[tuple[Any, ...]] = records.rows(connection, f"SELECT {names} FROM {table}")
    marks = ", ".join("?" * len(columns))
    copy.executemany(
        f"INSERT INTO {table} ({names}) VALUES ({marks})", (tuple(map(_plain, row)) for row in rows)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    if isinstance(value, list | dict):
        return json.dumps(value)
    return value if value is None or isinstance(value, int | str) else str(value)
