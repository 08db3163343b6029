"""Holidays of the country, and dates that are closed every year, for a space's managers."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.numbers import WholeNumberField
from accounts.requests import AuthenticatedRequest
from bookings.deciding import holidays
from bookings.deciding.errors import BookingsInTheWay
from bookings.deciding.stranding import Choice
from bookings.models import Booking
from bookings.staff.access import space_managed_by
from bookings.staff.sure import SureForm, in_words
from bookings.words import words
from spaces.days_off import Holiday, coming, every_year, is_known
from spaces.models import Space
from spaces.yearly import YearlyClosure

LEAP = 2_000


class YearlyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    day = WholeNumberField(label=gettext_lazy("Day"), min_value=1, max_value=31)
    month = forms.TypedChoiceField(
        label=gettext_lazy("Month"), choices=list(MONTHS.items()), coerce=int
    )
    days = WholeNumberField(
        label=gettext_lazy("How many days"), min_value=1, max_value=60, initial=1
    )

    class Meta:
        model = YearlyClosure
        fields = ("day", "month", "days", "reason")
        help_texts = {"reason": gettext_lazy("Everyone with a booking at that time sees it.")}

    def clean(self) -> None:
        cleaned = self.cleaned_data
        if {"day", "month"} <= cleaned.keys():
            try:
                date(LEAP, cleaned["month"], cleaned["day"])
            except ValueError as error:
                raise ValidationError({"day": _("This month has no such day.")}) from error


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_holidays(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show the coming year's holidays; POST closes the chosen ones, or asks about bookings."""
    space = space_managed_by(request.user, slug)
    now = timezone.now()
    if request.method != "POST" or request.POST.get("choice") == "back":
        return _page(request, space, now)
    sure = SureForm(request.POST)
    act = request.POST.get("act")
    if act == "yearly":
        return _close_every_year(request, space, sure, now)
    if act == "stop":
        return _stop(request, space, now)
    return _close(request, space, sure, now)


def _close(
    request: AuthenticatedRequest, space: Space, sure: SureForm, now: datetime
) -> HttpResponse:
    chosen = set(request.POST.getlist("day"))
    days = {each.day: each.name for each in _coming(space, now) if each.day.isoformat() in chosen}
    if not days:
        messages.error(request, _("Choose a day."))
        return _page(request, space, now, status=422)
    choice, shown = sure.decision
    try:
        closed, settled = holidays.close_days(
            space, days, choice=choice, shown=shown, by=request.user, now=now
        )
    except BookingsInTheWay as error:
        return _ask(request, space, sure, error.bookings)
    text = ngettext("Closed %(n)d day.", "Closed %(n)d days.", closed) % {"n": closed}
    messages.success(request, " ".join([text, *_settled(choice, settled)]))
    return redirect("staff_holidays", space.slug)


def _close_every_year(
    request: AuthenticatedRequest, space: Space, sure: SureForm, now: datetime
) -> HttpResponse:
    form = YearlyForm(request.POST, instance=YearlyClosure(space=space))
    if not form.is_valid():
        return _page(request, space, now, form, status=422)
    choice, shown = sure.decision
    try:
        settled = holidays.close_every_year(
            form.instance, choice=choice, shown=shown, by=request.user, now=now
        )
    except BookingsInTheWay as error:
        return _ask(request, space, sure, error.bookings)
    except IntegrityError:
        form.add_error("day", _("This date is closed every year already."))
        return _page(request, space, now, form, status=422)
    text = _("Closed every year: %(reason)s.") % {"reason": form.instance.reason}
    messages.success(request, " ".join([text, *_settled(choice, settled)]))
    return redirect("staff_holidays", space.slug)


def _stop(request: AuthenticatedRequest, space: Space, now: datetime) -> HttpResponse:
    try:
        code = forms.UUIDField().clean(request.POST.get("code"))
    except ValidationError as error:
        raise Http404 from error
    found = YearlyClosure.objects.filter(space=space.pk, code=code).select_related("space").first()
    if found is None:
        raise Http404
    opened = holidays.stop(found, now=now)
    text = ngettext(
        "No longer closed every year; %(n)d day is open again.",
        "No longer closed every year; %(n)d days are open again.",
        opened,
    )
    messages.success(request, text % {"n": opened})
    return redirect("staff_holidays", space.slug)


def _page(
    request: AuthenticatedRequest,
    space: Space,
    now: datetime,
    form: YearlyForm | None = None,
    status: int = 200,
) -> HttpResponse:
    chosen = set(request.POST.getlist("day"))
    if form is None:
        typed = request.POST if request.POST.get("act") == "yearly" else {}
        form = YearlyForm(
            initial={name: typed[name] for name in typed if name in YearlyForm.base_fields}
        )
    days = [
        (
            each,
            words.day_of_year(each.day),
            holidays.is_closed(space, each.day, now=now),
            each.day.isoformat() in chosen,
        )
        for each in _coming(space, now)
    ]
    yearly = YearlyClosure.objects.filter(space=space.pk).order_by("month", "day")
    context: dict[str, Any] = {
        "space": space,
        "days": days,
        "is_known": is_known(space.country),
        "yearly": [(each, every_year(each.month, each.day, LEAP)) for each in yearly],
        "form": form,
    }
    return render(request, "staff/holidays.html", context, status=status)


def _coming(space: Space, now: datetime) -> list[Holiday]:
    return coming(space, today=now.astimezone(space.zone).date())


def _ask(
    request: AuthenticatedRequest, space: Space, sure: SureForm, bookings: list[Booking]
) -> HttpResponse:
    lines = [in_words(booking, space.zone) for booking in bookings]
    context = {
        "space": space,
        "lines": lines,
        "outside": len(lines),
        "hidden": sure.carried(request.POST),
        "shown": ",".join(str(booking.code) for booking in bookings),
        "form": sure if sure.errors else SureForm(),
    }
    return render(request, "staff/holidays_sure.html", context, status=409)


def _settled(choice: Choice | None, n: int) -> list[str]:
    if not n:
        return []
    if choice == Choice.KEEP:
        text = ngettext("Kept %(n)d booking as it is.", "Kept %(n)d bookings as they are.", n)
    else:
        text = ngettext("Cancelled %(n)d booking.", "Cancelled %(n)d bookings.", n)
    return [text % {"n": n}]
