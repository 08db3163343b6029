"""Being there: checking in on the ticket, by a place's QR code, or by the link in a reminder."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.requests import AuthenticatedRequest
from bookings.deciding import attendance, visits
from bookings.deciding.errors import BookingError
from bookings.deciding.statements import OWN
from bookings.finding.links import board_url
from bookings.finding.signed import booking_named_by, place_named_by
from bookings.models import Booking
from bookings.states import State
from bookings.views.secret import kept_to_itself, old_guest_link
from spaces import setups
from spaces.models import Place


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check_in(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Say that one is here, on the ticket; opened as an address it asks first."""
    found = OWN.first(member=request.user.pk, code=code)
    if found is None:
        raise Http404
    found.member = request.user
    if request.method != "POST":
        return _ask(request, found)
    try:
        visits.check_in(found, by=request.user, now=timezone.now())
    except BookingError as error:
        messages.error(request, str(error))
        return redirect(found)
    return redirect(f"{found.get_absolute_url()}?arrived=1")


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def check_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """The same for whoever holds the signed address from a member's reminder; it shows little."""
    found = booking_named_by(token)
    if found is None or found.member is None:
        return kept_to_itself(old_guest_link(request))
    if request.method != "POST":
        return kept_to_itself(_ask(request, found))
    error = None
    try:
        found = visits.check_in(found, by=found.member, now=timezone.now())
    except BookingError as refused:
        error = refused
    return kept_to_itself(_ask(request, found, error=error))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def here(request: AuthenticatedRequest, token: str) -> HttpResponse:
    """Where a place's QR code leads: to the reader's booking of now, with one button."""
    place = place_named_by(token)
    if place is None:
        raise Http404
    now = timezone.now()
    found = booking_here(request, place, now)
    if found is None:
        return _nothing_here(request, place, now)
    if request.method != "POST":
        return _ask(request, found)
    try:
        visits.check_in(found, by=request.user, now=now)
    except BookingError as error:
        return _ask(request, found, error=error)
    return redirect(f"{found.get_absolute_url()}?arrived=1")


def booking_here(request: AuthenticatedRequest, place: Place, now: datetime) -> Booking | None:
    """Return the reader's booking of a place that is running, or else the next one of today.

    A combination counts at each of its parts.
    """
    setup = setups.current(place.space_id)
    venue = setup.venue_for(request.user, now)
    leaves = venue.leaves(place.pk)
    places = [each.pk for each in setup.places if venue.leaves(each.pk) & leaves]
    until = venue.day_span(venue.day_of(now)).ends_at
    rows = Booking.objects.of(request.user).at_places(places).upcoming(now).with_place()
    for found in rows.beginning_before(until)[:1]:
        found.member = request.user
        return found
    return None


def _ask(
    request: HttpRequest, booking: Booking, *, error: BookingError | None = None
) -> HttpResponse:
    """Show what one would check in for, and the button if it can be pressed now."""
    now = timezone.now()
    space = booking.place.space
    limits = visits.limits_of(booking, setups.current(space.pk), now)
    window = attendance.check_in(limits, booking) if booking.state == State.CONFIRMED else None
    context: dict[str, Any] = {
        "booking": booking,
        "space": space,
        "zone": space.zone,
        "window": window,
        "can_check_in": window is not None and window.is_open(now),
        "is_early": window is not None and now < window.opens_at,
        "is_here": booking.state == State.CHECKED_IN,
        "error": error,
        "now": now,
    }
    return render(request, "bookings/check_in.html", context, status=409 if error else 200)


def _nothing_here(request: AuthenticatedRequest, place: Place, now: datetime) -> HttpResponse:
    setup = setups.current(place.space_id)
    venue = setup.venue_for(request.user, now)
    context = {
        "place": place,
        "space": place.space,
        "board_url": board_url(place.space, day=venue.today(now)) if place.space.is_active else "",
    }
    status = 409 if request.method == "POST" else 200
    if request.method == "POST":
        messages.error(request, _("You have no booking here now."))
    return render(request, "bookings/nothing_here.html", context, status=status)
