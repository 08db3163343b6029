"""A screen at a door: no session, its address is the key."""

from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.addresses import address_of
from accounts.api.limits import count
from bookings.deciding import at_doors, door_keys
from bookings.deciding.errors import BookingError, SlotTaken
from bookings.doors import DoorView
from bookings.finding.at_doors import screen
from bookings.models import Booking
from bookings.words.local_time import LocalTimeError, read_instant
from spaces import setups

#: Requests a minute: a screen asks every five seconds, and people press now and then.
MOST_OF_A_SCREEN = 120
#: Wrong addresses a minute from one network address. Nobody guesses 256 bits; this keeps it quiet.
MOST_WRONG = 60
A_MINUTE = 60

UTC_ZONE = ZoneInfo("UTC")


@csrf_exempt  # no cookie says who presses: only who knows the address can send anything (see below)
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def door(request: HttpRequest, token: str) -> HttpResponse:
    """Show a screen, or a part of it for its script; POST checks in or takes a free place.

    A forged form would need the address, and whoever has that needs no forged form. A browser that
    says the form is another site's is refused all the same.
    """
    found = door_keys.find(token)
    if found is None:
        if _is_too_many("door-wrong", address_of(request) or "unknown", MOST_WRONG):
            return _wait(request)
        return render(request, "door/old_address.html", status=HTTPStatus.NOT_FOUND)
    if _is_too_many("door", str(found.pk), MOST_OF_A_SCREEN):
        return _wait(request)
    with translation.override(found.language):
        response = _act(request, found) if request.method == "POST" else _show(request, found)
    response["Content-Language"] = found.language
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Server-Time"] = f"{timezone.now():%Y-%m-%dT%H:%M:%S.%fZ}"
    return response


def _is_too_many(what: str, who: str, most: int) -> bool:
    return count(what, who, window=A_MINUTE) > most


def _wait(request: HttpRequest) -> HttpResponse:
    status = HTTPStatus.TOO_MANY_REQUESTS
    context = {"status": status.value, "retry_after": A_MINUTE}
    response = render(request, "errors/429.html", context, status=status)
    response["Retry-After"] = str(A_MINUTE)
    return response


def _show(
    request: HttpRequest, found: DoorView, *, error: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    now = timezone.now()
    setup = setups.current(found.space_id)
    door_keys.note_seen(found, now=now)
    context = {
        "door": found,
        "space": setup.space,
        "zone": setup.space.zone,
        "screen": screen(found, setup, now=now),
        "now": now,
        "error": error,
    }
    if request.headers.get("X-Part") != "screen":
        return render(request, "door/door.html", context, status=status)
    response = render(request, "door/door.html#screen", context, status=status)
    etag = f'"{sha256(response.content).hexdigest()[:32]}"'
    response["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


def _act(request: HttpRequest, found: DoorView) -> HttpResponse:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise PermissionDenied
    now = timezone.now()
    try:
        if request.POST.get("act") == "check_in":
            at_doors.check_in(_booking(request, found), door=found, now=now)
        elif request.POST.get("act") == "use":
            _use(request, found, now)
        else:
            raise BadRequest("no such act")
    except SlotTaken as error:
        return _show(request, found, error=str(error), status=HTTPStatus.CONFLICT)
    except BookingError as error:
        return _show(request, found, error=str(error), status=HTTPStatus.UNPROCESSABLE_ENTITY)
    response = redirect(request.path)
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def _booking(request: HttpRequest, found: DoorView) -> Booking:
    here = Booking.objects.filter(place__space=found.space_id).with_place()
    booking = here.filter(code=_uuid(request, "booking")).first()
    if booking is None:
        raise Http404
    return booking


def _use(request: HttpRequest, found: DoorView, now: datetime) -> None:
    place = setups.current(found.space_id).place(_uuid(request, "place"))
    if place is None:
        raise Http404
    try:
        ends_at = read_instant(request.POST.get("ends_at", ""), UTC_ZONE)
    except LocalTimeError as error:
        raise BadRequest(str(error)) from error
    key = _uuid(request, "request_key")
    at_doors.use_now(place, ends_at=ends_at, door=found, request_key=key, now=now)


def _uuid(request: HttpRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError as error:
        raise BadRequest(name) from error
