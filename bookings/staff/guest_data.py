"""At a guest's wish: what is known is handed over, links are stopped, the guest is forgotten."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.requests import AuthenticatedRequest
from accounts.sure import asks_again
from bookings.deciding import forgetting, links, waiting_links
from bookings.finding.guests import bookings_of, data_of, parties_of, rows_of
from bookings.guests import Guest
from bookings.staff.access import space_run_by
from bookings.words import spreadsheets
from spaces.models import Space


@require_safe
@never_cache
@asks_again("GET", "HEAD", gives_file=True)
def staff_guest_data(
    request: AuthenticatedRequest, slug: str, code: UUID, kind: str
) -> HttpResponse:
    """Download everything that is known of a guest, for the person who asks for it."""
    guest = _guest(space_run_by(request.user, slug), code)
    named = {"Content-Disposition": f'attachment; filename="guest-{guest.code}.{kind}"'}
    if kind == "csv":
        table = spreadsheets.written(rows_of(guest))
        return HttpResponse(table, content_type="text/csv; charset=utf-8", headers=named)
    options = {"indent": 2, "ensure_ascii": False}
    return JsonResponse(data_of(guest), json_dumps_params=options, headers=named)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@asks_again("POST")
def staff_guest_erase(request: AuthenticatedRequest, slug: str, code: UUID) -> HttpResponse:
    """Ask first, then forget the guest in the row, in all bookings and their events."""
    space, now = space_run_by(request.user, slug), timezone.now()
    guest = _guest(space, code)
    if request.method != "POST":
        upcoming = sum(booking.is_upcoming(now) for booking in bookings_of(guest))
        context: dict[str, Any] = {"space": space, "guest": guest, "upcoming": upcoming}
        return render(request, "staff/guest_erase.html", context)
    cancelled = forgetting.forget(guest, by=request.user, now=now)
    said = _("The guest is forgotten.")
    if cancelled:
        message = ngettext(
            "%(n)d upcoming booking was cancelled.",
            "%(n)d upcoming bookings were cancelled.",
            cancelled,
        )
        said = f"{said} {message % {'n': cancelled}}"
    messages.success(request, said)
    return redirect("staff_guests", slug)


@require_POST
def staff_guest_links(request: AuthenticatedRequest, slug: str, code: UUID) -> HttpResponse:
    """Stop all links of a guest, for example because one has leaked. The next mail has another."""
    guest = _guest(space_run_by(request.user, slug), code)
    now = timezone.now()
    stopped = sum(links.revoke(booking, now=now) for booking in bookings_of(guest))
    stopped += sum(waiting_links.revoke(party, now=now) for party in parties_of(guest))
    message = ngettext("%(n)d link was stopped.", "%(n)d links were stopped.", stopped)
    messages.success(request, message % {"n": stopped})
    return redirect("staff_guest", slug, code)


def _guest(space: Space, code: UUID) -> Guest:
    found: Guest = get_object_or_404(Guest.objects.of(space).select_related("space"), code=code)
    return found
