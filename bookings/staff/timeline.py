"""The staff's timeline: all places of a day with names. What is dragged there moves."""

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.requests import AuthenticatedRequest
from bookings.finding import timeline
from bookings.staff.access import setup_run_by
from bookings.words.local_time import EARLIEST, LATEST, LocalTimeError, read_day
from spaces.setups import Setup
from spaces.slots import Period


@require_safe
@never_cache
def staff_timeline(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show a day, today if none is asked for; htmx gets the timeline alone."""
    now = timezone.now()
    setup = setup_run_by(request.user, slug)
    venue = setup.venue((), now)
    try:
        day, error = read_day(request.GET["date"]), ""
    except KeyError:
        day, error = venue.day_of(now), ""
    except LocalTimeError as wrong:
        day, error = venue.day_of(now), str(wrong)
    return _answer(request, setup, day, now=now, error=error)


def timeline_after(
    request: AuthenticatedRequest, setup: Setup, period: Period, *, now: datetime, **said: Any
) -> HttpResponse:
    """Answer what was posted from the timeline: the timeline as it is now, and what happened.

    With `moved` and `said` when it is done; with `refused` and `refusal` when it is not.
    """
    try:
        day = read_day(request.POST.get("date", ""))
    except LocalTimeError:
        day = setup.venue((), now).day_of(period.starts_at)
    refusal = said.get("refusal")
    status = refusal.status if refusal is not None else 200
    return _answer(request, setup, day, now=now, status=status, **said)


def _answer(
    request: AuthenticatedRequest,
    setup: Setup,
    day: date,
    *,
    now: datetime,
    status: int = 200,
    **said: Any,
) -> HttpResponse:
    venue = setup.venue((), now)
    a_day = timedelta(days=1)
    context: dict[str, Any] = {
        "space": setup.space,
        "zone": venue.zone,
        "venue": venue,
        "now": now,
        "today": venue.today(now),
        "day": day,
        "before": max(day - a_day, EARLIEST),
        "after": min(day + a_day, LATEST),
        "timeline": timeline.of(setup, day, now=now),
        **said,
    }
    template = "staff/timeline.html#timeline" if request.htmx else "staff/timeline.html"
    response = render(request, template, context, status=status)
    response["Data-Timeline"] = str(day)  # not the page of a proxy or of somebody who signs in
    return response
