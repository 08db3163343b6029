"""Booking, for programs."""

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from ninja import Path, Query, Router, Status

from accounts.api import scopes
from accounts.api.auth import SIGNED_IN
from accounts.api.idempotency import idempotent, request_key
from accounts.api.pages import Cursor, Limit, bad_cursor, cut, decode, encode
from accounts.api.problems import FORBIDDEN, ApiProblem, document, raises
from accounts.api.requests import SignedInProgramRequest
from accounts.api.schemas import Text
from bookings.api import asking, prefer
from bookings.api.problems import REFUSED, SLOT_TAKEN, TOO_LATE, WRONG_STATE, problem_of
from bookings.api.schemas import (
    Batch,
    BatchOut,
    BookingChange,
    BookingFilters,
    BookingIn,
    BookingOut,
    BookingPage,
)
from bookings.deciding import services
from bookings.deciding.details import amend
from bookings.deciding.errors import BookingError
from bookings.models import Booking
from bookings.sorting import Sort
from spaces.api import CODE
from spaces.slots import Period

router = Router(tags=["Bookings"], auth=SIGNED_IN)

Code = Annotated[UUID, Path(description="The booking's code.", examples=[CODE])]


@router.post(
    "",
    response={201: BookingOut, 202: BookingOut},
    operation_id="createBooking",
    summary="Book a place",
)
@raises(SLOT_TAKEN, REFUSED, FORBIDDEN)
@idempotent
def create_booking(
    request: SignedInProgramRequest,
    response: HttpResponse,
    body: BookingIn,
    preference: prefer.Async,
) -> object:
    """Decided at once: 201 and CONFIRMED, or a problem.

    With `Prefer: respond-async` it is accepted with 202 and decided next, in order of arrival for
    each place: read it until it is CONFIRMED or REJECTED.
    """
    now = timezone.now()
    asked = asking.read(body, request, request_key=request_key(request))
    if prefer.wants_async(request) and body.space is None:
        booking = asking.accept(asked, now=now)
        response["Preference-Applied"] = "respond-async"
        status = HTTPStatus.ACCEPTED
    else:
        booking = asking.book(asked, now=now)
        status = HTTPStatus.CREATED
    response["Location"] = _address(booking)
    return Status(status, asking.shown(booking))


@router.post(
    "/batch",
    response={202: BatchOut},
    operation_id="createBookings",
    summary="Request up to 100 bookings at once, decided next",
)
@idempotent
def create_bookings(request: SignedInProgramRequest, body: Batch) -> object:
    """Each item stands alone: a refused one doesn't affect the others.

    Accepted ones are CREATED and decided as with `Prefer: respond-async`; those that name a space
    are decided at once, with 201.
    """
    now, key = timezone.now(), request_key(request)
    results: list[dict[str, Any]] = []
    for index, item in enumerate(body.bookings):
        try:
            item_key = key and f"{key}:{index}"
            asked = asking.read(item, request, request_key=item_key)
            booking = asking.accept(asked, now=now)
        except ApiProblem as problem:
            results.append({"status": problem.kind.status, "problem": document(problem)})
        else:
            is_decided = not booking.is_undecided
            status = HTTPStatus.CREATED if is_decided else HTTPStatus.ACCEPTED
            results.append({"status": status, "booking": asking.shown(booking)})
    return Status(HTTPStatus.ACCEPTED, {"results": results})


@router.get(
    "",
    response=BookingPage,
    operation_id="listBookings",
    summary="List the bookings that you may see",
)
def list_bookings(
    request: SignedInProgramRequest,
    cursor: Cursor,
    limit: Limit,
    filters: Query[BookingFilters],
    sort: Annotated[
        Sort,
        Query(
            Sort.NEWEST,
            description="Newest request first, or by start. Only the first order is unaffected "
            "by bookings that are moved while you read.",
        ),
    ],
) -> dict[str, Any]:
    """Your own, and those of the spaces whose day you run; superusers see all."""
    visible = Booking.objects.visible_to(request.user)
    if (space := scopes.space_of(request)) is not None:
        visible = visible.filter(place__space=space)
    rows = visible.of(request.user) if filters.mine else visible
    rows = rows.matching(**filters.matching())
    try:
        rows = rows.sorted_by(sort, after=decode(cursor) if cursor else None)
    except ValueError as error:
        raise bad_cursor() from error
    items, next_cursor = cut(
        rows.with_person().among_the_first(limit + 1),
        limit,
        lambda row: encode(*sort.position(row.starts_at, row.code)),
    )
    return {"items": [asking.shown(row) for row in items], "next_cursor": next_cursor}


