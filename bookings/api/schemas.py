"""Request and response bodies of the booking operations.

The booking itself: `bookings.words.representation`.
"""

from typing import Annotated, Any, Self
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field, Strict, model_validator
from pydantic.config import JsonDict

from accounts.api.pages import NextCursor
from accounts.api.schemas import Input, Instant, Problem, Text, instant
from accounts.letters import is_visible, turns
from bookings.forms import MOST_PEOPLE
from bookings.states import State
from bookings.words.representation import BookingData, EventData, PlaceData
from spaces.api import CODE, PlaceOut
from spaces.features import Feature

MOST_AT_ONCE = 100

StartsAt = Annotated[Instant, Field(description="When it begins.")]
EndsAt = Annotated[Instant, Field(description="When it ends; that instant is free again.")]
PartySize = Annotated[
    int, Field(ge=1, le=MOST_PEOPLE, description="How many people come.", examples=[2])
]


EXAMPLE: JsonDict = {
    "place": CODE,
    "starts_at": "2026-12-01T10:00:00+03:00",
    "ends_at": "2026-12-01T12:00:00+03:00",
    "party_size": 1,
    "note": "By the window",
}


class BookingIn(Input):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})

    place: Annotated[UUID | None, Field(description="The code of the place.", examples=[CODE])] = (
        None
    )
    space: Annotated[
        Text | None,
        Field(
            max_length=50,
            description="Instead of a place, the slug of a space: the house chooses the place. "
            "This is decided at once, whatever you prefer.",
            examples=["tverskaya"],
        ),
    ] = None
    starts_at: StartsAt
    ends_at: Annotated[
        Instant | None,
        Field(
            description="When it ends; that instant is free again. Left out: as long as the house "
            "gives so many people, or two hours."
        ),
    ] = None
    party_size: Annotated[PartySize, Strict()] = 1
    features: Annotated[
        list[Feature], Field(max_length=20, description="With `space`: what the place must have.")
    ] = []
    area: Annotated[
        Text,
        Field(
            max_length=40,
            description="With `space`: where the place must be.",
            examples=["Terrace"],
        ),
    ] = ""
    note: Annotated[
        Text, Field(max_length=500, description="Seen by the staff.", examples=["By the window"])
    ] = ""
    member: Annotated[
        Text | None,
        Field(
            max_length=150,
            description="Only for staff of the space: the login of the member to book for.",
            examples=["member"],
        ),
    ] = None
    guest_name: Annotated[
        Text,
        Field(
            max_length=150,
            description="Only for staff of the space: a guest without an account to book for.",
            examples=["Ivan"],
        ),
    ] = ""
    guest_contact: Annotated[
        Text, Field(max_length=150, description="The guest's phone or e-mail.", examples=["+7 900"])
    ] = ""

    @model_validator(mode="after")
    def names_what(self) -> Self:
        if (self.place is None) == (self.space is None):
            raise ValueError("name either a place or a space")
        if self.place is not None and (self.features or self.area):
            raise ValueError("features and area are wishes for what the house chooses")
        return self

    @model_validator(mode="after")
    def is_for_one(self) -> Self:
        if self.member is not None and self.guest_name:
            raise ValueError("name either a member or a guest")
        if self.guest_name and not is_visible(self.guest_name):
            raise ValueError("a guest needs a name")
        if turns(self.guest_name or ""):
            raise ValueError("a guest's name can't have marks that turn text around")
        if self.guest_contact and not self.guest_name:
            raise ValueError("a guest's contact needs the guest's name")
        return self


class BookingChange(Input):
    """Anything left out stays as it is."""

    place: Annotated[
        UUID | None, Field(description="Another place in the same space.", examples=[CODE])
    ] = None
    starts_at: Annotated[Instant | None, Field(description="When it begins.")] = None
    ends_at: Annotated[Instant | None, Field(description="When it ends.")] = None
    party_size: Annotated[
        int | None,
        Strict(),
        Field(ge=1, le=MOST_PEOPLE, description="How many people come.", examples=[2]),
    ] = None
    note: Annotated[
        Text | None,
        Field(
            max_length=500,
            description="Seen by the staff; empty removes it.",
            examples=["By the window"],
        ),
    ] = None
    guest_name: Annotated[
        Text | None,
        Field(
            max_length=150, description="For a guest's booking: who is coming.", examples=["Ivan"]
        ),
    ] = None
    guest_contact: Annotated[
        Text | None,
        Field(
            max_length=150,
            description="For a guest's booking: phone or e-mail; empty removes it.",
            examples=["+7 900"],
        ),
    ] = None

    @property
    def moves(self) -> bool:
        """Tell whether place, time or party size are given."""
        return any((self.place, self.starts_at, self.ends_at, self.party_size))

    @model_validator(mode="after")
    def names_the_guest(self) -> Self:
        if self.guest_name is not None and not is_visible(self.guest_name):
            raise ValueError("a guest needs a name")
        if turns(self.guest_name or ""):
            raise ValueError("a guest's name can't have marks that turn text around")
        return self

    @model_validator(mode="after")
    def changes_something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("say what to change")
        return self


