"""Reads the whole set-up of spaces from the database, in one statement that sees one moment.

What it reads from is also what the triggers watch: see `spaces.triggers`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from operator import attrgetter
from typing import Any

from django.db import models
from django.db.models import Aggregate, BigAutoField, Expression, F, JSONField, OuterRef, Subquery
from django.db.models.functions import JSONArray, JSONObject

from accounts.prepared import prepared
from spaces.limits import LIMITS, PolicyValues
from spaces.models import (
    Closure,
    OpeningHours,
    Place,
    Policy,
    SetupStamp,
    Shift,
    Space,
    TurnTime,
)
from spaces.seating import ShiftValues, Turn
from spaces.slots import Hours, Period
from spaces.venue import ClosedPeriod

#: A place's columns, as a row has them.
COLUMNS = tuple(field.attname for field in Place._meta.concrete_fields)


@dataclass(frozen=True)
class Loaded:
    """One space's rows as values. `stamps` are those of the same moment."""

    stamps: tuple[str, ...]
    space: Space
    places: tuple[Place, ...]
    hours: tuple[Hours, ...]
    closures: tuple[ClosedPeriod, ...]
    #: Each with the group that it binds, or the tier, negated; None: everybody.
    policies: tuple[tuple[int | None, PolicyValues], ...]
    parts: dict[int, tuple[int, ...]]
    turns: tuple[Turn, ...] = ()
    shifts: tuple[ShiftValues, ...] = ()


class JSONList(Aggregate):
    """All values of a group as one JSON list, on SQLite and PostgreSQL alike."""

    function = "JSON_GROUP_ARRAY"
    output_field = JSONField()

    def as_postgresql(self, compiler, connection, **context):  # type: ignore[no-untyped-def]  # as Django's
        return super().as_sql(compiler, connection, function="JSONB_AGG", **context)


def _rows(queryset: models.QuerySet[Any], space: str, row: Expression | F) -> Subquery:
    """Return the rows of `queryset` that belong to the outer space, as one JSON list (or None)."""
    return Subquery(
        queryset.filter(**{space: OuterRef("pk")})
        .order_by()
        .values(space)
        .annotate(rows=JSONList(row))
        .values("rows")
    )


LISTS = {
    "stamp_rows": _rows(SetupStamp.objects.all(), "space", F("stamp")),
    "place_rows": _rows(Place.objects.all(), "space", JSONArray(*COLUMNS)),
    "hours_rows": _rows(
        OpeningHours.objects.all(), "space", JSONArray("weekday", "opens_at", "closes_at")
    ),
    "closure_rows": _rows(
        Closure.objects.all(), "space", JSONArray("place_id", "starts_at", "ends_at")
    ),
    "policy_rows": _rows(
        Policy.objects.all(),
        "space",
        JSONObject(
            group=F("group_id"),
            tier=F("tier_id"),
            kind=F("kind"),
            shift=F("shift_id"),
            changed_at=F("changed_at"),
            **{name: F(name) for name in LIMITS},
        ),
    ),
    "turn_rows": _rows(TurnTime.objects.all(), "space", JSONArray("from_party", "minutes")),
    "shift_rows": _rows(
        Shift.objects.all(),
        "space",
        JSONArray(
            *("first_seating", "last_seating", "name", "weekdays", "pk"),
            *("covers_online", "covers_in_house"),
        ),
    ),
    "part_rows": _rows(
        Place.parts.through.objects.all(),
        "from_place__space",
        JSONArray("from_place_id", "to_place_id"),
    ),
}

_SPACES = prepared(
    lambda keys: Space.objects.filter(pk__in=keys).annotate(**LISTS), keys=[BigAutoField()]
)


def load(spaces: Sequence[int]) -> Iterator[Loaded]:
    """Yield what is stored about each of these spaces that exists."""
    for space in _SPACES.rows(keys=spaces):
        # Off the instance again: the lists are several times as large as what is made of them.
        lists = {name: space.__dict__.pop(name) or () for name in LISTS}
        yield Loaded(
            stamps=tuple(lists["stamp_rows"]),
            space=space,
            places=_places(space, lists["place_rows"]),
            hours=tuple(
                Hours(weekday, time.fromisoformat(opens_at), time.fromisoformat(closes_at))
                for weekday, opens_at, closes_at in sorted(lists["hours_rows"])
            ),
            closures=tuple(sorted(map(_closure, lists["closure_rows"]), key=_ends_at)),
            policies=tuple(map(_policy, lists["policy_rows"])),
            parts=_parts(lists["part_rows"]),
            turns=tuple(sorted(Turn(*row) for row in lists["turn_rows"])),
            shifts=tuple(
                sorted(
                    ShiftValues(time.fromisoformat(first), time.fromisoformat(last), *rest)
                    for first, last, *rest in lists["shift_rows"]
                )
            ),
        )


def _places(space: Space, rows: Iterable[list[Any]]) -> tuple[Place, ...]:
    fields = Place._meta.concrete_fields
    # SQLite has neither booleans, UUIDs nor nested JSON: its lists hold what the columns do.
    readers = [
        (n, json.loads if isinstance(field, JSONField) else field.to_python)
        for n, field in enumerate(fields)
        if isinstance(field, models.UUIDField | models.BooleanField | JSONField)
    ]
    places = []
    for row in rows:
        for n, read in readers:
            if read is not json.loads or isinstance(row[n], str):
                row[n] = read(row[n])
        place = Place.from_db(space._state.db, COLUMNS, row)
        place.space = space
        places.append(place)
    return tuple(sorted(places, key=attrgetter("number")))


def _closure(row: list[Any]) -> ClosedPeriod:
    place, starts_at, ends_at = row
    return ClosedPeriod(place, Period(_instant(starts_at), _instant(ends_at)))


def _ends_at(closure: ClosedPeriod) -> datetime:
    return closure.period.ends_at


def _policy(row: dict[str, Any]) -> tuple[int | None, PolicyValues]:
    group, tier = row.pop("group"), row.pop("tier")
    values = PolicyValues(**row | {"changed_at": _instant(row["changed_at"])})
    return (group if tier is None else -tier), values


def _parts(pairs: Iterable[list[int]]) -> dict[int, tuple[int, ...]]:
    parts: dict[int, tuple[int, ...]] = {}
    for whole, part in sorted(pairs):
        parts[whole] = (*parts.get(whole, ()), part)
    return parts


def _instant(text: str) -> datetime:
    """Parse an instant from a JSON row; SQLite writes it naive, in UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