@router.get(
    "/{uuid:code}",
    response=BookingOut,
    operation_id="getBooking",
    summary="Show one booking",
)
def get_booking(
    request: SignedInProgramRequest, response: HttpResponse, code: Code, preference: prefer.Wait
) -> BookingOut:
    """With `Prefer: wait=10` the answer comes once it is decided, or after ten seconds."""
    booking = find(request, code)
    seconds = prefer.seconds_to_wait(request)
    if seconds and prefer.wait_for_decision(booking, seconds):
        response["Preference-Applied"] = f"wait={seconds}"
    return asking.shown(booking)


@router.patch(
    "/{uuid:code}",
    response=BookingOut,
    operation_id="rescheduleBooking",
    summary="Move a booking, or change its details",
)
@raises(SLOT_TAKEN, REFUSED, TOO_LATE, WRONG_STATE)
def reschedule_booking(
    request: SignedInProgramRequest, code: Code, body: BookingChange
) -> BookingOut:
    """What you leave out stays the same. It changes all or nothing; a note needs no deadline.

    If the new time isn't available, the booking stays where it is.
    """
    booking, now = find_to_change(request, code), timezone.now()
    details = asking.details(body, booking)
    place = asking.find_place(body.place) if body.place else booking.place
    scopes.require_space(request, place.space_id, place.space.slug)
    period = Period(body.starts_at or booking.starts_at, body.ends_at or booking.ends_at)
    party_size = body.party_size or booking.party_size
    try:
        if not body.moves:
            return asking.shown(amend(booking, details, by=request.user, now=now))
        moved = services.reschedule(
            booking,
            place=place,
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            party_size=party_size,
            details=details,
            by=request.user,
            now=now,
        )
    except BookingError as error:
        raise problem_of(
            error,
            place,
            period,
            member=booking.member,
            party_size=party_size,
            now=now,
            moving=booking,
        ) from error
    return asking.shown(moved)


@router.delete(
    "/{uuid:code}",
    response=BookingOut,
    operation_id="cancelBooking",
    summary="Cancel a booking",
)
@raises(TOO_LATE, WRONG_STATE)
def cancel_booking(
    request: SignedInProgramRequest,
    code: Code,
    reason: Annotated[
        Text,
        Query(
            "",
            max_length=200,
            description="The person who booked sees it in the history.",
            examples=["Water damage"],
        ),
    ],
) -> BookingOut:
    """Members may until the space's deadline, its staff until the end."""
    booking, now = find_to_change(request, code), timezone.now()
    try:
        cancelled = services.cancel(booking, by=request.user, now=now, reason=reason)
    except BookingError as error:
        raise problem_of(
            error,
            booking.place,
            booking.period,
            member=booking.member,
            party_size=booking.party_size,
            now=now,
        ) from error
    return asking.shown(cancelled)


def find(request: SignedInProgramRequest, code: UUID) -> Booking:
    """Return a booking that the person may see; others count as missing.

    Raises ApiProblem where the token is for another space.
    """
    visible = Booking.objects.visible_to(request.user).with_person()
    found: Booking = get_object_or_404(visible, code=code)
    scopes.require_space(request, found.place.space_id, found.place.space.slug)
    return found


def find_to_change(request: SignedInProgramRequest, code: UUID) -> Booking:
    """The same; acting for others takes more than booking for oneself."""
    found = find(request, code)
    if found.member_id != request.user.pk:
        scopes.require(request, "manage")
    return found


def _address(booking: Booking) -> str:
    return reverse("api:get_booking", args=[booking.code])
