"""The one JSON shape of a booking: what programs get, and what each event remembers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import translation
from pydantic import Field

from bookings.models import Booking, BookingEvent
from spaces.models import Place

CODE = "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"
INSTANT = "RFC 3339, with the offset of the space's time zone."


def _uuid(description: str) -> Any:
    return Field(description=description, examples=[CODE], json_schema_extra={"format": "uuid"})


def _instant(description: str, example: str) -> Any:
    return Field(
        description=f"{description} {INSTANT}",
        examples=[example],
        json_schema_extra={"format": "date-time"},
    )


class PlaceData(TypedDict):
    """The place of a booking."""

    code: Annotated[str, _uuid("The place's public code, a UUID.")]
    name: Annotated[str, Field(description="The name of the place.", examples=["Desk 12"])]
    space: Annotated[
        str, Field(description="The slug of the space it is in.", examples=["tverskaya"])
    ]


class BookingData(TypedDict):
    """A booking, as programs get it and as each event remembers it.

    Events of earlier releases lack `created_at`, `decided_at`, `checked_in_at`, `seated_at` and
    `problems`.
    """

    code: Annotated[str, _uuid("The booking's public code, a UUID.")]
    state: Annotated[str, Field(description="The state of the booking.", examples=["CONFIRMED"])]
    place: Annotated[PlaceData, Field(description="The place that is booked.")]
    starts_at: Annotated[str, _instant("When it starts.", "2026-11-25T13:00:00+03:00")]
    ends_at: Annotated[
        str, _instant("When it ends; this instant is free again.", "2026-11-25T15:00:00+03:00")
    ]
    party_size: Annotated[int, Field(description="How many people come.", examples=[2])]
    note: Annotated[
        str, Field(description="What the member wrote; may be empty.", examples=["By the window"])
    ]
    created_at: Annotated[
        str, _instant("When the request was received.", "2026-11-20T10:00:00.120000+03:00")
    ]
    decided_at: Annotated[
        str | None,
        _instant(
            "When it was confirmed or rejected; null while it is undecided.",
            "2026-11-20T10:00:01.840000+03:00",
        ),
    ]
    checked_in_at: Annotated[
        str | None,
        _instant("When they arrived; null if nobody said so.", "2026-11-25T13:02:00+03:00"),
    ]
    seated_at: Annotated[
        str | None,
        _instant("When they were seated; null if nobody said so.", "2026-11-25T13:05:00+03:00"),
    ]
    problems: Annotated[
        list[str],
        Field(
            description=(
                "Codes that say why it was rejected or, in an event, what of a changed set-up "
                "moved it or does not suit it any more; empty otherwise."
            ),
            examples=[["slot_taken"]],
        ),
    ]


class EventData(TypedDict):
    """Something that happened to a booking, as programs get it."""

    id: Annotated[
        str,
        Field(
            description="The booking's code and the event's number.",
            examples=["0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55.2"],
        ),
    ]
    kind: Annotated[str, Field(description="What happened.", examples=["CONFIRMED"])]
    at: Annotated[str, _instant("When.", "2026-11-20T10:00:01.840000+03:00")]
    reason: Annotated[
        str, Field(description="Why, in words; usually empty.", examples=["Water damage"])
    ]
    undone: Annotated[
        str | None,
        Field(description="With UNDONE: the kind of what was taken back.", examples=["NO_SHOW"]),
    ]
    booking: Annotated[BookingData, Field(description="The booking as it was then.")]


def booking_data(booking: Booking) -> BookingData:
    """Return a booking as JSON values; instants are RFC 3339 with the space's offset.

    It names nobody, so the event log survives the deletion of an account; and the
    place's name is in English, whoever did it: see also `places_of`.
    """
    zone = booking.place.space.zone
    return {
        "code": str(booking.code),
        "state": str(booking.state),
        "place": place_data(booking.place),
        "starts_at": written(booking.starts_at, zone),
        "ends_at": written(booking.ends_at, zone),
        "party_size": booking.party_size,
        "note": booking.note,
        "created_at": written(booking.created_at, zone),
        "decided_at": _written(booking.decided_at, zone),
        "checked_in_at": _written(booking.checked_in_at, zone),
        "seated_at": _written(booking.seated_at, zone),
        "problems": list(booking.problems),
    }


def event_data(event: BookingEvent) -> EventData:
    """Return an event as JSON values: what happened, and the booking as it was then."""
    booking = event.booking
    zone = booking.place.space.zone
    later: dict[str, Any] = {  # missing from events of earlier releases
        "created_at": written(booking.created_at, zone),
        "decided_at": _written(booking.decided_at, zone),
        "checked_in_at": None,
        "seated_at": None,
        "problems": [],
    }
    remembered: Any = {**later, **event.data}
    undone = remembered.pop("undone", None)
    return {
        "id": event_id(event),
        "kind": event.kind,
        "at": written(event.at, zone),
        "reason": event.reason,
        "undone": undone,
        "booking": remembered,
    }


def event_id(event: BookingEvent) -> str:
    """Return an event's public id: its booking's code and its number."""
    return f"{event.booking.code}.{event.sequence}"


def place_data(place: Place) -> PlaceData:
    with translation.override(None):
        name = str(place)
    return {"code": str(place.code), "name": name, "space": place.space.slug}


def written(at: datetime, zone: ZoneInfo) -> str:
    """Write an instant as RFC 3339 in a space's time zone."""
    return at.astimezone(zone).isoformat()


def _written(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else written(at, zone)


def stays_put(before: BookingData, after: BookingData) -> bool:
    """Tell whether a booking has the same place and time after an event as before it.

    An event of a move may change the party or the note alone.
    """
    return before["place"]["code"] == after["place"]["code"] and all(
        datetime.fromisoformat(before[end]) == datetime.fromisoformat(after[end])
        for end in ("starts_at", "ends_at")
    )


def places_of(remembered: Iterable[BookingData]) -> dict[str, Place]:
    """Return the places that events remember, by code, to name them in the reader's language."""
    codes = {UUID(data["place"]["code"]) for data in remembered}
    return {
        str(code): place for code, place in Place.objects.in_bulk(codes, field_name="code").items()
    }
