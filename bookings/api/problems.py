"""Why a program's booking may be refused, and how services' errors become problems."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.api.problems import FORBIDDEN, KEY_REUSED, ApiProblem, kind
from accounts.models import User
from bookings.api.schemas import EXAMPLE, BookingProblem
from bookings.deciding.errors import (
    BookingError,
    NotStaff,
    Refused,
    RequestKeyReused,
    SlotTaken,
    TooLate,
    WrongState,
)
from bookings.deciding.rules import ABOUT_THE_PERSON, Problem
from bookings.finding.availability import Offer, alternatives_to
from bookings.models import Booking
from bookings.words import words
from bookings.words.representation import place_data, written
from spaces.api import CODE
from spaces.models import Place
from spaces.slots import Period

OFFER = {
    "place": {"code": CODE, "name": "Desk 12", "space": "tverskaya"},
    "starts_at": EXAMPLE["starts_at"],
    "ends_at": EXAMPLE["ends_at"],
}

SLOT_TAKEN = kind(
    "slot_taken",
    HTTPStatus.CONFLICT,
    _("Somebody else has the place for part of that time."),
    _("`alternatives` lists up to three places and times that were free a moment ago."),
    BookingProblem,
    {"alternatives": [OFFER], "booking": CODE},
)
REFUSED = kind(
    "refused",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    _("The rules of the space don’t allow it."),
    _("`problems` lists every broken rule by its own code; `alternatives` what is allowed."),
    BookingProblem,
    {
        "problems": [{"code": "closed", "message": "Closed on 25 November."}],
        "alternatives": [OFFER],
    },
)
WRONG_STATE = kind(
    "wrong_state",
    HTTPStatus.CONFLICT,
    _("The booking’s state does not allow that."),
    _("It is cancelled, over, or not decided yet. Read it again."),
)
TOO_LATE = kind(
    "too_late",
    HTTPStatus.UNPROCESSABLE_ENTITY,
    _("The deadline for this change has passed."),
    _("Only the staff of the space can change it now."),
)

OF_ERRORS = {
    SlotTaken: SLOT_TAKEN,
    Refused: REFUSED,
    WrongState: WRONG_STATE,
    TooLate: TOO_LATE,
    NotStaff: FORBIDDEN,
    RequestKeyReused: KEY_REUSED,
}


def problem_of(
    error: BookingError,
    place: Place,
    period: Period,
    *,
    member: User | None,
    party_size: int,
    now: datetime,
    moving: Booking | None = None,
    booking: Booking | None = None,
) -> ApiProblem:
    """Turn a service's error into a problem document, with alternatives.

    `booking` is the rejected one that is kept as history, `moving` the one that stays put.
    """
    found: Sequence[Problem] = error.problems if isinstance(error, Refused) else ()
    offers: list[Offer] | None = None
    if isinstance(error, SlotTaken | Refused):
        offers = []
        if not any(problem.code in ABOUT_THE_PERSON for problem in found):
            offers = alternatives_to(
                place, period, member=member, party_size=party_size, now=now, but=moving
            )
    detail = str(error)
    if isinstance(error, SlotTaken) and member and _is_mine(member, place, period):
        named = {"place": str(place), "time": words.span(period, place.space.zone)}
        detail = gettext("%(place)s is already yours for %(time)s.") % named
    return ApiProblem(
        OF_ERRORS[type(error)],
        detail,
        problems=problems_data(found) if isinstance(error, Refused) else None,
        alternatives=None if offers is None else [offer_data(offer) for offer in offers],
        booking=str(booking.code) if booking else None,
    )


def _is_mine(member: User, place: Place, period: Period) -> bool:
    """Tell whether the member already holds the place, by another program or from long ago."""
    mine = Booking.objects.of(member).in_space(place.space).occupying().overlapping(period)
    return any(booking.place_id == place.pk for booking in mine)


def problems_data(problems: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"code": problem.code, "message": problem.message} for problem in problems]


def offer_data(offer: Offer) -> dict[str, Any]:
    zone = offer.place.space.zone
    return {
        "place": place_data(offer.place),
        "starts_at": written(offer.period.starts_at, zone),
        "ends_at": written(offer.period.ends_at, zone),
    }
