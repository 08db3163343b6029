"""Who has which place when: the rows of a day's board, read by one statement."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    F,
    Func,
    IntegerField,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Cast

from accounts.prepared import prepared_with_constants
from bookings.deciding.pacing import IN_HOUSE
from bookings.models import Booking
from spaces import setups
from spaces.models import SetupStamp, Space
from spaces.slots import Period


class Quarter(Func):
    """The number of an instant's quarter hour since 1970. See also `spaces.quarters`."""

    output_field = IntegerField()
    # Both databases give integers, which needn't be converted.
    convert_value = staticmethod(Func._convert_value_noop)  # type: ignore[attr-defined]  # not in the stubs

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(EXTRACT(EPOCH FROM %(expressions)s) / 900)::integer"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(CAST(strftime('%%%%s', %(expressions)s) AS integer) / 900)"
        return self.as_sql(compiler, connection, template=template, **extra)


class Occupancy(NamedTuple):
    """One booking's hold on a place, in quarter hours since 1970.

    `code` is as the database writes it, for the few whose owner asks: the rest needn't be parsed.
    """

    place: int
    start: int
    end: int
    member: int | None
    code: str  # "" in what `seen_by` hides
    #: How many people come, negative if the house itself booked: pacing counts them apart.
    people: int = 0

    def is_of(self, booking: Booking) -> bool:
        return bool(self.code) and UUID(self.code) == booking.code


_PEOPLE = Case(
    When(channel__in=IN_HOUSE, then=-F("party_size")),
    default=F("party_size"),
    output_field=IntegerField(),
)


def _holds(space: Any, before: Any, after: Any) -> QuerySet[Booking, Any]:
    held = Booking.objects.occupying().held_after(after)
    return held.filter(place__space=space, starts_at__lt=before).values_list(
        "place_id",
        Quarter("starts_at"),
        Quarter("ends_at"),
        "member_id",
        Cast("code", CharField()),
        _PEOPLE,
    )


def _stamps(space: Any) -> QuerySet[SetupStamp, Any]:
    nothing = [Value(None, IntegerField())] * 4
    zero = Value(0, IntegerField())
    return SetupStamp.objects.filter(space=space).values_list(*nothing, F("stamp"), zero)


_SPAN: dict[str, Any] = {
    "space": IntegerField(),
    "before": DateTimeField(),
    "after": DateTimeField(),
}
_OCCUPANCIES = prepared_with_constants(_holds, **_SPAN)
_WITH_STAMPS = prepared_with_constants(
    lambda space, before, after: _holds(space, before, after).union(_stamps(space), all=True),
    **_SPAN,
)


def occupancies(space: Space, span: Period) -> list[Occupancy]:
    """Return what is taken in a space during a span of time, place by place."""
    rows = _OCCUPANCIES.rows(space=space.pk, before=span.ends_at, after=span.starts_at)
    return sorted(map(Occupancy._make, rows), key=_when)


def occupancies_and_stamp(space: Space, span: Period) -> tuple[list[Occupancy], str]:
    """Return the same, and the stamp of the set-up that the space had at that moment."""
    rows = _WITH_STAMPS.rows(space=space.pk, before=span.ends_at, after=span.starts_at)
    held = [row for row in rows if row[0] is not None]
    stamps = [row[4] for row in rows if row[0] is None]
    return sorted(map(Occupancy._make, held), key=_when), setups.written(stamps)


#: Where and when: there is one booking at a time.
_when = itemgetter(0, 1)


def seen_by(member: int | None, rows: Iterable[Occupancy]) -> list[Occupancy]:
    """Return what somebody may know of these: of others' bookings only that they are there.

    How many people come is not shown, but says when no more may.
    """
    return [
        row
        if row.member == member and member is not None
        else Occupancy(row.place, row.start, row.end, None, "", row.people)
        for row in rows
    ]
