"""Queries on spaces and places."""

from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Any, Self

from django.db import models
from django.db.models import Count, Max, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from spaces.related import related, through

WORDS = 8  # in a search; more would only slow it down


class SpaceQuerySet[S: models.Model](models.QuerySet[S]):
    def open_to_members(self) -> Self:
        return self.filter(is_active=True)

    def by_slug(self, *, after: str = "") -> Self:
        return self.filter(slug__gt=after).order_by("slug")

    def by_name(self) -> Self:
        return self.order_by("name", "pk")

    def called(self, text: str) -> Self:
        """Keep those whose name or address has all words of a text; all for an empty one."""
        found = self
        for word in text.split()[:WORDS]:
            # SQLite folds no other letters than English ones.
            spellings = {word, word.lower(), word.upper(), word.capitalize()}
            wanted = [Q(name__icontains=each) | Q(address__icontains=each) for each in spellings]
            found = found.filter(reduce(or_, wanted))
        return found

    def reachable(self) -> Self:
        """Spaces with contact details for their staff."""
        return self.exclude(phone="", email="")

    def that_forget_guests(self) -> Self:
        return self.exclude(guest_retention_days=None).order_by("pk")

    def hours_of_reminders(self) -> list[int]:
        """Return how many hours before the start members are reminded, without duplicates."""
        numbers = self.exclude(reminder_hours=None).values_list("reminder_hours", flat=True)
        return sorted({number for number in numbers.distinct() if number is not None})

    def run_by(self, user: User) -> Self:
        """Spaces whose day this person runs: host or manager there, or superuser."""
        return self if user.is_superuser else self.filter(staff_roles__user=user)

    def that_release(self) -> Self:
        """Spaces with a policy that gives places back when nobody checks in."""
        return self.filter(policies__release_after_minutes__isnull=False)

    def managed_by(self, user: User) -> Self:
        """Spaces this person sets up: manager there, or superuser."""
        if user.is_superuser:
            return self
        return self.filter(staff_roles__user=user, staff_roles__role="MANAGER")

    def with_place_count(self) -> Self:
        """Annotate `place_count`."""
        places = related(self.model, "places").filter(space=OuterRef("pk")).values("space")
        return self.annotate(
            place_count=Coalesce(Subquery(places.annotate(n=Count("pk")).values("n")), 0)
        )


class PlaceQuerySet[P: models.Model](models.QuerySet[P]):
    def bookable(self) -> Self:
        return self.filter(is_bookable=True, space__is_active=True)

    def by_number(self) -> Self:
        return self.order_by("number")

    def in_space(self, space: models.Model) -> Self:
        return self.filter(space=space)

    def in_spaces(self, spaces: SpaceQuerySet[Any]) -> Self:
        return self.filter(space__in=spaces)

    def numbers_taken(self, space: models.Model, numbers: range) -> list[int]:
        """Return which of these consecutive numbers a space's places already have, in order."""
        taken = self.filter(space=space, number__gte=numbers[0], number__lte=numbers[-1])
        return list(taken.by_number().values_list("number", flat=True))

    def next_number(self, space: models.Model) -> int:
        """Return the number after the highest in a space."""
        highest: int | None = self.filter(space=space).aggregate(n=Max("number"))["n"]
        return (highest or 0) + 1

    def pairs_of_parts(self, space: models.Model) -> "models.QuerySet[Any, tuple[int, int]]":
        """Return (whole, part) for every composite of a space."""
        return self.pairs_of_parts_in([space.pk])

    def pairs_of_parts_in(self, spaces: Collection[int]) -> "models.QuerySet[Any, tuple[int, int]]":
        """Return (whole, part) for every composite of these spaces."""
        rows: models.QuerySet[Any] = through(self.model).filter(from_place__space__in=spaces)
        return rows.values_list("from_place_id", "to_place_id")
