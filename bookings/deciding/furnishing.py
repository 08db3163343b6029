"""Shifts, turn times and combinations of tables: changed as they were seen, with an answer.

Not all of their rows say when they changed, so what was seen is told by a mark of its values.
"""

from collections.abc import Callable, Collection, Mapping
from hashlib import sha256

from django.db import transaction
from django.utils.translation import gettext as _

from bookings.deciding.rulings import ChangedMeanwhile
from bookings.deciding.stranding import Act, Outcome, Scope, changing
from bookings.models import Booking
from spaces.models import Place, Shift, Space, TurnTime
from spaces.services import set_parts


@transaction.atomic
def carry_out(
    space: Space, change: Callable[[], object], act: Act, *, mark: Callable[[], str], seen: str
) -> Outcome:
    """Change a set-up that was seen with this mark.

    Raises Question, ChangedMeanwhile, and what the change raises; then nothing is changed.
    """
    with changing(Scope(spaces=[space.pk]), act) as outcome:
        if mark() != seen:  # the locks of `changing` keep that true
            raise ChangedMeanwhile
        change()
    return outcome


def shifts_of(space: Space) -> list[Shift]:
    """Return the shifts of a space, the earliest first, as the pages number them."""
    return list(Shift.objects.filter(space=space.pk).order_by("first_seating", "name", "pk"))


def mark_of_shift(shift: int) -> str:
    names = ("name", "weekdays", "first_seating", "last_seating")
    rows = Shift.objects.filter(pk=shift)
    return _mark(*rows.values_list(*names, "covers_online", "covers_in_house"))


def mark_of_turns(space: Space) -> str:
    rows = TurnTime.objects.filter(space=space.pk).order_by("from_party")
    return _mark(*rows.values_list("from_party", "minutes"))


def mark_of_place(place: int) -> str:
    """Return a mark of a place and its parts; one that is not there yet has one too."""
    names = ("name", "capacity", "min_party", "priority", "is_bookable")
    rows = Place.objects.filter(pk=place)
    parts = Place.objects.filter(wholes=place).order_by("pk").values_list("pk")
    return _mark(*rows.values_list(*names), *parts)


def _mark(*rows: tuple[object, ...]) -> str:
    return sha256(repr(rows).encode()).hexdigest()[:24]


def set_turns(space: Space, minutes_from: Mapping[int, int]) -> None:
    """Make these the turn times of a space: minutes by the smallest party that has them."""
    TurnTime.objects.filter(space=space.pk).delete()
    TurnTime.objects.bulk_create(
        TurnTime(space_id=space.pk, from_party=party, minutes=minutes)
        for party, minutes in sorted(minutes_from.items())
    )


#: What the page of a combination writes; the rest of the place is left alone.
OF_WHOLE = ("name", "kind", "capacity", "min_party", "priority", "is_bookable")


def combine(whole: Place, parts: Collection[Place]) -> None:
    """Write a place that is made of others; a new one gets the next number. Raises PartsError."""
    if whole._state.adding:
        whole.number = Place.objects.next_number(whole.space)
        whole.save(force_insert=True)
    else:
        whole.save(update_fields=OF_WHOLE)
    set_parts(whole, parts)


def needed(whole: Place) -> str:
    """Say why a combination can't be removed; empty if it can."""
    if Booking.objects.at_places([whole.pk]).exists():
        return _("It has been booked, and stays for the history. It can be offered no more.")
    if other := whole.wholes.order_by("number").first():
        return _("It is a part of %(place)s.") % {"place": str(other)}
    return ""
