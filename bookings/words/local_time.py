"""Local times as forms and addresses write them: `13:00`, `2026-11-25T13:00`.

The hour that an autumn night repeats needs its offset: `2026-10-25T02:00+01:00`. See also
`spaces.slots.instant`, which reads opening hours.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)


class LocalTimeError(ValueError):
    """A time that can't be read; the text says why."""


def read_day(text: str) -> date:
    """Read `YYYY-MM-DD`. Raises LocalTimeError."""
    try:
        if len(text) != len("2026-11-25"):
            raise ValueError
        value = date.fromisoformat(text)
    except ValueError as error:
        raise LocalTimeError(_("This is not a date: write it like 2026-11-25.")) from error
    if not EARLIEST <= value <= LATEST:
        raise LocalTimeError(_("This date is too far away."))
    return value


def read_instant(text: str, zone: ZoneInfo) -> datetime:
    """Read `YYYY-MM-DDTHH:MM`, local at the space, with an offset where it matters, as UTC.

    Raises LocalTimeError for what is no time, and for one that a spring night skips.
    """
    head, separator, tail = text.partition("T")
    day = read_day(head)
    try:
        if not separator or len(tail) < len("13:00"):
            raise ValueError
        local = datetime.fromisoformat(f"{day}T{tail}")
    except ValueError as error:
        raise LocalTimeError(_("This is not a time: write it like 13:00.")) from error
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    found = local.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != local:
        raise LocalTimeError(
            _("The clocks are put forward that night: %(time)s does not exist.") % {"time": tail}
        )
    return found


def read_period_on(day: date, start: str, end: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Read two clock times of one day; an end not later than the start is on the next day."""
    starts_at = read_instant(f"{day}T{start}", zone)
    return starts_at, read_end(starts_at, end, zone)


def read_end(starts_at: datetime, clock: str, zone: ZoneInfo) -> datetime:
    """Read the clock time at which something ends: on the day of its start, or on the next."""
    local = starts_at.astimezone(zone)
    try:
        ends_at = read_instant(f"{local.date()}T{clock}", zone)
    except LocalTimeError:
        if clock > f"{local:%H:%M}":
            raise
    else:
        if ends_at > starts_at:
            return ends_at
    return read_instant(f"{local.date() + timedelta(days=1)}T{clock}", zone)


def write_clock(at: datetime, zone: ZoneInfo) -> str:
    """Write `13:00`, with the offset when the wall clock reads so for the second time."""
    local = at.astimezone(zone)
    text = f"{local:%H:%M}"
    return f"{text}{local.isoformat()[-6:]}" if local.fold else text


def write_instant(at: datetime, zone: ZoneInfo) -> str:
    """Write `2026-11-25T13:00`; `read_instant` reads it back exactly."""
    return f"{at.astimezone(zone):%Y-%m-%d}T{write_clock(at, zone)}"
