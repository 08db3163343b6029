"""Links from a board; request keys for booking forms."""

from dataclasses import replace
from datetime import date
from uuid import uuid4

from django import template

from bookings.finding import links
from bookings.finding.availability import Offer
from bookings.finding.board import Board
from bookings.finding.search import Search
from bookings.models import Booking

register = template.Library()


@register.simple_tag
def request_key() -> str:
    """Return a fresh key: a form books once, however often it is submitted."""
    return str(uuid4())


@register.simple_tag
def offer_url(board: Board, offer: Offer, moving: Booking | None = None) -> str:
    """Return the URL of the same search with an offer shown first."""
    day = board.venue.day_of(offer.period.starts_at)
    offered = replace(board.search, day=day, period=offer.period, place=offer.place.code)
    return links.search_url(board.space, offered, moving=moving)


@register.simple_tag
def search_url(board: Board, search: Search, moving: Booking | None = None) -> str:
    """Return the URL of another search."""
    return links.search_url(board.space, search, moving=moving)


@register.simple_tag
def day_url(board: Board, day: date, moving: Booking | None = None) -> str:
    """Return the URL of the same search on another day."""
    return links.search_url(board.space, replace(board.search, day=day, place=None), moving=moving)
