"""Who has which place when: the rows of a day's board, read by one statement."""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import CharField, DateTimeField, Func, IntegerField
from django.db.models.functions import Cast

from accounts.prepared import prepared
from bookings.models import Booking
from spaces.models import Space
from spaces.slots import Period


class Quarter(Func):
    """The number of an instant's quarter hour since 1970. See also `spaces.quarters`."""

    output_field = IntegerField()
    convert_value = staticmethod(Func._convert_value_noop)  # type: ignore[attr-defined]  # databases give integers

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

    __repr__ = tuple.__repr__  # quicker: each board's key is hashed as text

    def is_of(self, booking: Booking) -> bool:
        return bool(self.code) and UUID(self.code) == booking.code


_OCCUPANCIES = prepared(
    lambda space, before, after: (
        Booking.objects.occupying()
        .held_after(after)
        .filter(place__space=space, starts_at__lt=before)
        .order_by("pk")
        .values_list(
            "place_id",
            Quarter("starts_at"),
            Quarter("ends_at"),
            "member_id",
            Cast("code", CharField()),
        )
    ),
    space=IntegerField(),
    before=DateTimeField(),
    after=DateTimeField(),
)


def occupancies(space: Space, span: Period) -> list[Occupancy]:
    """Return what is taken in a space during a span of time, in the order of booking."""
    rows = _OCCUPANCIES.rows(space=space.pk, before=span.ends_at, after=span.starts_at)
    return list(map(Occupancy._make, rows))


def seen_by(member: int | None, rows: Iterable[Occupancy]) -> list[Occupancy]:
    """Return what somebody may know of these: of others' bookings only that they are there."""
    return [
        row
        if row.member == member and member is not None
        else Occupancy(row.place, row.start, row.end, None, "")
        for row in rows
    ]
