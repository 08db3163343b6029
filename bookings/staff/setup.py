"""Set up a venue: one page, from nothing to open."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.requests import AuthenticatedRequest
from accounts.tries import TooOften
from spaces.founding import Plan, found
from spaces.founding_form import FoundingForm
from spaces.models import Space

methods = require_http_methods(["GET", "HEAD", "POST"])


@never_cache
@methods
def staff_setup(request: AuthenticatedRequest) -> HttpResponse:
    """Show the form; POST opens the venue. Spaces are the superusers' to make."""
    if not request.user.is_superuser:
        raise PermissionDenied
    if request.method != "POST":
        return _page(request, FoundingForm(initial={"time_zone": request.user.time_zone}))
    form = FoundingForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    plan = form.plan()
    try:
        space, is_new = found(plan, by=request.user, now=timezone.now())
    except TooOften as error:
        form.add_error(None, str(error))
        response = _page(request, form, status=429)
        response["Retry-After"] = str(error.seconds)
        return response
    if is_new:
        _tell(request, space, plan)
    return redirect("staff_day", space.slug)


def _page(request: AuthenticatedRequest, form: FoundingForm, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "is_first": not Space.objects.exists()}
    return render(request, "staff/setup.html", context, status=status)


def _tell(request: AuthenticatedRequest, space: Space, plan: Plan) -> None:
    """Say what is there now, and what comes next."""
    places = sum(some.count for some in plan.places)
    words = ngettext(
        "%(space)s is open, with %(n)d place.", "%(space)s is open, with %(n)d places.", places
    )
    messages.success(request, words % {"space": space.name, "n": places})
    if invited := len({*plan.hosts, *plan.managers}):
        words = ngettext(
            "%(n)d invitation is on its way.", "%(n)d invitations are on their way.", invited
        )
        messages.success(request, words % {"n": invited})
    links = [
        format_html('<a href="{}">{}</a>', address, text)
        for text, address in [
            (_("rules"), reverse("staff_rules", args=[space.slug])),
            (_("holidays"), reverse("staff_holidays", args=[space.slug])),
            (
                pgettext("the people who run a space", "staff"),
                reverse("staff_people", args=[space.slug]),
            ),
            (_("the board, as members see it"), space.get_absolute_url()),
        ]
    ]
    messages.info(
        request,
        format_html("{}: {}.", _("Next"), format_html_join(", ", "{}", ([link] for link in links))),
    )
