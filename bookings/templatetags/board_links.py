"""Links into a board, from a board."""

from datetime import date
from uuid import UUID

from django import template

from bookings.board import Board
from bookings.links import board_url
from bookings.models import Booking
from spaces.slots import Period

register = template.Library()


@register.simple_tag
def board_link(
    board: Board,
    day: date | None = None,
    period: Period | None = None,
    place: UUID | None = None,
    moving: Booking | None = None,
) -> str:
    """Return the same search on another day, for another period, or with a place picked."""
    search = board.search
    return board_url(
        board.space,
        day=day or (board.venue.day_of(period.starts_at) if period else search.day),
        period=period or search.period,
        party_size=search.party_size,
        features=search.features,
        place=place,
        moving=moving,
    )
