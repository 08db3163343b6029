"""Cancel bookings from the list: which ones, why, and with what result."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.letters import validate_visible
from bookings.admin import wording
from bookings.admin.pages import MOST, CodesField, Desk, back_to_list, lines, page, write_codes
from bookings.deciding import services
from bookings.deciding.errors import BookingError
from bookings.models import Booking


class CancelForm(forms.Form):
    codes = CodesField()
    reason = forms.CharField(
        validators=[validate_visible],
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("The person who booked sees it."),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


def choose(desk: Desk, request: HttpRequest, chosen: QuerySet[Booking]) -> HttpResponse | None:
    """Ask about the bookings that were selected in the list."""
    bookings = list(chosen[: MOST + 1])
    if len(bookings) > MOST:
        text = _("Choose at most %(n)d bookings at a time.") % {"n": MOST}
        messages.error(request, text)
        return None
    return _ask(desk, request, bookings)


def cancel(desk: Desk, request: HttpRequest) -> HttpResponse:
    """Ask for the reason; POST cancels each booking that still can be cancelled."""
    data = request.POST if request.method == "POST" else request.GET
    form = CancelForm(data)
    form.is_valid()
    codes = form.cleaned_data.get("codes")
    bookings = list(desk.get_queryset(request).filter(code__in=codes or []).order_by("starts_at"))
    if not bookings or len(bookings) != len(set(codes or [])) or len(bookings) > MOST:
        raise Http404
    if request.method != "POST":
        return _ask(desk, request, bookings)
    if not form.is_valid():
        return _ask(desk, request, bookings, form=form, status=422)
    _cancel_all(request, bookings, reason=form.cleaned_data["reason"])
    return back_to_list(desk, request)


def _ask(
    desk: Desk, request: HttpRequest, bookings: list[Booking], status: int = 200, form: Any = None
) -> HttpResponse:
    now = timezone.now()
    codes = write_codes(booking.code for booking in bookings)
    form = form or CancelForm(initial={"codes": codes})
    return page(
        desk,
        request,
        "admin/bookings/booking/cancel.html",
        status=status,
        title=_("Cancel bookings"),
        form=form,
        adminform=lines(form, "reason"),
        bookings=[(wording.described(booking), booking) for booking in bookings],
        count=sum(booking.is_upcoming(now) for booking in bookings),
        now=now,
    )


def _cancel_all(request: HttpRequest, bookings: list[Booking], *, reason: str) -> None:
    """Cancel them one by one, and say which couldn't be and why."""
    failed = []
    for booking in bookings:
        try:
            services.cancel(booking, by=request.user, now=timezone.now(), reason=reason)  # type: ignore[arg-type]  # signed in
        except BookingError as error:
            failed.append((wording.described(booking), str(error)))
    if done := len(bookings) - len(failed):
        text = ngettext("Cancelled %(n)d booking.", "Cancelled %(n)d bookings.", done)
        messages.success(request, text % {"n": done})
    if failed:
        messages.warning(request, format_html_join(mark_safe("<br>"), "{}: {}", failed))
