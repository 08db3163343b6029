"""Whole days closed together, and days that are closed every year."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction

from accounts.models import User
from bookings.deciding import closing
from bookings.deciding.errors import BookingsInTheWay
from bookings.deciding.stranding import Choice
from bookings.models import Booking
from spaces import setups
from spaces.days_off import every_year
from spaces.models import Closure, Space
from spaces.slots import Period
from spaces.yearly import YearlyClosure

#: For how many years ahead a yearly closure is written: nobody books further.
YEARS = 3


def span_of(space: Space, first: date, last: date, *, now: datetime) -> Period:
    """Return what «closed on these days» means there."""
    venue = setups.current(space.pk).venue((), now)
    return closing.whole_days(venue, first, last)


def in_the_way(space: Space, days: Iterable[date], *, now: datetime) -> list[Booking]:
    """Return the bookings on these days, soonest first, each once."""
    found: dict[int, Booking] = {}
    for day in sorted(days):
        for booking in closing.bookings_in(space, None, span_of(space, day, day, now=now), now):
            found[booking.pk] = booking
    return list(found.values())


def is_closed(space: Space, day: date, *, now: datetime) -> bool:
    """Tell whether the whole space is closed all that day."""
    period = span_of(space, day, day, now=now)
    return Closure.objects.filter(
        space=space.pk, place=None, starts_at__lte=period.starts_at, ends_at__gte=period.ends_at
    ).exists()


def close_days(
    space: Space,
    days: Mapping[date, str],
    *,
    choice: Choice | None,
    shown: Collection[UUID] | None,
    by: User | None,
    now: datetime,
) -> tuple[int, int]:
    """Close whole days, each for a reason; return how many days, and bookings settled.

    Days that are closed already are left alone. Raises BookingsInTheWay with all that are in the
    way, before anything is closed, when there is no choice about one of them; and for one made
    since, after the days before it are closed.
    """
    affected = in_the_way(space, days, now=now)
    unseen = shown is not None and {booking.code for booking in affected} - set(shown)
    if affected and (choice is None or unseen):
        raise BookingsInTheWay("", affected)
    closed = settled = 0
    for day, reason in sorted(days.items()):
        period = span_of(space, day, day, now=now)
        if is_closed(space, day, now=now):
            continue
        _closure, bookings = closing.close(
            space,
            place=None,
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            reason=reason,
            choice=choice,
            shown=shown,
            by=by,
            now=now,
        )
        closed += 1
        settled += len(bookings)
    return closed, settled


def days_of(yearly: YearlyClosure, year: int) -> list[date]:
    """Return the days of a yearly closure that begins in a year."""
    first = every_year(yearly.month, yearly.day, year)
    return [first + timedelta(days=n) for n in range(yearly.days)]


def close_every_year(
    yearly: YearlyClosure,
    *,
    choice: Choice | None,
    shown: Collection[UUID],
    by: User,
    now: datetime,
) -> int:
    """Close a date in the coming years; a worker goes on. Return how many bookings were settled.

    Raises BookingsInTheWay as `close_days` does, and IntegrityError for a date that is there.
    """
    today = now.astimezone(yearly.space.zone).date()
    years = range(today.year, today.year + YEARS)
    days = [day for year in years for day in days_of(yearly, year) if day >= today]
    affected = in_the_way(yearly.space, days, now=now)
    if affected and (choice is None or {booking.code for booking in affected} - set(shown)):
        raise BookingsInTheWay("", affected)
    yearly.closed_through = today.year - 1  # a worker would finish it after a crash
    with transaction.atomic():
        yearly.save()
    reasons = dict.fromkeys(days, yearly.reason)
    _closed, settled = close_days(yearly.space, reasons, choice=choice, shown=None, by=by, now=now)
    YearlyClosure.objects.filter(pk=yearly.pk).update(closed_through=years[-1])
    return settled


@transaction.atomic
def stop(yearly: YearlyClosure, *, now: datetime) -> int:
    """End a yearly closure and open its days to come again; return how many."""
    today = now.astimezone(yearly.space.zone).date()
    opened = 0
    for year in range(today.year, yearly.closed_through + 1):
        for day in days_of(yearly, year):
            period = span_of(yearly.space, day, day, now=now)
            if day > today:
                closures = Closure.objects.filter(
                    space=yearly.space_id,
                    place=None,
                    reason=yearly.reason,
                    starts_at=period.starts_at,
                    ends_at=period.ends_at,
                )
                opened += closures.delete()[0]
    yearly.delete()
    return opened


def close_coming_years(*, now: datetime) -> int:
    """For the worker: write the closures of one more year where they are due.

    Nobody is asked three years ahead: should there be bookings, they are kept, and told.
    """
    through = now.year + YEARS - 1
    yearly = (
        YearlyClosure.objects.filter(closed_through__lt=through)
        .select_related("space")
        .order_by("pk")
        .first()
    )
    if yearly is None:
        return 0
    year = yearly.closed_through + 1
    today = now.astimezone(yearly.space.zone).date()
    days = {day: yearly.reason for day in days_of(yearly, year) if day >= today}
    close_days(yearly.space, days, choice=Choice.KEEP, shown=None, by=None, now=now)
    held = YearlyClosure.objects.filter(pk=yearly.pk, closed_through=yearly.closed_through)
    return held.update(closed_through=year)
