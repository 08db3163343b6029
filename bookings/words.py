"""Times in words, as a person at the space would say them."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from spaces.slots import Period


def day(value: date) -> str:
    """Return «Wed 25 Nov»."""
    return formats.date_format(value, pgettext("date format: Wed 25 Nov", "D j M"))


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Return «13:00»; the second reading of a repeated hour names its offset."""
    local = at.astimezone(zone)
    return f"{local:%H:%M}" + (f" ({local.tzname()})" if local.fold else "")


def span(period: Period, zone: ZoneInfo) -> str:
    """Return «13:00–15:00»."""
    return f"{clock(period.starts_at, zone)}–{clock(period.ends_at, zone)}"


def duration(value: timedelta) -> str:
    """Return «1 hour 30 minutes»."""
    minutes = int(value.total_seconds()) // 60
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = []
    if days:
        parts.append(ngettext("%(n)d day", "%(n)d days", days) % {"n": days})
    if hours:
        parts.append(ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours})
    if minutes or not parts:
        parts.append(ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes})
    return " ".join(parts)


def relative_day(value: date, today: date) -> str:
    """Return «Today», «Tomorrow» or the date."""
    if value == today:
        return _("Today")
    if value == today + timedelta(days=1):
        return _("Tomorrow")
    return day(value)
