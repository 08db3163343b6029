"""Links from a board; request keys for booking forms."""

from collections.abc import Container
from dataclasses import replace
from datetime import date
from uuid import uuid4

from django import template
from django.forms import BoundField
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from bookings.finding import links
from bookings.finding.availability import Offer
from bookings.finding.board import Board
from bookings.finding.search import Search
from bookings.models import Booking
from spaces.features import Feature

register = template.Library()


@register.simple_tag
def request_key() -> str:
    """Return a fresh key: a form books once, however often it is submitted."""
    return str(uuid4())


@register.simple_tag
def feature_boxes(field: BoundField, offered: Container[str]) -> SafeString:
    """Write a box for each feature that a place here has, or that is chosen anyway."""
    chosen = field.value() or ()
    invalid = ' aria-invalid="true"' if field.errors else ""
    boxes = (
        f'<label class="check"><input type="checkbox" name="{field.html_name}" value="{name}"'
        f' id="{field.auto_id}_{n}"{invalid}{" checked" if name in chosen else ""}>'
        f" {escape(label)}</label>"
        for n, (name, label) in enumerate(Feature.choices)
        if name in offered or name in chosen
    )
    return mark_safe("".join(boxes))  # noqa: S308 - our own names, and labels escaped


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
