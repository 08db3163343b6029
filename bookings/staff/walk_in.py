"""Seating who comes without a booking: how many, the best place, seated."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.letters import validate_visible
from accounts.numbers import WholeNumberField
from accounts.requests import AuthenticatedRequest
from bookings.deciding import visits, walk_ins
from bookings.deciding.errors import BookingError, Refused, RequestKeyReused
from bookings.deciding.steps import REUSED
from bookings.finding.calling import code as read_code
from bookings.finding.walking_in import spots, too_many
from bookings.forms import MOST_PEOPLE
from bookings.models import Booking
from bookings.staff.access import setup_run_by
from bookings.staff.booking import find_booking
from spaces.setups import Setup

#: How many of the best places are shown at once.
SHOWN = 6
#: Party sizes with a button of their own.
USUAL = range(1, 9)


class WalkInForm(forms.Form):
    """How many came; where, if the staff chose; under which name, if they said one."""

    people = WholeNumberField(label=gettext_lazy("People"), min_value=1, max_value=MOST_PEOPLE)
    place = forms.CharField(required=False, max_length=40)
    name = forms.CharField(
        validators=[validate_visible],
        label=pgettext_lazy("of a person", "Name"),
        max_length=150,
        required=False,
    )
    request_key = forms.CharField(max_length=200, required=False)
    # They were warned that too many come at once.
    anyway = forms.BooleanField(required=False)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_walk_in(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Ask how many, then show the best places; POST seats them at one."""
    setup, now = setup_run_by(request.user, slug), timezone.now()
    if request.method == "POST":
        return _seat(request, setup, now)
    form = WalkInForm(request.GET if "people" in request.GET else None)
    people = form.cleaned_data["people"] if form.is_bound and form.is_valid() else None
    return _page(request, setup, form, people=people, now=now)


def _seat(request: AuthenticatedRequest, setup: Setup, now: datetime) -> HttpResponse:
    """Seat them where the button says; without a place, at the best one that is still free."""
    form = WalkInForm(request.POST)
    if not form.is_valid():
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return _page(request, setup, form, people=None, now=now, status=status)
    said = form.cleaned_data
    found = spots(setup, people=said["people"], now=now)
    wanted = read_code(said["place"])
    seats = [spot.seat for spot in found if wanted is None or spot.place.code == wanted]
    try:
        booking = walk_ins.seat_one_of(
            seats,
            space=setup.space,
            people=said["people"],
            by=request.user,
            now=now,
            name=said["name"],
            request_key=said["request_key"] or None,
            over_pacing=said["anyway"],
        )
        if booking.place.space_id != setup.space.pk:
            raise RequestKeyReused(str(REUSED))
    except BookingError as error:
        return _page(
            request,
            setup,
            form,
            people=said["people"],
            now=now,
            refused="" if _is_of_pacing(error) else str(error),
            status=HTTPStatus.CONFLICT,
        )
    page = reverse("staff_walk_in", args=[setup.space.slug], query={"seated": str(booking.code)})
    return redirect(page)


def _is_of_pacing(error: BookingError) -> bool:
    """Tell whether that is the only reason: the page warns of it, and they may insist."""
    problems = error.problems if isinstance(error, Refused) else []
    return {problem.code for problem in problems} == {"pacing_full"}


@require_POST
@never_cache
def undo_walk_in(request: AuthenticatedRequest, slug: str, code: UUID) -> HttpResponse:
    """Take back that somebody was seated a moment ago."""
    setup = setup_run_by(request.user, slug)
    booking = find_booking(setup, code)
    try:
        walk_ins.undo(booking, by=request.user, now=timezone.now())
    except BookingError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Undone: %(place)s is free again.") % {"place": booking.place})
    return redirect("staff_walk_in", setup.space.slug)


def _page(
    request: AuthenticatedRequest,
    setup: Setup,
    form: WalkInForm,
    *,
    people: int | None,
    now: datetime,
    refused: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    found = spots(setup, people=people, now=now) if people else []
    context: dict[str, Any] = {
        "space": setup.space,
        "zone": setup.space.zone,
        "now": now,
        "form": form,
        "people": people,
        "name": form.data.get("name", "") if form.is_bound else "",
        "usual": USUAL,
        "best": found[0] if found else None,
        "others": found[1:SHOWN],
        "refused": refused,
        "warning": too_many(setup, people=people, now=now) if people and found else "",
        **_seated(request, setup, now),
    }
    return render(request, "staff/walk_in.html", context, status=status)


def _seated(request: AuthenticatedRequest, setup: Setup, now: datetime) -> dict[str, Any]:
    """Return who was just seated, and whether that can be undone yet."""
    code = read_code(request.GET.get("seated", ""))
    here = Booking.objects.in_space(setup.space).with_place()
    booking = here.filter(code=code).first() if code else None
    if booking is None:
        return {}
    is_new = booking.seated_at is not None and now - booking.seated_at <= visits.UNDO_FOR
    return {"seated": booking, "can_undo": is_new and booking.occupies}
