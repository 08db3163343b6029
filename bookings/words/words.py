"""Times in words, as a person at the space would say them."""

import re
from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.text import capfirst
from django.utils.translation import get_language, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext as _

from spaces.slots import Period
from spaces.slots import clock as wall_clock

#: As in the middle of a sentence: not every language capitalises them there.
WEEKDAYS = (
    pgettext_lazy("in a date", "Mon"),
    pgettext_lazy("in a date", "Tue"),
    pgettext_lazy("in a date", "Wed"),
    pgettext_lazy("in a date", "Thu"),
    pgettext_lazy("in a date", "Fri"),
    pgettext_lazy("in a date", "Sat"),
    pgettext_lazy("in a date", "Sun"),
)

#: From here on, the same date in another year could be meant.
MONTHS_WITHOUT_YEAR = 10


def day(value: date, today: date) -> str:
    """Return «Wed 25 Nov», with its year if that isn't obvious: «Mon 4 Jan 2027»."""
    if value.year != today.year or abs(_months(value, today)) > MONTHS_WITHOUT_YEAR:
        return day_of_year(value)
    return _with_weekday(value, pgettext("date format: 25 Nov", "j M"))


def day_at(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return an instant's local day in words."""
    return day(at.astimezone(zone).date(), now.astimezone(zone).date())


def _months(value: date, today: date) -> float:
    """Count the months from one day to another, partial ones by their days."""
    whole = (value.year - today.year) * 12 + value.month - today.month
    return whole + (value.day - today.day) / 31


def day_of_year(value: date) -> str:
    """Return «Wed 25 Nov 2026», for lists that go back years."""
    return _with_weekday(value, pgettext("date format: 25 Nov 2026", "j M Y"))


def _with_weekday(value: date, date_format: str) -> str:
    return pgettext("in a date", "%(weekday)s %(date)s") % {
        "weekday": WEEKDAYS[value.weekday()],
        "date": formats.date_format(value, date_format),
    }


@cache
def _written_as_one(language: str) -> re.Pattern[str]:
    """Find dates, times and «Desk 12», as this module and places write them in a language."""
    of_format = pgettext("date format: 25 Nov", "j M")
    months = {formats.date_format(date(2000, n, 1), of_format).split()[-1] for n in range(1, 13)}
    month = "|".join(map(re.escape, sorted(months)))
    weekday = "|".join(re.escape(str(name)) for name in WEEKDAYS)
    return re.compile(
        rf"<[^>]*>|(?i:(?:\b(?:{weekday}),? )?\b[0-9]{{1,2}} (?:{month})\b(?: [0-9]{{4}}\b)?)"
        r"|\b[0-9]{1,2}:[0-9]{2}–[0-9]{1,2}:[0-9]{2}\b"
        rf"|\b[A-ZА-ЯЁ][^\W\d_]{{2,11}} [0-9]{{1,3}}\b(?![:.]?[0-9]| (?:{month}))"
    )


#: For pages: what is written as one stays on one line.
WHOLE = '<span class="whole">%s</span>'


def whole(html: str, written: str = WHOLE) -> str:
    """Put every date, time and numbered place within a text, not in its tags, into `written`."""
    pattern = _written_as_one(get_language() or "")
    if pattern.fullmatch(html):
        return html
    return pattern.sub(
        lambda found: found[0] if found[0].startswith("<") else written % found[0], html
    )


def clock(at: datetime, zone: ZoneInfo) -> str:
    """Return «13:00»; with the offset for the second reading of a repeated hour."""
    local = at.astimezone(zone)
    return wall_clock(local) + (f" ({local.tzname()})" if local.fold else "")


def span(period: Period, zone: ZoneInfo) -> str:
    """Return «13:00–15:00»."""
    return f"{clock(period.starts_at, zone)}–{clock(period.ends_at, zone)}"


def when(period: Period, zone: ZoneInfo, now: datetime) -> str:
    """Return «Wed 25 Nov, 13:00–15:00», or «Fri 27 Nov, 22:00 – Sat 28 Nov, 2:00»."""
    first = period.starts_at.astimezone(zone).date()
    last = (period.ends_at - timedelta(microseconds=1)).astimezone(zone).date()
    if first == last:
        return f"{day_at(period.starts_at, zone, now)}, {span(period, zone)}"
    start, end = (
        f"{day_at(at, zone, now)}, {clock(at, zone)}" for at in (period.starts_at, period.ends_at)
    )
    return f"{start} – {end}"


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
    """Return «Today», «Tomorrow» or the date, as at the start of a line."""
    if value == today:
        return _("Today")
    if value == today + timedelta(days=1):
        return _("Tomorrow")
    return capfirst(day(value, today))
