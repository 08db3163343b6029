"""What happens at the place, for programs: who came, who left, who didn't come."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from django.utils import timezone
from ninja import Router
from pydantic import Field, Strict, model_validator

from accounts.api import scopes
from accounts.api.auth import SIGNED_IN
from accounts.api.idempotency import idempotent
from accounts.api.problems import FORBIDDEN, raises
from accounts.api.requests import SignedInProgramRequest
from accounts.api.schemas import Input, Instant
from accounts.models import User
from bookings.api import asking
from bookings.api.problems import REFUSED, SLOT_TAKEN, TOO_LATE, WRONG_STATE, problem_of
from bookings.api.routes import Code, find_to_change
from bookings.api.schemas import BookingOut
from bookings.deciding import undoing, visits
from bookings.deciding.errors import BookingError
from bookings.models import Booking
from spaces.slots import Period

router = Router(tags=["Bookings"], auth=SIGNED_IN)


class Verb(StrEnum):
    CHECK_IN = "check_in"
    SEAT = "seat"
    LEAVE = "leave"
    NO_SHOW = "no_show"
    EXTEND = "extend"
    UNDO = "undo"


class Visit(Input):
    verb: Annotated[Verb, Field(description="What happened.", examples=["check_in"])]
    ends_at: Annotated[
        Instant | None, Field(description="Only with `extend`: until when they stay.")
    ] = None
    event: Annotated[
        int | None,
        Strict(),
        Field(
            ge=1,
            le=2**31 - 1,
            description="Only with `undo`: the number of the event, the end of its id.",
            examples=[2],
        ),
    ] = None

    @model_validator(mode="after")
    def says_what_it_needs(self) -> Self:
        if (self.ends_at is not None) != (self.verb == Verb.EXTEND):
            raise ValueError("`ends_at` belongs to `extend`, which needs it")
        if (self.event is not None) != (self.verb == Verb.UNDO):
            raise ValueError("`event` belongs to `undo`, which needs it")
        return self


@router.post(
    "/{uuid:code}/visit",
    response=BookingOut,
    operation_id="recordVisit",
    summary="Say that somebody came, left or didn't come",
)
@raises(SLOT_TAKEN, REFUSED, TOO_LATE, WRONG_STATE, FORBIDDEN)
@idempotent
def record_visit(request: SignedInProgramRequest, code: Code, body: Visit) -> BookingOut:
    """For the staff of the space; members may only check in for their own booking.

    `leave` gives the rest of the time back, `no_show` all of it; `extend` takes more, if it is
    free. `undo` takes back the last event of a booking, for some seconds, by whoever did it.
    """
    booking, now = find_to_change(request, code), timezone.now()
    if body.verb != Verb.CHECK_IN:
        scopes.require(request, "manage")
    try:
        return asking.shown(_carry_out(body, booking, by=request.user, now=now))
    except BookingError as error:
        raise problem_of(
            error,
            booking.place,
            Period(booking.starts_at, body.ends_at or booking.ends_at),
            member=booking.member,
            party_size=booking.party_size,
            now=now,
            moving=booking,
        ) from error


def _carry_out(body: Visit, booking: Booking, *, by: User, now: datetime) -> Booking:
    if body.verb == Verb.CHECK_IN:
        if booking.member == by:
            return visits.check_in(booking, by=by, now=now)
        return visits.arrive(booking, by=by, now=now)
    if body.ends_at is not None:
        return visits.extend(booking, ends_at=body.ends_at, by=by, now=now)
    if body.event is not None:
        return undoing.undo(booking, event=body.event, by=by, now=now)
    plain = {Verb.SEAT: visits.seat, Verb.LEAVE: visits.leave, Verb.NO_SHOW: visits.no_show}
    return plain[body.verb](booking, by=by, now=now)
