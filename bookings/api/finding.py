"""Finding a free place, for programs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from django.utils import timezone
from ninja import Query, Router

from accounts.api.auth import PUBLIC
from accounts.api.requests import ProgramRequest
from accounts.api.schemas import Instant, Whole
from bookings.api.problems import offer_data, problems_data
from bookings.api.schemas import AvailabilityOut
from bookings.deciding import rules
from bookings.deciding.rules import NONSENSE, Problem
from bookings.finding.availability import Availability, next_free
from bookings.forms import MOST_PEOPLE
from bookings.words.representation import written
from spaces.api import Slug, find_space, places_data
from spaces.features import Feature
from spaces.models import Place
from spaces.slots import Period
from spaces.venue import Venue

router = Router(tags=["Spaces"], auth=PUBLIC)


@router.get(
    "/spaces/{slug:slug}/availability",
    response=AvailabilityOut,
    operation_id="getAvailability",
    summary="Find what is free for a time",
)
def get_availability(
    request: ProgramRequest,
    slug: Slug,
    starts_at: Annotated[Instant, Query(description="When it would start.")],
    ends_at: Annotated[
        Instant, Query(description="When it would end.", examples=["2026-12-01T12:00:00+03:00"])
    ],
    party_size: Annotated[
        Whole,
        Query(1, ge=1, le=MOST_PEOPLE, description="How many people would come.", examples=[2]),
    ],
    feature: Annotated[
        list[Feature], Query([], description="Only places with this feature; can be repeated.")
    ],
) -> dict[str, Any]:
    """What is free now is probably still free in a moment, but only a booking settles it."""
    now = timezone.now()
    setup, venue = find_space(request, slug)
    space, places, period = setup.space, setup.bookable, Period(starts_at, ends_at)
    answer = {
        "space": space.slug,
        "starts_at": written(starts_at, space.zone),
        "ends_at": written(ends_at, space.zone),
        "party_size": party_size,
        "free_places": [],
        "problems": [],
        "next_free": None,
    }
    kinds = sorted({place.kind for place in places})
    by_kind = [
        rules.of_time(venue, venue.limits(kind, period.starts_at), period, now) for kind in kinds
    ]
    if all(any(p.code in NONSENSE for p in found) for found in by_kind):
        return answer | {"problems": problems_data(by_kind[0] if by_kind else [])}
    # The rest of the day is read too: how long a place stays free depends on the next booking.
    rest = Period(starts_at, max(ends_at, venue.day_span(venue.day_of(starts_at)).ends_at))
    known = Availability(space, venue, rest, places=places)
    offers = known.offers(period, party_size=party_size, now=now, features=feature)
    if offers:
        free = [
            {**place, "free_until": written(offer.free_until, space.zone)}
            for place, offer in zip(
                places_data(offer.place for offer in offers), offers, strict=True
            )
        ]
        return answer | {"free_places": free}
    earliest, _tomorrow = next_free(known, period, party_size=party_size, now=now, features=feature)
    return answer | {
        "problems": problems_data(
            [
                *_of_all(places, venue, period, party_size, now),
                *known.problems(period, party_size),
            ]
        ),
        "next_free": offer_data(earliest) if earliest else None,
    }


def _of_all(
    places: Iterable[Place], venue: Venue, period: Period, party_size: int, now: datetime
) -> list[Problem]:
    """Return the problems that every place has; with any, it's not that everything is taken."""
    shared: dict[str, Problem] | None = None
    for place in sorted(places, key=lambda place: -place.capacity):  # the largest gives the number
        found = rules.problems(venue, place, period, party_size=party_size, now=now)
        mine = {problem.code: problem for problem in found}
        shared = mine if shared is None else {c: p for c, p in shared.items() if c in mine}
    return list((shared or {}).values())
