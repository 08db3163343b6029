"""The cards of the home page."""

from threading import Lock
from typing import Any

from cachetools import LRUCache, cached
from django import template
from django.template.context import Context
from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from bookings.finding.overview import Card

register = template.Library()

#: How many cards a process keeps: a space has one for each number of places that are free.
MOST = 2_000


@register.simple_tag(takes_context=True)
def space_card(context: Context, card: Card) -> SafeString:
    """Write a space's card. Each is rendered once: on a page of many, few have changed."""
    zones = context["zones"]
    described = {"card": card, "zones": zones, "now": context["now"]}
    if not card.stamp:  # nothing says when it changes
        return _rendered(described)
    return _kept(card, zones.note(card.space.time_zone), get_language(), described)


def _key(card: Card, note: str, language: str | None, described: Any) -> tuple[Any, ...]:
    """Return all that a card shows; it says on which day it opens, and so depends on the date."""
    return (card, note, language)


@cached(LRUCache(MOST), key=_key, lock=Lock())
def _kept(card: Card, note: str, language: str | None, described: dict[str, Any]) -> SafeString:
    return _rendered(described)


def _rendered(described: dict[str, Any]) -> SafeString:
    found: str = get_template("bookings/_card.html").render(described)
    return mark_safe(found)  # noqa: S308 - a template's
