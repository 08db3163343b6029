"""Local times as in forms and URLs: `13:00`, `2026-11-25T13:00`.

`24:00` is the end of the day, whatever clock time that is. The hour that an autumn night repeats
needs an offset: `2026-10-25T02:00+01:00`. See also `spaces.slots.instant`, which parses opening
hours.
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from spaces.slots import day_period

EARLIEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)


#: Only the ISO 8601 that people write, not all that Python accepts: no `2026-W48-3`, no `1300`.
DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
CLOCK = re.compile(
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})([.]0+)?)?"
    r"(?P<offset>Z|[+-][0-9]{2}:?[0-9]{2})?"
)
#: The end of the day is 24:00 too (ISO 8601-1:2004, 4.2.3).
END_OF_DAY = ("24", "00", "00")


class LocalTimeError(ValueError):
    """An invalid time; the text says why."""


def read_day(text: str) -> date:
    """Parse `YYYY-MM-DD`. Raises LocalTimeError."""
    try:
        if not DAY.fullmatch(text):
            raise ValueError
        value = date.fromisoformat(text)
    except ValueError as error:
        raise LocalTimeError(_("This is not a date: write it like 2026-11-25.")) from error
    if not EARLIEST <= value <= LATEST:
        raise LocalTimeError(_("This date is too far away."))
    return value


def read_instant(text: str, zone: ZoneInfo) -> datetime:
    """Parse `YYYY-MM-DDTHH:MM`, the space's local time, with an offset if needed, to UTC.

    Raises LocalTimeError for an invalid time, and for one that a spring night skips.
    """
    head, _separator, tail = text.partition("T")
    day = read_day(head)
    try:
        local = _on(day, tail)
    except ValueError as error:
        raise LocalTimeError(_("This is not a time: write it like 13:00.")) from error
    if local is None:
        return day_period(day, zone).ends_at
    if local.tzinfo is not None:
        return local.astimezone(UTC)
    found = local.replace(tzinfo=zone).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != local:
        raise LocalTimeError(
            _("The clocks go forward that night: %(time)s does not exist.") % {"time": tail}
        )
    return found


def _on(day: date, clock: str) -> datetime | None:
    """Return a clock time on a day, with its offset if it has one; None means the day's end."""
    found = CLOCK.fullmatch(clock)
    if found is None:
        raise ValueError(clock)
    hour, minute, second = found["hour"].zfill(2), found["minute"], found["second"] or "00"
    offset = found["offset"] or ""
    if (hour, minute, second) != END_OF_DAY:
        return datetime.fromisoformat(f"{day}T{hour}:{minute}:{second}{offset}")
    if not offset:
        return None
    return datetime.fromisoformat(f"{day}T00:00{offset}") + timedelta(days=1)


def read_period_on(day: date, start: str, end: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Parse two clock times on one day; an end not later than the start is on the next day."""
    starts_at = read_instant(f"{day}T{start}", zone)
    return starts_at, read_end(starts_at, end, zone)


def read_end(starts_at: datetime, clock: str, zone: ZoneInfo) -> datetime:
    """Parse the clock time at which something ends: on the day of its start, or the next."""
    local = starts_at.astimezone(zone)
    try:
        ends_at = read_instant(f"{local.date()}T{clock}", zone)
    except LocalTimeError:
        if clock.zfill(len("13:00")) > f"{local:%H:%M}":
            raise
    else:
        if ends_at > starts_at:
            return ends_at
    return read_instant(f"{local.date() + timedelta(days=1)}T{clock}", zone)


def write_clock(at: datetime, zone: ZoneInfo) -> str:
    """Write `13:00`, with the offset when the clock shows that for the second time."""
    local = at.astimezone(zone)
    text = f"{local:%H:%M}"
    return f"{text}{local.isoformat()[-6:]}" if local.fold else text


def write_instant(at: datetime, zone: ZoneInfo) -> str:
    """Write `2026-11-25T13:00`; `read_instant` parses it back exactly."""
    return f"{at.astimezone(zone):%Y-%m-%d}T{write_clock(at, zone)}"
