"""What a run left in the database, read with plain SQL from SQLite or PostgreSQL."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg

from chaos import records
from chaos.checker import Booking, Slot


@dataclass(frozen=True)
class Row:
    """A booking, with what only some checks need."""

    booking: Booking
    login: str | None  # of the member; None for a guest
    problems: tuple[str, ...]  # why it was refused
    created_at: float

    @property
    def code(self) -> str:
        return str(self.booking.code)

    @property
    def state(self) -> str:
        return self.booking.state


@dataclass(frozen=True)
class Place:
    code: str
    space: int
    kind: str


@dataclass(frozen=True)
class Quota:
    """At most so many upcoming bookings of a member in a space."""

    id: int
    space: int
    kind: str  # of place; empty: any
    group: int | None  # of members; None: everybody
    most: int
    set_at: float


@dataclass(frozen=True)
class Event:
    id: int
    booking: int
    sequence: int
    kind: str
    at: float
    state: str
    place: str  # its code
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Endpoint:
    """A listener as the application knows it."""

    id: int
    name: str  # how a history calls it
    space: int | None
    kinds: tuple[str, ...]  # empty: all
    is_active: bool
    since: float
    was_sent: bool


@dataclass
class Tables:
    """Everything that is judged."""

    rows: list[Row] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    places: dict[int, Place] = field(default_factory=dict)
    leaves: dict[int, list[int]] = field(default_factory=dict)  # of places that have parts
    quotas: list[Quota] = field(default_factory=list)
    groups: dict[str, set[int]] = field(default_factory=dict)  # of members, by login
    events: dict[int, list[Event]] = field(default_factory=dict)  # by booking, in order
    endpoints: list[Endpoint] = field(default_factory=list)
    #: How far the outbox got with an event, by endpoint and event.
    deliveries: dict[tuple[int, int], str] = field(default_factory=dict)

    @property
    def bookings(self) -> list[Booking]:
        return [row.booking for row in self.rows]


def read(url: str) -> Tables:
    """Read the database at this address."""
    bookings, slots = records.read(url)
    with _connected(url) as connection:
        ask = connection.execute
        more = {
            number: (login, tuple(_data(problems)), _epoch(created_at))
            for number, login, problems, created_at in ask(_MORE).fetchall()
        }
        parts: dict[int, list[int]] = defaultdict(list)
        for whole, part in ask("SELECT from_place_id, to_place_id FROM spaces_place_parts"):
            parts[whole].append(part)
        groups: dict[str, set[int]] = defaultdict(set)
        for login, group in ask(_GROUPS):
            groups[login].add(group)
        return Tables(
            rows=[Row(each, *more[each.id]) for each in bookings if each.id in more],
            slots=slots,
            places={pk: Place(_code(code), *rest) for pk, code, *rest in ask(_PLACES)},
            leaves={whole: _leaves(parts, whole) for whole in list(parts)},
            quotas=[Quota(*row[:5], set_at=_epoch(row[5])) for row in ask(_QUOTAS)],
            groups=groups,
            events=_events(ask(_EVENTS)),
            endpoints=[_endpoint(*row) for row in ask(_ENDPOINTS).fetchall()],
            deliveries={(to, event): state for to, event, state in ask(_DELIVERIES)},
        )


_MORE = (
    "SELECT b.id, u.username, b.problems, b.created_at FROM bookings_booking b"
    " LEFT JOIN accounts_user u ON u.id = b.member_id"
)
_GROUPS = (
    "SELECT u.username, g.group_id FROM accounts_user_groups g JOIN accounts_user u"
    " ON u.id = g.user_id"
)
_PLACES = "SELECT id, code, space_id, kind FROM spaces_place"
_QUOTAS = (
    "SELECT id, space_id, kind, group_id, max_upcoming, changed_at FROM spaces_policy"
    " WHERE max_upcoming IS NOT NULL ORDER BY id"
)
_EVENTS = (
    "SELECT id, booking_id, sequence, kind, at, data FROM bookings_bookingevent"
    " ORDER BY booking_id, sequence, id"
)
_ENDPOINTS = (
    "SELECT e.id, e.channel, e.url, e.space_id, e.kinds, e.is_active, e.listens_since,"
    " EXISTS (SELECT 1 FROM notifications_delivery d WHERE d.endpoint_id = e.id)"
    " FROM notifications_endpoint e WHERE e.channel IN ('WEBHOOK', 'KAFKA') ORDER BY e.id"
)
_DELIVERIES = (
    "SELECT endpoint_id, event_id, state FROM notifications_delivery WHERE purpose = 'EVENT'"
)


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    connection: Any
    if url.startswith("sqlite:///"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    else:
        connection = psycopg.connect(url)
    try:
        yield connection
    finally:
        connection.close()


def _leaves(parts: dict[int, list[int]], place: int, above: tuple[int, ...] = ()) -> list[int]:
    inner = [part for part in parts.get(place, []) if part not in above]
    if not inner:
        return [place]
    return sorted({leaf for part in inner for leaf in _leaves(parts, part, (*above, place))})


def _events(found: Any) -> dict[int, list[Event]]:
    events: dict[int, list[Event]] = defaultdict(list)
    for pk, booking, sequence, kind, at, data in found:
        told = _data(data)
        events[booking].append(
            Event(
                pk,
                booking,
                sequence,
                kind,
                _epoch(at),
                told["state"],
                _code(told["place"]["code"]),
                datetime.fromisoformat(told["starts_at"]).astimezone(UTC),
                datetime.fromisoformat(told["ends_at"]).astimezone(UTC),
            )
        )
    return events


def _endpoint(*row: Any) -> Endpoint:
    pk, channel, url, space, kinds, is_active, since, was_sent = row
    name = "kafka" if channel == "KAFKA" else url.rstrip("/").rpartition("/")[2]
    chosen = tuple(_data(kinds))
    return Endpoint(pk, name, space, chosen, bool(is_active), _epoch(since), bool(was_sent))


def _data(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _code(value: Any) -> str:
    return str(UUID(str(value)))


def _epoch(value: str | datetime) -> float:
    if isinstance(value, str):
        value = datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.timestamp()
