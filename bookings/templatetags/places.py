"""Where a board continues; the keys of the forms that book."""

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
    """Return a fresh key: one filled-in form books once, however often it is sent."""
    return str(uuid4())


@register.simple_tag
def offer_url(board: Board, offer: Offer, moving: Booking | None = None) -> str:
    """Return the board that shows an offer first, otherwise searched like this one."""
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
    """Return the board of another search."""
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
    """Return the board of another day, otherwise searched like this one."""
    search = board.search
    return board_url(
        board.space,
        day=day,
        period=search.period,
        party_size=search.party_size,
        features=search.features,
        moving=moving,
    )
