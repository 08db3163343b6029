"""Bookings and their space's zone: if the zone changes, each keeps its time on the clock."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding.rules import Problem, already_past
from bookings.deciding.standing import Standing
from bookings.deciding.transitions import record_all
from bookings.models import BookedSlot, Booking, BookingEvent
from spaces.models import Space
from spaces.slots import Period, instant, is_on_grid, slots

#: How many rows one statement writes.
AT_ONCE = 500

type Standings = Mapping[int, Standing]


def differ(before: Standing, after: Standing) -> bool:
    """Tell whether the space's clock now shows a different time for a booking."""
    return _wall(before) != _wall(after)


def _wall(standing: Standing) -> tuple[datetime, datetime]:
    period = standing.booking.period
    starts_at, ends_at = (at.astimezone(standing.zone) for at in (period.starts_at, period.ends_at))
    return starts_at.replace(tzinfo=None), ends_at.replace(tzinfo=None)


def keep_walls(
    moved: Collection[int],
    before: Standings,
    after: Standings,
    *,
    by: User | None,
    now: datetime,
) -> dict[int, Problem]:
    """Move bookings so that they keep the time on the clock; return why some can't be moved.

    Their rows are locked. Those that can't be moved keep their instant.
    """
    wanted: dict[int, Period] = {}
    failed: dict[int, Problem] = {}
    for pk in sorted(moved):
        found = same_wall(before[pk].booking.period, before[pk].zone, after[pk].zone, now=now)
        if isinstance(found, Period):
            wanted[pk] = found
        else:
            failed[pk] = found
    possible = without_clashes(wanted, after)
    taken = Problem("zone_moved", _("Somebody else has the place at that time on the clock."))
    failed |= {pk: taken for pk in wanted if pk not in possible}
    _move({pk: after[pk] for pk in possible}, possible, by=by, now=now)
    return failed


def _move(
    standings: Standings, periods: Mapping[int, Period], *, by: User | None, now: datetime
) -> None:
    """Move bookings all at once: each may want the slots that another one still has."""
    BookedSlot.objects.filter(booking__in=periods).delete()
    for pk, period in periods.items():
        booking = standings[pk].booking
        booking.starts_at, booking.ends_at = period.starts_at, period.ends_at
    bookings = [standing.booking for standing in standings.values()]
    Booking.objects.bulk_update(bookings, ["starts_at", "ends_at"], batch_size=AT_ONCE)
    wanted = sorted(
        (leaf, slot, pk)
        for pk, period in periods.items()
        for leaf, slot in _cells(standings[pk], period)
    )
    BookedSlot.objects.bulk_create(
        [BookedSlot(booking_id=pk, place_id=leaf, slot=slot) for leaf, slot, pk in wanted],
        batch_size=AT_ONCE,
    )
    told = [(booking, ["zone_moved"]) for booking in bookings]
    record_all(BookingEvent.Kind.MOVED, told, by=by, now=now)


def keep_closures(zones: Mapping[int, str], *, now: datetime) -> None:
    """Move closures when the space's zone changes: "closed on Friday" stays on Friday."""
    for space in Space.objects.filter(pk__in=zones):
        old, new = ZoneInfo(zones[space.pk]), space.zone
        if old == new:
            continue
        for closure in space.closures.filter(ends_at__gt=now):
            starts_at = _read_again(closure.starts_at, old, new)
            ends_at = _read_again(closure.ends_at, old, new, closing=True)
            if starts_at < ends_at:
                closure.starts_at, closure.ends_at = starts_at, ends_at
                closure.save(update_fields=["starts_at", "ends_at"])


def _read_again(at: datetime, old: ZoneInfo, new: ZoneInfo, *, closing: bool = False) -> datetime:
    local = at.astimezone(old)
    return instant(local.date(), local.time(), new, closing=closing)


def same_wall(period: Period, old: ZoneInfo, new: ZoneInfo, *, now: datetime) -> Period | Problem:
    """Return the period at which clocks in the new zone show what the old ones showed.

    In an hour that repeats, the same reading is taken (PEP 495). A Problem says why there is
    no such period: skipped by the clocks, or over.
    """
    ends = []
    for at in (period.starts_at, period.ends_at):
        local = at.astimezone(old)
        found = local.replace(tzinfo=new).astimezone(UTC)
        if found.astimezone(new).replace(tzinfo=None) != local.replace(tzinfo=None):
            message = _("The clocks go forward that night: %(time)s does not exist.")
            return Problem("zone_moved", message % {"time": f"{local:%H:%M}"})
        ends.append(found)
    moved = Period(*ends)
    if moved.starts_at < now:
        return Problem("zone_moved", already_past().message)
    if moved.ends_at <= moved.starts_at or not all(map(is_on_grid, ends)):
        message = _("The clocks change that night: the time can’t be kept.")
        return Problem("zone_moved", message)
    return moved


def without_clashes(wanted: Mapping[int, Period], standings: Standings) -> dict[int, Period]:
    """Return which of the wanted moves can be made together while all other bookings stay.

    A booking that can't move keeps its time, and so may block another: repeated until
    none is blocked. First booked, first served.
    """
    possible = dict(wanted)
    while True:
        held = {
            cell
            for pk, standing in standings.items()
            if pk not in possible
            for cell in _cells(standing, standing.booking.period)
        }
        losers = []
        for pk, period in possible.items():
            cells = set(_cells(standings[pk], period))
            if held.isdisjoint(cells):
                held |= cells
            else:
                losers.append(pk)
        if not losers:
            return possible
        for pk in losers:
            del possible[pk]


def _cells(standing: Standing, period: Period) -> list[tuple[int, datetime]]:
    return [(leaf, slot) for leaf in standing.leaves for slot in slots(period)]
