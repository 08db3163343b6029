"""The guests a space knows: found by name, phone or e-mail; one guest's card."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.letters import validate_visible
from accounts.requests import AuthenticatedRequest
from bookings.deciding.errors import BookingError
from bookings.deciding.guestbook import AboutGuest, describe
from bookings.finding import acquainted
from bookings.guests import Guest
from bookings.models import Booking
from bookings.staff.access import setup_run_by
from spaces.setups import Setup

#: How many of a guest's bookings a card lists.
MOST_BOOKINGS = 30


class GuestCardForm(forms.Form):
    """What the staff know about a guest."""

    name = forms.CharField(
        validators=[validate_visible], label=pgettext_lazy("of a person", "Name"), max_length=150
    )
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    allergies = forms.CharField(
        label=gettext_lazy("Allergies and wishes"), max_length=200, required=False
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("For the staff alone."),
    )


@require_safe
@never_cache
def staff_guests(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Find guests; without a search, show whom the space met last."""
    setup, now = setup_run_by(request.user, slug), timezone.now()
    typed = request.GET.get("q", "").strip()
    found = (
        [each for each in acquainted.callers(setup.space, typed, now=now) if not each.is_member]
        if typed
        else acquainted.newest(setup.space, now=now)
    )
    context = {
        "space": setup.space,
        "zone": setup.space.zone,
        "now": now,
        "typed": typed,
        "is_too_short": 0 < len(typed) < acquainted.SHORTEST,
        "guests": found,
    }
    template = "staff/guests.html#found" if request.htmx else "staff/guests.html"
    return render(request, template, context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_guest(request: AuthenticatedRequest, slug: str, code: UUID) -> HttpResponse:
    """Show a guest's card: visits, no-shows, bookings; POST writes what the staff know."""
    setup, now = setup_run_by(request.user, slug), timezone.now()
    guest = acquainted.guest_called(setup.space, str(code))
    if guest is None:
        raise Http404
    if request.method != "POST":
        shown = {name: getattr(guest, name) for name in GuestCardForm.base_fields}
        return _card(request, setup, guest, GuestCardForm(initial=shown), now=now)
    form = GuestCardForm(request.POST)
    if form.is_valid():
        try:
            describe(guest, AboutGuest(**form.cleaned_data), by=request.user)
        except BookingError as error:
            form.add_error(None, str(error))
        except Guest.DoesNotExist as error:
            raise Http404 from error
        else:
            messages.success(request, _("Saved."))
            return redirect("staff_guest", setup.space.slug, guest.code)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _card(request, setup, guest, form, now=now, status=status)


def _card(
    request: AuthenticatedRequest,
    setup: Setup,
    guest: Guest,
    form: GuestCardForm,
    *,
    now: datetime,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    theirs = Booking.objects.of_guest(guest).with_place().newest_first()
    context: dict[str, Any] = {
        "space": setup.space,
        "zone": setup.space.zone,
        "now": now,
        "guest": guest,
        "form": form,
        "caller": acquainted.as_caller(setup.space, guest, now=now),
        "bookings": theirs[:MOST_BOOKINGS],
    }
    return render(request, "staff/guest.html", context, status=status)
