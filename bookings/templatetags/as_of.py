"""The sign on each page that shows a replica's data."""

from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.template.context import Context
from django.utils import timezone

from accounts import replica, time_zones
from bookings.words import words

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
    """Return the zone of the page's times: its space's, the reader's own, or the only one in it."""
    if space := context.get("space"):
        return ZoneInfo(space.time_zone)
    zones = context.get("zones")
    reader = getattr(context.get("user"), "time_zone", "") or getattr(zones, "reader", "")
    shown = getattr(zones, "shown", ())
    return ZoneInfo(reader or (next(iter(shown)) if len(shown) == 1 else "UTC"))
