"""Changes to a space's set-up that are more than one form field."""

from collections.abc import Callable, Collection

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from spaces.models import Place, Space

#: Called before a place's parts change; an app that keeps data about places appends its own check.
#: Each returns a sentence that forbids it, or None. (`bookings` objects if there are upcoming
#: ones.)
objections: list[Callable[[Place], str | None]] = []

#: Called before places are deleted: returns reasons to keep them, as sentences. (`bookings`
#: names places with bookings: history needs them.)
keepers: list[Callable[[Collection[Place]], list[str]]] = []

#: Stands for the number in a name pattern.
NUMBER = "{number}"


class PartsError(ValueError):
    """These places can't be the parts of that one; the text says why."""


class NumbersTaken(ValueError):
    """Other places have some of these numbers; the text says which."""


def lock_places(*spaces: Space | int) -> None:
    """Keep every booking in these spaces waiting until this transaction ends.

    A booking locks its own place before it reads hours, closures and parts; whoever changes
    those locks all places, in the same order.
    """
    list(
        Place.objects.filter(space__in=spaces)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk")
    )


def lock_setup(*spaces: int) -> None:
    """Lock the places, and keep anybody from adding one that could be booked meanwhile."""
    lock_places(*spaces)
    # Places before spaces, as everywhere: a closure locks the places, then refers to the space.
    rows = Space.objects.filter(pk__in=spaces).order_by("pk")
    list(rows.select_for_update().values_list("pk"))
    lock_places(*spaces)  # including those that were just being added


def generate_places(
    space: Space,
    *,
    kind: str,
    first_number: int,
    count: int,
    capacity: int,
    features: Collection[str] = (),
    name: str = "",
) -> list[Place]:
    """Create `count` places of one kind with consecutive numbers, all or nothing.

    In `name`, {number} stands for each place's number. Raises NumbersTaken.
    """
    numbers = range(first_number, first_number + count)
    places = [
        Place(
            space=space,
            number=number,
            name=name.replace(NUMBER, str(number)),
            kind=kind,
            capacity=capacity,
            features=list(features),
        )
        for number in numbers
    ]
    try:
        with transaction.atomic():
            return Place.objects.bulk_create(places)
    except IntegrityError as error:
        taken = Place.objects.numbers_taken(space, numbers)
        if not taken:
            raise
        raise NumbersTaken(
            _("These numbers are taken: %(numbers)s.") % {"numbers": ", ".join(map(str, taken))}
        ) from error


@transaction.atomic
def set_parts(place: Place, parts: Collection[Place]) -> None:
    """Make `place` a composite of `parts` (none: a simple place again).

    Its capacity stays the same. Raises PartsError for parts from another space, for cycles, and
    when an app objects.
    """
    check_parts(place, parts)
    place.parts.set(parts)


def check_parts(place: Place, parts: Collection[Place]) -> None:
    """Raise what `set_parts` would; the result holds until this transaction ends."""
    lock_places(place.space)
    pairs = set(Place.objects.pairs_of_parts(place.space))
    wanted = {part.pk for part in parts}
    if wanted == {part for whole, part in pairs if whole == place.pk}:
        return
    if any(part.space_id != place.space_id for part in parts):
        raise PartsError(_("Every part must be in the same space."))
    wholes = _with_wholes(place.pk, pairs)
    if wanted & wholes:
        raise PartsError(_("A place can’t be a part of itself."))
    # A booking of any of these takes the slots of leaves that are about to change.
    for whole in Place.objects.filter(pk__in=wholes).by_number():
        for objection in objections:
            if sentence := objection(whole):
                raise PartsError(sentence)


def _with_wholes(place: int, pairs: set[tuple[int, int]]) -> set[int]:
    """Return a place and every place that it is part of, at any depth."""
    found = {place}
    while more := {whole for whole, part in pairs if part in found} - found:
        found |= more
    return found
