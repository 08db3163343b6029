"""Find a place: the list of spaces, and one space's board."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts.models import User
from accounts.requests import PageRequest
from bookings.finding import overview, searching
from bookings.finding.board import build
from bookings.models import Booking
from bookings.views.bookings import why_unchangeable
from bookings.words.zones import Zones
from spaces import setups


@require_safe
@login_not_required
@never_cache
def home(request: PageRequest) -> HttpResponse:
    now = timezone.now()
    member = request.user if isinstance(request.user, User) else None
    upcoming = Booking.objects.of(member).upcoming(now).with_place().first() if member else None
    cards = overview.cards(now=now)
    spaces = [card.space for card in cards] + ([upcoming.place.space] if upcoming else [])
    zones = Zones.of(spaces, reader=member)
    context = {"cards": cards, "next_booking": upcoming, "now": now, "zones": zones}
    return render(request, "bookings/home.html", context)


@require_safe
@login_not_required
@never_cache
def board(request: PageRequest, slug: str) -> HttpResponse:
    """Show what is free. Public; never cached, because each form carries a fresh request key."""
    now = timezone.now()
    member = request.user if isinstance(request.user, User) else None
    moving = _moving(request, slug)
    if moving and member and (error := why_unchangeable(moving, by=member, now=now)):
        messages.error(request, str(error))
        to_ticket = HttpResponseClientRedirect if request.htmx else redirect
        return to_ticket(moving.get_absolute_url())
    owner = moving.member if moving else member
    setup = setups.shown(slug)
    if setup is None:
        raise Http404
    space, venue = setup.space, setup.venue_for(owner, now)
    limits = venue.limits(moving.place.kind if moving else space.main_kind)
    search, form = searching.read(request.GET, venue=venue, limits=limits, now=now)
    shown = build(space, venue, search, member=member, now=now, moving=moving)
    context = {
        "board": shown,
        "form": form,
        "moving": moving,
        "now": now,
        "space": space,
        "venue": venue,
        "zone": venue.zone,
        "today": venue.today(now),
        "yesterday": search.day - timedelta(days=1),
        "tomorrow": search.day + timedelta(days=1),
        "onward": max(venue.today(now), search.day + timedelta(days=1)),
    }
    template = "bookings/board.html#results" if request.htmx else "bookings/board.html"
    return render(request, template, context)


def _moving(request: PageRequest, slug: str) -> Booking | None:
    """Return the booking that the person wants to move, or 404 if it isn't theirs to move."""
    code = request.GET.get("move")
    if not code:
        return None
    if not isinstance(request.user, User):
        raise Http404
    mine = Booking.objects.of(request.user).with_place().select_related("member")
    try:
        found: Booking = get_object_or_404(mine, code=UUID(code), place__space__slug=slug)
    except ValueError as error:
        raise Http404 from error
    return found
