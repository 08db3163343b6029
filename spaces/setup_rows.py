"""The rows of a space's set-up as JSON lists, which are composed once and then only filled in.

Every booking and every board asks for them. Composing four subqueries takes several times as long
as running them.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.db import connections, models
from django.db.models import Aggregate, Expression, F, JSONField, OuterRef, Q, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONArray, JSONObject

from accounts.models import User
from spaces.limits import LIMITS
from spaces.related import related, related_model, through

#: What the SQL is composed with. Neither is ever asked for: each call replaces them.
SOME_TIME = datetime(1, 1, 1, tzinfo=UTC)
SOME_MEMBER = -1


class JSONList(Aggregate):
    """All values of a group as one JSON list, on SQLite and PostgreSQL alike."""

    function = "JSON_GROUP_ARRAY"
    output_field = JSONField()

    def as_postgresql(self, compiler, connection, **context):  # type: ignore[no-untyped-def]
        return super().as_sql(compiler, connection, function="JSONB_AGG", **context)


def setup_rows(
    spaces: type[models.Model], using: str, *, since: datetime, member: User | None
) -> dict[str, RawSQL]:
    """Return what `compose` does, for a query of spaces on the database `using`."""
    adapt = connections[using].ops.adapt_datetimefield_value
    values: dict[Any, Any] = {adapt(SOME_TIME): adapt(since)}
    if member is not None:
        values[SOME_MEMBER] = member.pk
    composed = _sql(spaces, using, member is not None)
    return {
        name: RawSQL(  # noqa: S611 - the ORM composed it
            sql, [values.get(each, each) for each in params], output_field=JSONField()
        )
        for name, (sql, params) in composed.items()
    }


@cache
def _sql(
    spaces: type[models.Model], using: str, has_member: bool
) -> dict[str, tuple[str, tuple[Any, ...]]]:
    rows = compose(spaces, since=SOME_TIME, member=SOME_MEMBER if has_member else None)
    query = spaces._default_manager.using(using).annotate(**rows).query
    compiler = query.get_compiler(using)
    return {name: compiler.compile(query.annotations[name]) for name in rows}


def compose(
    spaces: type[models.Model], *, since: datetime, member: int | None
) -> dict[str, Subquery]:
    """Return hours, closures that end after `since`, matching policies, and parts."""
    places = related_model(spaces, "places")
    mine = Q(group=None)
    if member is not None:
        mine |= Q(group__in=User.groups.through.objects.filter(user=member).values("group"))
    return {
        "hours_rows": _rows(
            related(spaces, "opening_hours"),
            "space",
            JSONArray("weekday", "opens_at", "closes_at"),
        ),
        "closure_rows": _rows(
            related(spaces, "closures").filter(ends_at__gt=since),
            "space",
            JSONObject(place="place_id", starts_at="starts_at", ends_at="ends_at"),
        ),
        "policy_rows": _rows(
            related(spaces, "policies").filter(mine),
            "space",
            JSONObject(kind=F("kind"), **{name: F(name) for name in LIMITS}),
        ),
        "part_rows": _rows(
            through(places),
            "from_place__space",
            JSONArray("from_place_id", "to_place_id"),
        ),
    }


def _rows(queryset: models.QuerySet[models.Model], space: str, row: Expression) -> Subquery:
    """Return the rows of `queryset` that belong to the outer space, as one JSON list (or None)."""
    return Subquery(
        queryset.filter(**{space: OuterRef("pk")})
        .order_by()
        .values(space)
        .annotate(rows=JSONList(row))
        .values("rows")
    )
