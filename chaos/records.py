"""The rows of the final database, read with plain SQL and no model."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from chaos.checker import Booking, Quota, Slot

BOOKINGS = (
    "SELECT id, code, member_id, request_key, place_id, starts_at, ends_at, state, decided_at"
    " FROM bookings_booking ORDER BY id"
)
#: The API's own keys stand in the rows; this is what the programs sent.
KEYS = "SELECT code, key FROM accounts_idempotencykey"
SLOTS = "SELECT booking_id, place_id, slot FROM bookings_bookedslot"
PARTS = "SELECT from_place_id, to_place_id FROM spaces_place_parts"
QUOTAS = (
    "SELECT id, max_upcoming, space_id, kind, COALESCE(group_id, -tier_id), changed_at"
    " FROM spaces_policy"
    " WHERE max_upcoming IS NOT NULL ORDER BY id"
)
API_KEY = len("api:") + 36
PLACES = "SELECT id, space_id, kind FROM spaces_place"
#: Groups, and tiers, negated.
MEMBERS = (
    "SELECT group_id, user_id FROM accounts_user_groups"
    " UNION ALL SELECT -tier_id, user_id FROM accounts_tiermember"
)


def read(url: str) -> tuple[list[Booking], list[Slot]]:
    """Return all bookings and slots of the database at this address.

    A booking's key is the one that its request was sent with.
    """
    with connected(url) as connection:
        bookings = [_booking(*row) for row in rows(connection, BOOKINGS)]
        sent = {f"api:{UUID(str(code))}": key for code, key in rows(connection, KEYS)}
        slots = [Slot(booking, place, time(at)) for booking, place, at in rows(connection, SLOTS)]
    return [replace(each, key=_sent(each.key, sent)) for each in bookings], slots


def leaves(url: str) -> dict[int, list[int]]:
    """Return the innermost parts of each composite place."""
    with connected(url) as connection:
        pairs = list(rows(connection, PARTS))
    parts: dict[int, list[int]] = defaultdict(list)
    for whole, part in pairs:
        parts[whole].append(part)
    return {whole: sorted(_innermost(parts, whole, frozenset())) for whole in list(parts)}


def quotas(url: str) -> list[Quota]:
    """Return how many upcoming bookings members may have, and where."""
    with connected(url) as connection:
        places, members = list(rows(connection, PLACES)), list(rows(connection, MEMBERS))
        found = list(rows(connection, QUOTAS))
    return [
        Quota(
            most,
            frozenset(pk for pk, there, of in places if there == space and kind in ("", of)),
            None if group is None else frozenset(who for of, who in members if of == group),
            time(since),
        )
        for _id, most, space, kind, group, since in found
    ]


def _sent(key: str | None, sent: Mapping[str, str]) -> str | None:
    """Return the key of the request whose claim this is; in a batch, with the item's number."""
    if key is None or not key.startswith("api:"):
        return key
    claim, number = key[:API_KEY], key[API_KEY:]
    return f"{sent[claim]}{number}" if claim in sent else key


def _innermost(parts: Mapping[int, list[int]], place: int, above: Set[int]) -> set[int]:
    if place in above:
        raise ValueError(f"place {place} is a part of itself")
    if place not in parts:
        return {place}
    return {leaf for part in parts[place] for leaf in _innermost(parts, part, above | {place})}


@contextmanager
def connected(url: str) -> Iterator[Any]:
    connection: Any
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(url)
    try:
        yield connection
    finally:
        connection.close()


def rows(connection: Any, query: str) -> Iterable[tuple[Any, ...]]:
    found: Iterable[tuple[Any, ...]] = connection.execute(query).fetchall()
    return found


def _booking(*row: Any) -> Booking:
    number, code, member, key, place, starts_at, ends_at, state, decided_at = row
    return Booking(
        number,
        UUID(str(code)),
        member,
        key,
        place,
        time(starts_at),
        time(ends_at),
        state,
        None if decided_at is None else time(decided_at),
    )


def time(value: str | datetime) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)
