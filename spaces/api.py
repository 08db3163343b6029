"""Spaces as programs see them: where, when open, what can be booked, under which rules."""

from collections.abc import Iterable
from datetime import time, timedelta
from typing import Annotated, Any
from uuid import UUID

from django.core.validators import slug_re
from django.http import Http404
from django.utils import timezone, translation
from ninja import Path, Router, Schema
from pydantic import Field, WithJsonSchema

from accounts.api import scopes
from accounts.api.auth import PUBLIC
from accounts.api.pages import Cursor, Limit, NextCursor, bad_cursor, cut, decode, encode
from accounts.api.requests import ProgramRequest
from accounts.models import User
from spaces import setups
from spaces.features import NAMES, Feature
from spaces.limits import Limits
from spaces.models import Place, Space
from spaces.seating import ShiftValues
from spaces.setups import Setup
from spaces.venue import Venue

router = Router(tags=["Spaces"], auth=PUBLIC)

# Written out here: two enumerations named Kind would become one in the OpenAPI document.
SpaceKind = Annotated[
    Space.Kind,
    WithJsonSchema(
        {"type": "string", "enum": Space.Kind.values, "description": "What kind of space it is."}
    ),
]
PlaceKind = Annotated[
    Place.Kind,
    WithJsonSchema(
        {"type": "string", "enum": Place.Kind.values, "description": "What kind of place it is."}
    ),
]
# JSON Schema's format "time" has an offset; these have none.
LocalTime = Annotated[time, WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d:\d\d$"})]


CODE = "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"

Slug = Annotated[str, Path(description="The space's slug.", examples=["tverskaya"])]


class SpaceOut(Schema):
    slug: Annotated[str, Field(description="The space's name in URLs.", examples=["tverskaya"])]
    name: Annotated[str, Field(description="Its name.", examples=["Tverskaya"])]
    kind: SpaceKind
    time_zone: Annotated[
        str,
        Field(description="IANA name. All its times are in this zone.", examples=["Europe/Moscow"]),
    ]
    address: Annotated[
        str, Field(description="Where it is; may be empty.", examples=["Tverskaya Street 12"])
    ]


class Hours(Schema):
    weekday: Annotated[
        int, Field(ge=0, le=6, description="0 is Monday, 6 is Sunday.", examples=[0])
    ]
    opens_at: Annotated[LocalTime, Field(description="Local time.", examples=["08:00:00"])]
    closes_at: Annotated[
        LocalTime,
        Field(
            description="Local time; if not later than `opens_at`, on the next day.",
            examples=["22:00:00"],
        ),
    ]


class NoShowRule(Schema):
    no_shows: Annotated[int, Field(description="So many of them", examples=[3])]
    days: Annotated[int, Field(description="within so many days.", examples=[30])]


class Rules(Schema):
    """The limits of one kind of place, for whoever asks: a group may have its own."""

    kind: PlaceKind
    step_minutes: Annotated[
        int,
        Field(description="Bookings start and last in steps of this, from opening.", examples=[60]),
    ]
    min_minutes: Annotated[int, Field(description="The shortest booking.", examples=[60])]
    max_minutes: Annotated[int, Field(description="The longest booking.", examples=[480])]
    min_notice_minutes: Annotated[
        int, Field(description="How long before the start to book, at least.", examples=[0])
    ]
    max_days_ahead: Annotated[
        int, Field(description="How far ahead to book, at most.", examples=[90])
    ]
    cancel_deadline_minutes: Annotated[
        int,
        Field(description="How long before the start to cancel or move, at least.", examples=[60]),
    ]
    grace_minutes: Annotated[
        int,
        Field(
            description="How long after booking it may be cancelled or moved regardless.",
            examples=[5],
        ),
    ]
    max_upcoming: Annotated[
        int | None,
        Field(
            description="How many upcoming bookings a member may have here; null: any number.",
            examples=[3],
        ),
    ]
    max_minutes_per_day: Annotated[
        int | None,
        Field(
            description="How many minutes of one local day a member may book here; "
            "null: any number.",
            examples=[240],
        ),
    ]
    check_in_opens_minutes: Annotated[
        int | None,
        Field(
            description="How long before the start check-in opens; null: nobody checks in.",
            examples=[15],
        ),
    ]
    release_after_minutes: Annotated[
        int | None,
        Field(
            description="How long after the start a place is held for who hasn't checked in; "
            "null: to the end.",
            examples=[20],
        ),
    ]
    max_no_shows: Annotated[
        list[NoShowRule],
        Field(description="After how many no-shows a member can't book for a while."),
    ]


class PlaceOut(Schema):
    code: Annotated[
        UUID,
        Field(description="The place's public code, for booking it.", examples=[CODE]),
    ]
    number: Annotated[int, Field(description="Unique in its space.", examples=[12])]
    name: Annotated[str, Field(description="Its name, in English.", examples=["Desk 12"])]
    kind: PlaceKind
    capacity: Annotated[int, Field(description="For how many people.", examples=[1])]
    min_party: Annotated[
        int,
        Field(description="For so many at least; the staff may seat fewer.", examples=[1]),
    ]
    area: Annotated[str, Field(description="Where it is; may be empty.", examples=["Terrace"])]
    features: Annotated[list[Feature], Field(description="What it offers.")]


class TurnOut(Schema):
    """How long a party of a size stays if nobody says otherwise."""

    from_party: Annotated[int, Field(description="From this many people.", examples=[3])]
    minutes: Annotated[int, Field(description="So long, in whole steps.", examples=[120])]


class ShiftOut(Schema):
    """When bookings may start on some weekdays, and how many people online at a time."""

    name: Annotated[str, Field(description="Its name.", examples=["Dinner"])]
    weekdays: Annotated[list[int], Field(description="0 is Monday.", examples=[[4, 5]])]
    first_seating: Annotated[LocalTime, Field(description="The first.", examples=["18:00:00"])]
    last_seating: Annotated[
        LocalTime,
        Field(
            description="The last; if earlier than the first, in the night after.",
            examples=["21:30:00"],
        ),
    ]
    covers_online: Annotated[
        int | None,
        Field(description="How many may begin in a quarter hour; null: any number.", examples=[12]),
    ]


#: What a single space shows in addition to the list, as stored.
WORDS = ("about", "phone", "email")


class SpaceDetail(SpaceOut):
    about: Annotated[
        str, Field(description="Some words about it; may be empty.", examples=["Desks by the hour"])
    ]
    phone: Annotated[
        str, Field(description="To reach the staff; may be empty.", examples=["+44 20 7946 0018"])
    ]
    email: Annotated[
        str, Field(description="To reach the staff; may be empty.", examples=["desk@example.com"])
    ]
    opening_hours: Annotated[list[Hours], Field(description="The weekly hours, without closures.")]
    rules: Annotated[list[Rules], Field(description="One entry for each kind of place it has.")]
    turn_times: Annotated[
        list[TurnOut], Field(description="How long parties stay, by size; empty: two hours.")
    ]
    shifts: Annotated[
        list[ShiftOut],
        Field(description="On a day that has some, bookings start in one of them."),
    ]
    places: Annotated[list[PlaceOut], Field(description="What can be booked, by number.")]


class SpacePage(Schema):
    items: Annotated[list[SpaceOut], Field(description="By slug.")]
    next_cursor: NextCursor


@router.get(
    "/spaces", response=SpacePage, operation_id="listSpaces", summary="List spaces, by slug"
)
def list_spaces(request: ProgramRequest, cursor: Cursor, limit: Limit) -> dict[str, Any]:
    rows = Space.objects.open_to_members().by_slug(after=_slug(cursor) if cursor else "")
    if (only := scopes.space_of(request)) is not None:
        rows = rows.filter(pk=only)
    items, next_cursor = cut(rows, limit, lambda space: encode("slug", space.slug))
    return {"items": items, "next_cursor": next_cursor}


def _slug(cursor: str) -> str:
    """Return the slug that a cursor points at. Raises ApiProblem."""
    match decode(cursor):
        case ["slug", slug] if slug_re.match(slug):
            return slug
    raise bad_cursor()


@router.get(
    "/spaces/{slug:slug}",
    response=SpaceDetail,
    operation_id="getSpace",
    summary="Show one space: hours, rules and places",
)
def get_space(request: ProgramRequest, slug: Slug) -> dict[str, Any]:
    setup, venue = find_space(request, slug)
    return {
        **{name: getattr(setup.space, name) for name in [*SpaceOut.model_fields, *WORDS]},
        "opening_hours": [
            {"weekday": row.weekday, "opens_at": row.opens_at, "closes_at": row.closes_at}
            for row in sorted(venue.hours, key=lambda row: (row.weekday, row.opens_at))
        ],
        "rules": [
            _rules(kind, venue.limits(kind))
            for kind in sorted({place.kind for place in setup.bookable})
        ],
        "turn_times": [
            {"from_party": turn.from_party, "minutes": turn.minutes} for turn in venue.turns
        ],
        "shifts": [_shift(shift) for shift in venue.shifts],
        "places": places_data(setup.bookable),
    }


def find_space(request: ProgramRequest, slug: str) -> tuple[Setup, Venue]:
    """Return the set-up of a space, and what of it is for this person. Raises Http404."""
    member = request.user if isinstance(request.user, User) else None
    setup = setups.shown(slug)
    if setup is None:
        raise Http404
    scopes.require_space(request, setup.space.pk, setup.space.slug)
    return setup, setup.venue_for(member, timezone.now())


def places_data(places: Iterable[Place]) -> list[dict[str, Any]]:
    with translation.override(None):
        return [
            {
                "code": place.code,
                "number": place.number,
                "name": str(place),
                "kind": place.kind,
                "capacity": place.capacity,
                "min_party": place.min_party,
                "area": place.area,
                "features": [feature for feature in place.features if feature in NAMES],
            }
            for place in places
        ]


def _minutes(time: timedelta | None) -> float | None:
    return None if time is None else time.total_seconds() // 60


def _shift(shift: ShiftValues) -> dict[str, Any]:
    return {
        "name": shift.name,
        "weekdays": [int(day) for day in shift.weekdays],
        "first_seating": shift.first,
        "last_seating": shift.last,
        "covers_online": shift.covers_online,
    }


def _rules(kind: str, limits: Limits) -> dict[str, Any]:
    return {
        "kind": kind,
        "step_minutes": limits.step.total_seconds() // 60,
        "min_minutes": limits.shortest.total_seconds() // 60,
        "max_minutes": limits.longest.total_seconds() // 60,
        "min_notice_minutes": limits.min_notice.total_seconds() // 60,
        "max_days_ahead": limits.max_days_ahead,
        "cancel_deadline_minutes": limits.cancel_deadline.total_seconds() // 60,
        "grace_minutes": limits.grace.total_seconds() // 60,
        "max_upcoming": min((quota.max_upcoming for quota in limits.quotas), default=None),
        "max_minutes_per_day": _minutes(min((rule.most for rule in limits.daily), default=None)),
        "check_in_opens_minutes": _minutes(limits.check_in_opens),
        "release_after_minutes": _minutes(limits.release_after),
        "max_no_shows": [
            {"no_shows": strikes.max_no_shows, "days": strikes.days} for strikes in limits.strikes
        ],
    }
