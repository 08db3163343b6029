"""Links from a board; request keys for booking forms."""

from datetime import date
from uuid import uuid4

from django import template

from bookings.finding.availability import Offer
from bookings.finding.board import Board
from bookings.finding.links import board_url
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
    return board_url(
        board.space,
        day=board.venue.day_of(offer.period.starts_at),
        period=offer.period,
        party_size=board.search.party_size,
        features=board.search.features,
        place=offer.place.code,
        moving=moving,
    )


@register.simple_tag
def search_url(board: Board, search: Search, moving: Booking | None = None) -> str:
    """Return the URL of another search."""
    return board_url(
        board.space,
        day=search.day,
        period=search.period,
        party_size=search.party_size,
        features=search.features,
        moving=moving,
    )


@register.simple_tag
def day_url(board: Board, day: date, moving: Booking | None = None) -> str:
    """Return the URL of the same search on another day."""
    search = board.search
    return board_url(
        board.space,
        day=day,
        period=search.period,
        party_size=search.party_size,
        features=search.features,
        moving=moving,
    )
