"""What can be asked of spaces and places."""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Aggregate, Count, Expression, F, JSONField, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, JSONArray, JSONObject

if TYPE_CHECKING:
    from accounts.models import User
    from spaces.models import Place, Space  # noqa: F401 - the base classes below name them


class JSONList(Aggregate):
    """All values of a group as one JSON list, on SQLite and PostgreSQL alike."""

    function = "JSON_GROUP_ARRAY"
    output_field = JSONField()

    def as_postgresql(self, compiler, connection, **context):  # type: ignore[no-untyped-def]
        return super().as_sql(compiler, connection, function="JSONB_AGG", **context)


def _rows(queryset: "models.QuerySet[models.Model]", space: str, row: Expression) -> Subquery:
    """Return the rows of `queryset` that belong to the outer space, as one JSON list (or None)."""
    return Subquery(
        queryset.filter(**{space: OuterRef("pk")})
        .order_by()
        .values(space)
        .annotate(rows=JSONList(row))
        .values("rows")
    )


class SpaceQuerySet(models.QuerySet["Space"]):
    def open_to_members(self) -> "SpaceQuerySet":
        return self.filter(is_active=True)

    def by_slug(self, *, after: str = "") -> "SpaceQuerySet":
        return self.filter(slug__gt=after).order_by("slug")

    def hours_of_reminders(self) -> list[int]:
        """Return how many hours before the start members are reminded, each number once."""
        numbers = self.exclude(reminder_hours=None).values_list("reminder_hours", flat=True)
        return sorted({number for number in numbers.distinct() if number is not None})

    def run_by(self, user: "User") -> "SpaceQuerySet":
        """Spaces whose day this person runs: host or manager there, or superuser."""
        return self if user.is_superuser else self.filter(staff_roles__user=user)

    def managed_by(self, user: "User") -> "SpaceQuerySet":
        """Spaces this person sets up: manager there, or superuser."""
        if user.is_superuser:
            return self
        return self.filter(staff_roles__user=user, staff_roles__role="MANAGER")

    def with_place_count(self) -> "SpaceQuerySet":
        """Carry `place_count`."""
        from spaces.models import Place

        places = Place.objects.filter(space=OuterRef("pk")).values("space")
        return self.annotate(
            place_count=Coalesce(Subquery(places.annotate(n=Count("pk")).values("n")), 0)
        )

    def with_setup(self, *, since: datetime, member: "User | None") -> "SpaceQuerySet":
        """Carry hours, closures that end after `since`, matching policies and parts, in one query.

        `spaces.venue.Venue` reads what this writes; nobody else should.
        """
        from spaces.models import Closure, OpeningHours, Place, Policy
        from spaces.venue import LIMITS

        mine = Q(group=None)
        if member is not None:
            mine |= Q(group__in=member.groups.values("pk"))
        return self.annotate(
            hours_rows=_rows(
                OpeningHours.objects.all(), "space", JSONArray("weekday", "opens_at", "closes_at")
            ),
            closure_rows=_rows(
                Closure.objects.filter(ends_at__gt=since),
                "space",
                JSONObject(place="place_id", starts_at="starts_at", ends_at="ends_at"),
            ),
            policy_rows=_rows(
                Policy.objects.filter(mine),
                "space",
                JSONObject(kind=F("kind"), **{name: F(name) for name in LIMITS}),
            ),
            part_rows=_rows(
                Place.parts.through.objects.all(),
                "from_place__space",
                JSONArray("from_place_id", "to_place_id"),
            ),
        )


class PlaceQuerySet(models.QuerySet["Place"]):
    def bookable(self) -> "PlaceQuerySet":
        return self.filter(is_bookable=True, space__is_active=True)

    def by_number(self) -> "PlaceQuerySet":
        return self.order_by("number")

    def in_space(self, space: "Space") -> "PlaceQuerySet":
        return self.filter(space=space)

    def in_spaces(self, spaces: SpaceQuerySet) -> "PlaceQuerySet":
        return self.filter(space__in=spaces)

    def numbers_taken(self, space: "Space", numbers: range) -> list[int]:
        """Return which of consecutive numbers belong to places of a space, in order."""
        taken = self.filter(space=space, number__gte=numbers[0], number__lte=numbers[-1])
        return list(taken.by_number().values_list("number", flat=True))

    def next_number(self, space: "Space") -> int:
        """Return the number after the highest in a space."""
        highest: int | None = self.filter(space=space).aggregate(n=Max("number"))["n"]
        return (highest or 0) + 1

    def pairs_of_parts(self, space: "Space") -> "models.QuerySet[Any, tuple[int, int]]":
        """Return (whole, part) for every composite of a space."""
        return self.pairs_of_parts_in([space.pk])

    def pairs_of_parts_in(self, spaces: Collection[int]) -> "models.QuerySet[Any, tuple[int, int]]":
        """Return (whole, part) for every composite of these spaces."""
        rows = self.model.parts.through.objects.filter(from_place__space__in=spaces)
        return rows.values_list("from_place_id", "to_place_id")
