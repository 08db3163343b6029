"""The sign on each page that shows a replica's data."""

from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.template.context import Context
from django.utils import timezone

from accounts import replica, time_zones
from accounts.models import User
from bookings.words import words
from bookings.words.zones import Zones, of_staff

register = template.Library()


@register.inclusion_tag("_as_of.html", takes_context=True)
def as_of(context: Context) -> dict[str, Any]:
    """Say that nothing can be changed now, and up to when the page is complete."""
    if not replica.is_read():
        return {"is_read_only": False}
    at, zone = replica.as_of(), _zone(context)
    found = {"is_read_only": True, "written": replica.written(at)}
    if at is None:
        return found
    now = timezone.now()
    is_today = at.astimezone(zone).date() == now.astimezone(zone).date()
    return {
        **found,
        "clock": words.clock(at, zone),
        "day": "" if is_today else words.day_at(at, zone, now),
        "zone": time_zones.in_words(zone.key),
    }


def _zone(context: Context) -> ZoneInfo:
    """Return the zone of the page's times: its space's, the reader's own, or one of those in it."""
    if space := context.get("space"):
        return ZoneInfo(space.time_zone)
    user = context.get("user")
    # A page that is kept for many knows nobody's spaces.
    theirs = of_staff() if isinstance(user, User) else Zones(frozenset())
    zones: Zones = context.get("zones") or theirs
    reader = getattr(user, "time_zone", "") or zones.reader
    return ZoneInfo(reader or next(iter(sorted(zones.shown)), "UTC"))
