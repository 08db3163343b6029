"""Links from a board; request keys for booking forms."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import NamedTuple
from uuid import uuid4

from django import template
from django.conf import settings
from django.forms import BoundField
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import pgettext

from bookings.finding import links
from bookings.finding.availability import Offer
from bookings.finding.board import Board
from bookings.finding.search import Search
from bookings.models import Booking
from spaces.features import Feature
from spaces.models import Place

register = template.Library()


@register.simple_tag
def request_key() -> str:
    """Return a fresh key: a form books once, however often it is submitted."""
    return str(uuid4())


@register.simple_tag
def feature_boxes(field: BoundField, offered: Mapping[str, int]) -> SafeString:
    """Write a box for each feature that places here have, with how many do, or that is chosen."""
    chosen = field.value() or ()
    invalid = ' aria-invalid="true"' if field.errors else ""
    boxes = (
        f'<label class="check"><input type="checkbox" name="{field.html_name}" value="{name}"'
        f' id="{field.auto_id}_{n}"{invalid}{" checked" if name in chosen else ""}>'
        f" {escape(label)} ({offered.get(name, 0)})</label>"
        for n, (name, label) in enumerate(Feature.choices)
        if name in offered or name in chosen
    )
    return mark_safe("".join(boxes))  # noqa: S308 - our own names, and labels escaped


class Chip(NamedTuple):
    kind: str
    label: str
    places: int
    url: str
    is_chosen: bool


@register.simple_tag
def kind_chips(board: Board, kinds: Mapping[str, int], moving: Booking | None = None) -> list[Chip]:
    """Return a chip for all places and one for each kind of them; none where all are of one."""
    search = board.search
    if len(kinds) < 2:
        return []
    in_words = {kind: str(capfirst(str(Place.Kind(kind).label))) for kind in kinds}
    counts = {"": sum(kinds.values()), **kinds}
    return [
        Chip(
            kind,
            label,
            counts[kind],
            links.search_url(board.space, replace(search, kind=kind, place=None), moving=moving)
            + ("" if kind else "&kind="),  # said, or the one before would be remembered
            kind == search.kind,
        )
        for kind, label in ({"": pgettext("kinds of places", "All")} | in_words).items()
    ]


@register.simple_tag
def at_site(path: str) -> str:
    """Return the whole address of a page or file, for those who read it elsewhere."""
    return f"{settings.SITE_URL}{path}"


@register.simple_tag
def offer_url(board: Board, offer: Offer, moving: Booking | None = None) -> str:
    """Return the URL of the same search with an offer shown first."""
    day = board.venue.day_of(offer.period.starts_at)
    offered = replace(
        board.search, day=day, period=offer.period, place=offer.place.code, by_turn=False
    )
    return links.search_url(board.space, offered, moving=moving)


@register.simple_tag
def search_url(board: Board, search: Search, moving: Booking | None = None) -> str:
    """Return the URL of another search."""
    return links.search_url(board.space, search, moving=moving)


@register.simple_tag
def day_url(board: Board, day: date, moving: Booking | None = None) -> str:
    """Return the URL of the same search on another day."""
    return links.search_url(board.space, replace(board.search, day=day, place=None), moving=moving)
