"""A member's past and future bookings in pages, latest first as clocks show them.

A page begins where its neighbour ends, at a position that its address names: however long the
history, its pages cost the same, and a new booking shifts none of them.

Spaces may be in different zones, so the order on their clocks isn't that of the instants. But the
two are less than a day and a bit apart: rows that are so close to a page's edges are read too, and
then sorted.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Self
from uuid import UUID

from bookings.models import Booking
from bookings.querysets import BookingQuerySet

PAGE = 30
#: Between what the clock shows anywhere and UTC, at most.
OFF_UTC = timedelta(hours=14)


@dataclass(frozen=True, order=True)
class Position:
    """Where a booking is in the list: what the clock shows at its start; its code settles ties."""

    wall: datetime
    code: UUID

    @classmethod
    def of(cls, booking: Booking) -> Self:
        local = booking.starts_at.astimezone(booking.place.space.zone)
        return cls(local.replace(tzinfo=None), booking.code)

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Parse what `str` writes; None for anything else."""
        wall, _dash, code = text.partition("_")
        try:
            found = cls(datetime.strptime(wall, "%Y%m%dT%H%M"), UUID(code))  # noqa: DTZ007 - a clock's
            found.instant(-OFF_UTC - OFF_UTC), found.instant(OFF_UTC + OFF_UTC)
        except (ValueError, OverflowError):
            return None
        return found if str(found) == text else None

    def instant(self, later: timedelta) -> datetime:
        """Return an instant so much later than its wall clock in UTC."""
        return self.wall.replace(tzinfo=UTC) + later

    def __str__(self) -> str:
        return f"{self.wall:%Y%m%dT%H%M}_{self.code}"


@dataclass(frozen=True)
class Page:
    """Some bookings, latest first, and where the neighbouring pages begin; empty: there is none."""

    bookings: list[Booking]
    newer: str = ""
    older: str = ""


def older(rows: BookingQuerySet[Booking], than: Position | None) -> Page:
    """Return the page that follows a position; the first without one, or if nothing follows."""
    found = _read(rows, than, is_older=True)
    if than is not None and not found:
        return older(rows, None)
    more, page = len(found) > PAGE, found[:PAGE]
    return Page(
        page,
        newer=str(Position.of(page[0])) if page and than else "",
        older=str(Position.of(page[-1])) if more else "",
    )


def newer(rows: BookingQuerySet[Booking], than: Position) -> Page:
    """Return the page before a position. The first page, if that is near, is a full one."""
    found = _read(rows, than, is_older=False)
    if len(found) <= PAGE:
        return older(rows, None)
    page = found[PAGE - 1 :: -1]
    return Page(page, newer=str(Position.of(page[0])), older=str(Position.of(page[-1])))


def _read(
    rows: BookingQuerySet[Booking], than: Position | None, *, is_older: bool
) -> list[Booking]:
    """Return those on one side of a position, nearest first: a page and one more, if there are."""
    sign, side = ("-", "lt") if is_older else ("", "gt")
    back = -OFF_UTC if is_older else OFF_UTC
    surely, perhaps = rows, rows
    if than is not None:
        surely = rows.filter(**{f"starts_at__{side}": than.instant(back)})
        perhaps = rows.filter(**{f"starts_at__{side}e": than.instant(-back)})
    starts = surely.order_by(f"{sign}starts_at").values_list("starts_at", flat=True)
    if last := list(starts[PAGE : PAGE + 1]):
        other = "gt" if is_older else "lt"
        perhaps = perhaps.filter(**{f"starts_at__{other}e": last[0] + back + back})
    keyed = [(Position.of(booking), booking) for booking in perhaps]
    if than is not None:
        keyed = [pair for pair in keyed if pair[0] != than and (pair[0] < than) == is_older]
    keyed.sort(key=itemgetter(0), reverse=is_older)
    return [booking for _position, booking in keyed[: PAGE + 1]]
