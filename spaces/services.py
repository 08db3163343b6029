"""What changes a space's set-up beyond one form field."""

from collections.abc import Callable, Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from spaces.models import Place, Space

#: Asked before a place's parts change; an app that keeps something on places appends its question.
#: Each returns a sentence that forbids it, or None. (`bookings` objects while bookings are upcoming.)
objections: list[Callable[[Place, datetime], str | None]] = []


class PartsError(ValueError):
    """These places can't be the parts of that one; the text says why."""


def lock_places(space: Space) -> None:
    """Keep every booking in a space waiting until this transaction ends.

    A booking locks its own place before it reads hours, closures and parts; whoever changes what
    was read locks them all, in the same order.
    """
    list(
        Place.objects.filter(space=space)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk")
    )


@transaction.atomic
def set_parts(place: Place, parts: Collection[Place], *, now: datetime) -> None:
    """Make `place` a composite of `parts` (none: a simple place again).

    Raises PartsError for parts of another space, for circles, and when an app objects.
    """
    lock_places(place.space)
    if set(place.parts.all()) == set(parts):
        return
    if any(part.space_id != place.space_id for part in parts):
        raise PartsError(_("Every part must be in the same space."))
    inner = {
        whole: set(map(int, pks))
        for whole, pks in _parts_of(place.space).items()
        if whole != place.pk
    }
    todo, seen = [part.pk for part in parts], set()
    while todo:
        pk = todo.pop()
        if pk == place.pk:
            raise PartsError(_("A place can't be a part of itself."))
        if pk not in seen:
            seen.add(pk)
            todo.extend(inner.get(pk, ()))
    for objection in objections:
        for touched in {place, *parts, *place.parts.all()}:
            if sentence := objection(touched, now):
                raise PartsError(sentence)
    place.parts.set(parts)


def _parts_of(space: Space) -> dict[int, list[int]]:
    rows = Place.parts.through.objects.filter(from_place__space=space)
    parts: dict[int, list[int]] = {}
    for whole, part in rows.values_list("from_place_id", "to_place_id"):
        parts.setdefault(whole, []).append(part)
    return parts
