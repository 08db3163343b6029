"""The verbs on a row of the day: one press each, and for ten seconds another takes it back."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.letters import validate_visible
from accounts.models import User
from accounts.requests import AuthenticatedRequest
from bookings.deciding import services, undoing, visits
from bookings.deciding.errors import BookingError
from bookings.deciding.statements import LAST_SEQUENCE
from bookings.models import Booking
from bookings.staff.access import setup_run_by
from bookings.words.local_time import LocalTimeError, read_day
from spaces.models import Space

#: How much longer one press lets somebody stay.
LONGER = timedelta(minutes=30)


def _extend(booking: Booking, *, by: User, now: datetime) -> Booking:
    return visits.extend(booking, ends_at=booking.ends_at + LONGER, by=by, now=now)


#: What a button's name does to the booking whose code is its value.
VERBS: dict[str, Callable[..., Booking]] = {
    "arrive": visits.arrive,
    "seat": visits.seat,
    "leave": visits.leave,
    "no_show": visits.no_show,
    "extend": _extend,
}


@require_POST
@never_cache
def staff_visit(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Do what the pressed button says to the booking that it names."""
    setup = setup_run_by(request.user, slug)
    verb, value = _pressed(request)
    code, _dot, number = value.partition(".")
    booking = _of_space(setup.space, code)
    now = timezone.now()
    error = ""
    try:
        if verb == "undo":
            event = int(number) if number.isascii() and number.isdigit() and len(number) < 9 else 0
            booking = undoing.undo(booking, event=event, by=request.user, now=now)
        else:
            booking = VERBS[verb](booking, by=request.user, now=now)
    except BookingError as refused:
        error = str(refused)
    return after(request, setup.space, booking, error=error)


def after(
    request: AuthenticatedRequest, space: Space, booking: Booking, *, error: str = ""
) -> HttpResponse:
    """Lead back to the day, at the row, with what was done; or say why it wasn't."""
    if error:
        messages.error(request, error)
    asked = {"date": day} if (day := _day(request)) else {}
    if not error:
        asked["done"] = f"{booking.code}.{LAST_SEQUENCE.first(booking=booking.pk)}"
    query = f"?{urlencode(asked)}" if asked else ""
    url = reverse("staff_day", args=[space.slug])
    answer = redirect(f"{url}{query}#b-{booking.code}")
    answer.status_code = 303  # htmx and browsers get the page
    return answer


class CancelForm(forms.Form):
    reason = forms.CharField(
        validators=[validate_visible],
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("The person who booked sees it."),
    )


#: What most cancellations give as their reason.
USUAL_REASONS = (
    gettext_lazy("the guest called it off"),
    gettext_lazy("booked twice"),
    gettext_lazy("a mistake of ours"),
)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_cancel(request: AuthenticatedRequest, slug: str, code: UUID) -> HttpResponse:
    """Ask for the reason, then give the place back and tell the person."""
    setup = setup_run_by(request.user, slug)
    booking = _of_space(setup.space, str(code))
    form = CancelForm(request.POST if request.method == "POST" else None)
    now = timezone.now()
    if form.is_valid():
        error = ""
        try:
            reason = form.cleaned_data["reason"]
            booking = services.cancel(booking, by=request.user, now=now, reason=reason)
        except BookingError as refused:
            error = str(refused)
        return after(request, setup.space, booking, error=error)
    context = {"space": setup.space, "zone": setup.space.zone, "booking": booking, "form": form}
    context["day"] = _day(request)
    context["can_cancel"] = booking.is_upcoming(now)
    context["reasons"] = USUAL_REASONS
    status = 422 if form.is_bound else 200
    return render(request, "staff/cancel.html", context, status=status)


def _pressed(request: AuthenticatedRequest) -> tuple[str, str]:
    """Return the name and the value of the button that was pressed. Raises Http404."""
    for verb in (*VERBS, "undo"):
        if value := request.POST.get(verb):
            return verb, value
    raise Http404


def _of_space(space: Space, code: str) -> Booking:
    try:
        key = UUID(code)
    except ValueError as error:
        raise Http404 from error
    found: Booking = get_object_or_404(Booking.objects.in_space(space).with_person(), code=key)
    return found


def _day(request: AuthenticatedRequest) -> str:
    """Return the day whose page a press came from, if it wasn't today's."""
    text = request.POST.get("date") or request.GET.get("date", "")
    try:
        return read_day(text).isoformat() if text else ""
    except LocalTimeError:
        return ""
