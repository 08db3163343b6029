"""The smallest valid rows, for tests and demo data."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import factory
from factory.django import DjangoModelFactory

from spaces.models import Closure, OpeningHours, Place, Policy, Shift, Space, TurnTime


class SpaceFactory(DjangoModelFactory[Space]):
    class Meta:
        model = Space

    slug = factory.Sequence(lambda n: f"space-{n}")
    name = factory.Sequence(lambda n: f"Space {n}")


class OpeningHoursFactory(DjangoModelFactory[OpeningHours]):
    class Meta:
        model = OpeningHours

    space = factory.SubFactory(SpaceFactory)
    weekday = OpeningHours.Weekday.MONDAY
    opens_at = time(8)
    closes_at = time(22)


class PlaceFactory(DjangoModelFactory[Place]):
    class Meta:
        model = Place

    space = factory.SubFactory(SpaceFactory)
    number = factory.Sequence(lambda n: n + 1)


class PolicyFactory(DjangoModelFactory[Policy]):
    class Meta:
        model = Policy

    space = factory.SubFactory(SpaceFactory)

    @classmethod
    def _create(cls, model_class: type[Policy], *args: Any, **kwargs: Any) -> Policy:
        """It is older than anything that happens in a test."""
        policy = super()._create(model_class, *args, **kwargs)
        policy.changed_at = datetime(2020, 1, 1, tzinfo=UTC)
        Policy.objects.filter(pk=policy.pk).update(changed_at=policy.changed_at)
        return policy


class ShiftFactory(DjangoModelFactory[Shift]):
    class Meta:
        model = Shift

    space = factory.SubFactory(SpaceFactory)
    name = factory.Sequence(lambda n: f"Shift {n}")
    first_seating = time(18)
    last_seating = time(21)


class TurnTimeFactory(DjangoModelFactory[TurnTime]):
    class Meta:
        model = TurnTime

    space = factory.SubFactory(SpaceFactory)
    from_party = factory.Sequence(lambda n: n + 1)
    minutes = 90


class ClosureFactory(DjangoModelFactory[Closure]):
    class Meta:
        model = Closure

    space = factory.SubFactory(SpaceFactory)
    starts_at = datetime(2026, 11, 25, 10, tzinfo=UTC)
    ends_at = factory.LazyAttribute(lambda closure: closure.starts_at + timedelta(hours=2))
    reason = "Repairs"


def open_space(
    *,
    places: int = 3,
    opens_at: time = time(8),
    closes_at: time = time(22),
    place: dict[str, Any] | None = None,
    **space: Any,
) -> Space:
    """Create a space that is open every day, with places numbered from 1."""
    opened = SpaceFactory.create(**space)
    # Each at once: most tests begin here.
    OpeningHours.objects.bulk_create(
        OpeningHoursFactory.build(
            space=opened, weekday=weekday, opens_at=opens_at, closes_at=closes_at
        )
        for weekday in OpeningHours.Weekday
    )
    Place.objects.bulk_create(
        PlaceFactory.build(space=opened, number=number, **(place or {}))
        for number in range(1, places + 1)
    )
    return opened