class Reason(Schema):
    code: Annotated[str, Field(description="The rule; stable.", examples=["closed"])]
    message: Annotated[str, Field(description="In words.", examples=["Closed on 25 November."])]


class OfferOut(Schema):
    """A place and a time that were free a moment ago."""

    place: Annotated[PlaceData, Field(description="The place.")]
    starts_at: Annotated[str, instant("When it would start.")]
    ends_at: Annotated[str, instant("When it would end.")]


class BookingProblem(Problem):
    """Why a booking isn't possible, and what is."""

    problems: Annotated[
        list[Reason], Field(description="With `refused`: every broken rule, each with its code.")
    ] = []
    alternatives: Annotated[
        list[OfferOut],
        Field(max_length=3, description="The nearest places and times that can be booked instead."),
    ] = []
    booking: Annotated[
        UUID | None,
        Field(description="The code of the REJECTED booking in the history.", examples=[CODE]),
    ] = None


class BookingOut(BookingData):
    """A booking as its member and its space's staff see it."""

    member: Annotated[
        str | None, Field(description="The member's login; null for a guest.", examples=["member"])
    ]
    guest_name: Annotated[
        str, Field(description="The guest's name; empty for a member.", examples=["Ivan"])
    ]
    guest_contact: Annotated[
        str, Field(description="The guest's phone or e-mail; may be empty.", examples=["+7 900"])
    ]


class BookingFilters(Schema):
    """Which bookings to list. Some filters have a second name, as people expect from other APIs."""

    state: Annotated[list[State], Field(description="Only in this state; can be repeated.")] = []
    status: Annotated[list[State], Field(description="The same as `state`.")] = []
    space: Annotated[
        Text, Field(description="Only in the space with this slug.", examples=["ararat"])
    ] = ""
    place: Annotated[
        UUID | None, Field(description="Only for the place with this code.", examples=[CODE])
    ] = None
    after: Annotated[
        Instant | None,
        Field(alias="from", description="Only those that end after this instant."),
    ] = None
    before: Annotated[
        Instant | None,
        Field(alias="to", description="Only those that start before this instant."),
    ] = None
    date_from: Annotated[Instant | None, Field(description="The same as `from`.")] = None
    date_to: Annotated[Instant | None, Field(description="The same as `to`.")] = None
    mine: Annotated[
        bool, Field(description="Only your own, not all of the spaces you run.", examples=[True])
    ] = False

    @model_validator(mode="after")
    def says_each_thing_once(self) -> Self:
        twice = [
            f"{name} and {other}"
            for name, other, both in (
                ("state", "status", self.state and self.status),
                ("from", "date_from", self.after and self.date_from),
                ("to", "date_to", self.before and self.date_to),
            )
            if both
        ]
        if twice:
            raise ValueError(f"{', '.join(twice)} are the same filter: give it once")
        return self

    def matching(self) -> dict[str, Any]:
        """Return the filters as keyword arguments of `BookingQuerySet.matching`."""
        return {
            "states": self.state or self.status,
            "space": self.space,
            "place": self.place,
            "ends_after": self.after or self.date_from,
            "starts_before": self.before or self.date_to,
        }


class BookingPage(Schema):
    items: Annotated[list[BookingOut], Field(description="In the order of `sort`.")]
    next_cursor: NextCursor


class Batch(Input):
    bookings: Annotated[
        list[BookingIn],
        Field(
            min_length=1,
            max_length=MOST_AT_ONCE,
            description="Each is decided on its own, in this order for each place.",
        ),
    ]


class BatchResult(Schema):
    """The result of one item: `booking` if it was accepted, `problem` if it was refused."""

    status: Annotated[
        int,
        Field(description="202; 201 if decided; or the problem's.", examples=[202]),
    ]
    booking: Annotated[BookingOut | None, Field(description="Accepted, not decided yet.")] = None
    problem: Annotated[BookingProblem | None, Field(description="Why it was refused.")] = None


class BatchOut(Schema):
    results: Annotated[
        list[BatchResult], Field(description="One for each item, in the same order.")
    ]


class FreePlace(PlaceOut):
    free_until: Annotated[str, instant("Until when the place stays free after that time.")]


class AvailabilityOut(Schema):
    space: Annotated[str, Field(description="The space's slug.", examples=["tverskaya"])]
    starts_at: Annotated[str, instant("The requested time.")]
    ends_at: Annotated[str, instant("Its end.")]
    party_size: Annotated[int, Field(description="How many people would come.", examples=[2])]
    free_places: Annotated[
        list[FreePlace],
        Field(description="Every place that can be booked for all of that time, best fit first."),
    ]
    problems: Annotated[
        list[Reason],
        Field(description="Why this time can't be booked at all, such as `closed`; usually empty."),
    ]
    next_free: Annotated[
        OfferOut | None,
        Field(description="When nothing is free: the next time of the same length in a fortnight."),
    ]


class EventPage(Schema):
    items: Annotated[list[EventData], Field(description="In the order in which they happened.")]
    next_cursor: Annotated[
        str,
        Field(
            description="Send it as `after` to continue, now or later; never null.",
            examples=["0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55.2"],
        ),
    ]
    has_more: Annotated[
        bool, Field(description="Whether there is a next page right now.", examples=[False])
    ]
