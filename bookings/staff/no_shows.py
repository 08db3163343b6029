"""Who didn't come: a list, and forgiving."""

from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.letters import validate_visible
from accounts.requests import AuthenticatedRequest
from bookings.deciding.errors import BookingError
from bookings.deciding.no_shows import forgive
from bookings.models import Booking
from bookings.staff.access import setup_run_by
from spaces.setups import Setup

#: How many of the latest are listed.
MOST = 100
#: Days that the list goes back, or more where a no-show counts for longer.
DAYS = 90


class ForgiveForm(forms.Form):
    booking = forms.UUIDField()
    reason = forms.CharField(
        validators=[validate_visible], label=gettext_lazy("Reason"), max_length=200
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_no_shows(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """List the latest no-shows of a space, each with a form that forgives it."""
    setup = setup_run_by(request.user, slug)
    if request.method != "POST":
        return _list(request, setup)
    form = ForgiveForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why: the person may ask."))
        return _list(request, setup, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        booking = _find(setup, form.cleaned_data["booking"])
        forgive(booking, reason=form.cleaned_data["reason"], by=request.user, now=timezone.now())
    except BookingError as error:
        messages.error(request, str(error))
        return _list(request, setup, form, status=HTTPStatus.CONFLICT)
    messages.success(request, _("Forgiven: it doesn’t count any more."))
    return redirect("staff_no_shows", slug)


def _find(setup: Setup, code: UUID) -> Booking:
    rows = Booking.objects.at_places([place.pk for place in setup.places]).with_person()
    found = rows.filter(code=code).first()
    if found is None:
        raise Http404
    return found


def _list(
    request: AuthenticatedRequest,
    setup: Setup,
    form: ForgiveForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    now = timezone.now()
    limits = setup.venue((), now)
    strikes = {rule for place in setup.places for rule in limits.limits(place.kind).strikes}
    days = max([DAYS, *(rule.days for rule in strikes)])
    rows = Booking.objects.at_places([place.pk for place in setup.places])
    rows = rows.no_shows(now - timedelta(days=days))
    context = {
        "space": setup.space,
        "zone": setup.space.zone,
        "days": days,
        "bookings": rows.with_person().newest_first()[:MOST],
        "strikes": sorted(strikes, key=lambda rule: (rule.max_no_shows, rule.days, rule.kind)),
        "typed": form.data.get("reason", "") if form else "",
        "chosen": form.data.get("booking", "") if form else "",
    }
    return render(request, "staff/no_shows.html", context, status=status)
