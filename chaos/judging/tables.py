"""What a run left in the database, read with plain SQL from SQLite or PostgreSQL."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from chaos import records
from chaos.checker import Booking, Quota, Slot

#: What members get mail about.
MAILED = ("CONFIRMED", "MOVED", "KEPT", "NO_SHOW", "CANCELLED", "REJECTED")


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
    members: dict[str, int] = field(default_factory=dict)  # by login
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
    with records.connected(url) as connection:
        ask = partial(records.rows, connection)
        more = {
            number: (login, tuple(_data(problems)), _epoch(created_at))
            for number, login, problems, created_at in ask(_MORE)
        }
        return Tables(
            rows=[Row(each, *more[each.id]) for each in bookings if each.id in more],
            slots=slots,
            places={pk: Place(_code(code), *rest) for pk, code, *rest in ask(_PLACES)},
            leaves=records.leaves(url),
            quotas=records.quotas(url),
            members={login: pk for pk, login in ask(_MEMBERS)},
            events=_events(ask(_EVENTS)),
            endpoints=[_endpoint(*row) for row in ask(_ENDPOINTS)],
            deliveries={(to, event): state for to, event, state in ask(_DELIVERIES)},
        )


_MORE = (
    "SELECT b.id, u.username, b.problems, b.created_at FROM bookings_booking b"
    " LEFT JOIN accounts_user u ON u.id = b.member_id"
)
_MEMBERS = "SELECT id, username FROM accounts_user"
_PLACES = "SELECT id, code, space_id FROM spaces_place"
_EVENTS = (
    "SELECT id, booking_id, sequence, kind, at, data FROM bookings_bookingevent"
    " ORDER BY booking_id, sequence, id"
)
_ENDPOINTS = (
    "SELECT e.id, e.channel, e.url, e.space_id, e.kinds, e.is_active, e.listens_since,"
    " EXISTS (SELECT 1 FROM notifications_delivery d WHERE d.endpoint_id = e.id)"
    " FROM notifications_endpoint e ORDER BY e.id"
)
_DELIVERIES = (
    "SELECT endpoint_id, event_id, state FROM notifications_delivery WHERE purpose = 'EVENT'"
)


def _events(found: Iterable[tuple[Any, ...]]) -> dict[int, list[Event]]:
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
    name = url.rstrip("/").rpartition("/")[2] if channel == "WEBHOOK" else channel.lower()
    chosen = MAILED if channel == "MAIL" else tuple(_data(kinds))
    return Endpoint(pk, name, space, chosen, bool(is_active), _epoch(since), bool(was_sent))


def _data(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _code(value: Any) -> str:
    return str(UUID(str(value)))


def _epoch(value: str | datetime) -> float:
    return records.time(value).timestamp()
