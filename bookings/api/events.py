"""The event log, for programs that follow what happens."""

from typing import Annotated, Any
from uuid import UUID

from ninja import Query, Router

from accounts.api import scopes
from accounts.api.auth import SIGNED_IN
from accounts.api.pages import Limit, bad_cursor
from accounts.api.requests import SignedInProgramRequest
from accounts.api.schemas import Text
from bookings.api.schemas import EventPage
from bookings.deciding import log
from bookings.models import Booking, BookingEvent
from bookings.words.representation import event_data

router = Router(tags=["Events"], auth=SIGNED_IN)


@router.get(
    "/events",
    response=EventPage,
    operation_id="listEvents",
    summary="Follow what happens to the bookings that you may see",
)
def list_events(
    request: SignedInProgramRequest,
    after: Annotated[
        Text,
        Query(
            "",
            max_length=60,
            description="The previous `next_cursor`; empty: from the beginning.",
            examples=["0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55.2"],
        ),
    ],
    limit: Limit,
    space: Annotated[
        Text, Query("", description="Only in the space with this slug.", examples=["ararat"])
    ],
) -> dict[str, Any]:
    """In one order that never changes: nothing is skipped or repeated, whenever you ask again.

    Events of one booking come in the order of its life.
    """
    may_be_more = log.place_new() == log.CHUNK  # the next request takes care of the rest
    bookings = Booking.objects.visible_to(request.user)
    if (only := scopes.space_of(request)) is not None:
        bookings = bookings.filter(place__space=only)
    if space:
        bookings = bookings.in_space_called(space)
    events = BookingEvent.objects.of_bookings(bookings).beyond(_position(after) if after else 0)
    found = list(events.select_related("booking__place__space")[: limit + 1])
    items = [event_data(event) for event in found[:limit]]
    return {
        "items": items,
        "next_cursor": items[-1]["id"] if items else after,
        "has_more": len(found) > limit or may_be_more,
    }


def _position(cursor: str) -> int:
    code, _dot, sequence = cursor.partition(".")
    try:
        if f"{UUID(code)}.{int(sequence)}" != cursor:  # Python parses more than we write
            raise bad_cursor("after")
        position: int | None = BookingEvent.objects.values_list("position", flat=True).get(
            booking__code=UUID(code), sequence=int(sequence)
        )
    except (ValueError, OverflowError, BookingEvent.DoesNotExist) as error:
        raise bad_cursor("after") from error
    if position is None:
        raise bad_cursor("after")
    return position
