"""The day of one space: who is here, who comes next, who comes later."""

from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import flags
from accounts.flags import Flag
from accounts.requests import AuthenticatedRequest
from bookings.finding import at_the_door, callers, day, marks
from bookings.finding.done import done_of
from bookings.staff.access import setup_run_by
from bookings.staff.home import remember
from bookings.words.local_time import LocalTimeError, read_day
from bookings.words.zones import Zones
from spaces.models import Space
from spaces.setups import Setup


@require_safe
@never_cache
def staff_day(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show a day, today if none is named, or what matches a search.

    An open page asks every two seconds whether what it has `seen` is still so, unless that is
    switched off: then it is answered once more, and stops.
    """
    now = timezone.now()
    if request.htmx and flags.is_on(Flag.LIVE_BOARD) and is_still_so(request, slug, now):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)  # htmx leaves the page as it is
    setup = setup_run_by(request.user, slug)
    context, status = context_of(request, setup, now)
    template = "staff/day.html#day" if request.htmx else "staff/day.html"
    return remember(render(request, template, context, status=status), setup.space)


def is_still_so(request: AuthenticatedRequest, slug: str, now: datetime) -> bool:
    """Tell whether a page shows what it would show now. Raises Http404."""
    seen = request.GET.get("seen", "")
    span = marks.span_of(seen)
    if span is None:
        return False
    current = marks.mark(request.user, slug, span, now=now)
    if current is None:
        raise Http404
    return current == seen


def context_of(
    request: AuthenticatedRequest, setup: Setup, now: datetime
) -> tuple[dict[str, Any], int]:
    """Return what the page of a day shows, and its status."""
    asked, error = _day_asked(request)
    venue = setup.venue((), now)
    today = venue.day_of(now)
    on = asked or today
    # Before the rows: what changes meanwhile is then fetched once too often, not missed.
    span = day.span_of(venue, on)
    seen = marks.mark(request.user, setup.space.slug, span, now=now)
    text = request.GET.get("q", "").replace("\x00", "").strip()
    context = {
        "space": setup.space,
        "zone": setup.space.zone,
        "zones": Zones.of([setup.space], reader=request.user),
        "now": now,
        "today": today,
        "yesterday": on - timedelta(days=1),
        "tomorrow": on + timedelta(days=1),
        "seen": seen,
        "is_live": flags.is_on(Flag.LIVE_BOARD),
        "query": text,
        "error": error,
        "copy": copy_of(request),
        "done": done_of(request.GET.get("done", ""), setup.space, request.user, now),
    }
    if setup.space.kind == Space.Kind.RESTAURANT:
        context["waiting"] = at_the_door.count(setup.space, now=now)
    if text:
        context |= {
            "found": callers.found(setup, text, now=now),
            "day": day.Day(setup, venue, on, day.span_of(venue, on), now),
        }
    else:
        context["day"] = day.build(setup, on, now=now)
    return context, HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK


def _day_asked(request: AuthenticatedRequest) -> tuple[date | None, str]:
    text = request.GET.get("date", "")
    try:
        return (read_day(text) if text else None), ""
    except LocalTimeError as error:
        return None, str(error)


def copy_of(request: AuthenticatedRequest) -> str:
    """Name this sign-in for the copy that a browser keeps: another's copy is thrown away."""
    key = request.session.session_key or ""
    return salted_hmac("the staff's copy", key, algorithm="sha256").hexdigest()[:16]
