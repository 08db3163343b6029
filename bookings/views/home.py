"""The list of spaces."""

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import DateTimeField, IntegerField
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.numbers import read_page
from accounts.prepared import prepared
from accounts.requests import PageRequest
from bookings.finding.answering import Part, answer, url_of
from bookings.finding.kept import Reader
from bookings.finding.overview import Overview, overview
from bookings.models import Booking
from bookings.words.zones import Zones
from spaces.models import Space

#: Nobody looks for a longer name, or turns more pages.
LONGEST_QUERY, MOST_PAGES = 100, 1_000


@require_safe
@login_not_required
def home(request: PageRequest) -> HttpResponse:
    """Show where one can book, and one's own next booking.

    Two pages are kept, as with the board: the spaces, and what is around them.
    """
    now = timezone.now()
    member = request.user if isinstance(request.user, User) else None
    upcoming = _next_of(member, now) if member and member.upcoming_count else None
    shown = _asked(request, member, now)
    if member and member.is_superuser and _is_empty(shown):
        return redirect("staff_setup")
    cards = [*shown.lately, *shown.cards]
    spaces = [card.space for card in cards] + ([upcoming.place.space] if upcoming else [])
    zones = Zones.of(spaces, reader=member)
    clocks = (sorted(zones.shown), zones.reader)
    around = Part(
        template="bookings/home.html",
        reader=Reader.of(request.user),
        key=(
            url_of(request),
            _of(upcoming, now),
            clocks,
            shown.is_long,
        ),
        context=lambda: {
            "shown": shown,
            "next_booking": upcoming,
            "now": now,
            "zones": zones,
        },
    )
    inside = Part(
        template="bookings/_spaces.html",
        reader=Reader(),
        key=(shown.content, clocks),
        context=lambda: {"shown": shown, "now": now, "zones": zones},
    )
    # A set-up without a stamp doesn't say when it changes.
    return answer(request, around, inside, is_kept=all(card.stamp for card in cards))


_NEXT = prepared(
    lambda member, now: Booking.objects.filter(member=member).upcoming(now).with_place()[:1],
    member=IntegerField(),
    now=DateTimeField(),
)


def _next_of(member: User, now: datetime) -> Booking | None:
    return next(iter(_NEXT.rows(member=member.pk, now=now)), None)


def _is_empty(shown: Overview) -> bool:
    """Tell whether the site has no space yet, not even a hidden one."""
    return not shown.cards and not shown.query and not Space.objects.exists()


def _asked(request: PageRequest, member: User | None, now: datetime) -> Overview:
    query = " ".join(request.GET.get("q", "").replace("\0", "").split())[:LONGEST_QUERY]
    number = min(max(read_page(request.GET.get("page")), 1), MOST_PAGES)
    return overview(member=member, query=query, number=number, now=now)


def _of(booking: Booking | None, now: datetime) -> tuple[Any, ...]:
    """Return everything that the page shows of the next booking."""
    if booking is None:
        return ()
    place, space = booking.place, booking.place.space
    today = now.astimezone(space.zone).date()
    described = (place.name, place.kind, place.number, space.name, space.time_zone)
    return (booking.code, booking.period, described, today)
