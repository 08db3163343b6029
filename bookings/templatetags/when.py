"""Times in templates: always in the space's zone, so each tag takes the zone."""

from datetime import date, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

from accounts import time_zones
from bookings.words import local_time, rules_in_words, words
from bookings.words.weekly import weekly
from bookings.words.zones import Zones
from spaces.models import Space
from spaces.slots import Period
from spaces.venue import Venue

register = template.Library()

register.filter("zone_words", time_zones.in_words)

register.filter("duration", words.duration)
register.filter("length_of_time", rules_in_words.length)


@register.filter
def whole(sentence: str) -> SafeString:
    """Keep every date, time and numbered place of a sentence, or of HTML, on one line."""
    escaped = conditional_escape(sentence)
    return mark_safe(words.whole(escaped))  # noqa: S308 - escaped above, and only our span is added


@register.filter
def day_words(value: date, today: date | ZoneInfo) -> str:
    """Write «Wed 25 Nov», with its year where that isn't clear; for a zone, from today there."""
    if isinstance(today, ZoneInfo):
        today = timezone.now().astimezone(today).date()
    return words.day(value, today)


@register.filter
def clock(at: datetime, zone: ZoneInfo) -> str:
    """Write «13:00»."""
    return words.clock(at, zone)


@register.filter
def span(period: Period, zone: ZoneInfo) -> str:
    """Write «13:00–15:00»."""
    return words.span(period, zone)


@register.filter
def on_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the local date of an instant."""
    return at.astimezone(zone).date()


@register.simple_tag
def near_day(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Write «Today», «Tomorrow» or «Wed 25 Nov»."""
    return words.relative_day(at.astimezone(zone).date(), now.astimezone(zone).date())


@register.filter
def local(at: datetime, zone: ZoneInfo) -> str:
    """Write `2026-11-25T13:00`, as forms post it."""
    return local_time.write_instant(at, zone)


@register.filter
def clock_query(at: datetime, zone: ZoneInfo) -> str:
    """Write `13:00` as the board's URL has it."""
    return quote(local_time.write_clock(at, zone), safe=":")


@register.filter
def zone_note(space: Space, zones: Zones) -> str:
    """Write «Moscow time» beside a time in a list where it isn't obvious."""
    return zones.note(space.time_zone)


@register.filter
def openings(venue: Venue, day: date) -> str:
    """Write a day's opening hours, «8:00–13:00, 14:00–22:00»; nothing when it is closed."""
    return ", ".join(words.span(opening, venue.zone) for opening in venue.openings(day))


@register.filter
def week_words(venue: Venue) -> str:
    """Write «Mon–Fri 8:00–22:00, Sat 10:00–18:00»."""
    return weekly(venue.hours)


def minutes_into(at: datetime, period: Period) -> int:
    """Count the minutes since a period's start, kept between its ends."""
    inside = min(max(at, period.starts_at), period.ends_at)
    return (inside - period.starts_at) // timedelta(minutes=1)


@register.filter
def minutes(period: Period) -> int:
    return period.duration // timedelta(minutes=1)


@register.filter
def in_minutes(length: timedelta) -> int:
    return length // timedelta(minutes=1)


@register.filter
def hours_wide(period: Period) -> int:
    """Count the hours that a timeline needs room for, partial ones included."""
    return -(-period.duration // timedelta(hours=1))
