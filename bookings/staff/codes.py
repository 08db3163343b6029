"""QR codes to print and put on the places: each leads to checking in there."""

from dataclasses import dataclass
from uuid import UUID

import segno
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import AuthenticatedRequest
from bookings.finding.signed import place_url
from bookings.staff.access import setup_run_by
from spaces.models import Place


@dataclass(frozen=True)
class Code:
    place: Place
    url: str
    svg: SafeString


@require_safe
@never_cache
def staff_codes(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show a sheet of codes: of one place (`?place=`), or of all."""
    setup = setup_run_by(request.user, slug)
    chosen = request.GET.get("place", "")
    places = [setup.place(_code(chosen))] if chosen else setup.bookable
    venue = setup.venue((), timezone.now())
    limits = [venue.limits(place.kind) for place in places if place]
    context = {
        "space": setup.space,
        "codes": [code_of(place) for place in places if place],
        "chosen": chosen,
        "is_asked": any(limit.check_in_opens is not None for limit in limits),
    }
    if not context["codes"] and chosen:
        raise Http404
    return render(request, "staff/codes.html", context)


def _code(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404 from error


def code_of(place: Place) -> Code:
    """Return a place's code as SVG without styles; quarter of it may be scratched (level Q)."""
    url = place_url(place)
    drawn = segno.make_qr(url, error="q").svg_inline(
        omitsize=True, border=2, svgclass=None, lineclass=None, dark="#000", light="#fff"
    )
    return Code(place, url, mark_safe(drawn))  # noqa: S308 - made of modules, not of text
