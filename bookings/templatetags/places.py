"""What a place offers, in words; where a board continues; the keys of the forms that book."""

from collections.abc import Iterable
from datetime import date
from uuid import uuid4

from django import template

from bookings.availability import Offer
from bookings.board import Board
from bookings.links import board_url
from bookings.models import Booking
from spaces.features import Feature

register = template.Library()


@register.filter
def features(values: Iterable[str]) -> list[Feature]:
    """Return the features with their labels; values that we don't know are left out."""
    return [Feature(value) for value in values if value in Feature.values]


@register.filter
def without(offers: Iterable[Offer], shown: Offer | None) -> list[Offer]:
    """Return the offers that are not shown already."""
    return [offer for offer in offers if offer is not shown]


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
