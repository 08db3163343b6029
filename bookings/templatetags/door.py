"""What screens at doors write."""

from datetime import datetime
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from django import template
from django.utils.translation import gettext as _

from bookings.doors import DoorView
from bookings.finding.at_doors import Line
from bookings.words import words

register = template.Library()


@register.simple_tag
def door_key(door: DoorView, line: Line) -> UUID:
    """Return the request key for taking a free place: the same until it has been taken.

    So an unchanged screen is the same text, and two presses on it take the place once. What comes
    next, and until when, says which free time it is.
    """
    after = line.next[0].code if line.next else ""
    return uuid5(door.code, f"{line.place.code} {line.use_until} {after}")


@register.simple_tag
def door_opens(at: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Write «opens at 8:00», or the day too when that isn't today."""
    named = {"time": words.clock(at, zone)}
    if at.astimezone(zone).date() == now.astimezone(zone).date():
        return _("opens at %(time)s") % named
    return _("opens: %(day)s, %(time)s") % {**named, "day": words.day_at(at, zone, now)}
