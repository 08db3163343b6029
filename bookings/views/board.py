"""Find a place: one space's board."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRedirect

from accounts import flags
from accounts.flags import Flag
from accounts.models import User
from accounts.requests import PageRequest
from bookings.finding import asking, beforehand
from bookings.finding.answering import Part, answer, url_of
from bookings.finding.asking import Asked
from bookings.finding.board import build
from bookings.finding.kept import Reader
from bookings.finding.moves import moves
from bookings.finding.occupancy import Occupancy, occupancies_and_stamp, seen_by
from bookings.models import Booking
from bookings.views.bookings import why_unchangeable
from spaces import setups
from spaces.setups import Setup

KIND = "kind"  # the name of a cookie
REMEMBERED = timedelta(days=365)


@require_safe
@login_not_required
def board(request: PageRequest, slug: str) -> HttpResponse:
    """Show what is free. Public.

    Two pages are kept, and put together for each request: the results, and what is around them.
    All that is shown is as of the next full minute, so everybody within a minute can share it; no
    limit or deadline has seconds.
    """
    member = request.user if isinstance(request.user, User) else None
    moving = _moving(request, slug)
    if moving and member and (error := why_unchangeable(moving, by=member, now=timezone.now())):
        messages.error(request, str(error))
        to_ticket = HttpResponseClientRedirect if request.htmx else redirect
        return to_ticket(moving.get_absolute_url())
    now = next_minute(timezone.now())
    owner = moving.member if moving else member

    def ask(setup: Setup) -> tuple[Asked, frozenset[int], list[Occupancy], str]:
        groups = setup.relevant(owner.group_ids if owner else ())
        query = asking.query_of(request, kind=_remembered(request, setup))
        asked = asking.asked(setup, groups, query, now, moving)
        return asked, groups, *occupancies_and_stamp(setup.space, asked.span)

    # Nearly always the process knows the set-up, and it is still the one of the bookings' moment.
    setup = setups.remembered(slug) or _setup(slug)
    asked, groups, held, stamp = ask(setup)
    if setup.stamp != stamp:
        setup = _setup(slug)
        asked, groups, held, stamp = ask(setup)
    space = setup.space
    rows = tuple(seen_by(member.pk if member else None, held))
    known = asked.known(setup, rows)
    instead = asked.instead(known, rows)
    recommends = flags.is_on(Flag.RECOMMENDATIONS)
    ahead = (instead[0] and (instead[0].place.pk, instead[0].period), instead[1])
    said = beforehand.said(setup, asked.venue, asked.search, member=owner, now=now, moving=moving)
    whole = Reader.of(request.user)
    shown = (space.pk, setup.stamp, sorted(groups), now)
    around = Part(
        template="bookings/board.html#around" if request.htmx else "bookings/board.html",
        reader=whole,
        key=(shown, url_of(request), asked.search.kind, request.htmx.trigger),
        context=lambda: (
            asked.context()
            | {"moves": moves(setup, asked.venue, moving, now=now) if moving else []}
        ),
    )

    def results() -> dict[str, Any]:
        found = build(
            known, asked.search, member=member, now=now, instead=instead, recommends=recommends
        )
        return asked.context() | {"board": found, "said": said}

    inside = Part(
        template="bookings/_results.html",
        reader=Reader(whole.is_authenticated, is_space_staff=whole.is_space_staff),
        key=(
            shown,
            asked.search,
            asked.errors,
            bool(request.htmx),
            [*map(tuple, rows)],
            ahead,
            said,
            recommends,
        ),
        context=results,
    )
    return _remember(request, answer(request, around, inside, is_kept=moving is None), asked)


def _remembered(request: PageRequest, setup: Setup) -> str:
    """Return the kind of place that was last chosen in this space, unless the address says more."""
    kind = request.COOKIES.get(KIND, "")
    says_more = {"kind", "place", "move"} & set(request.GET)
    return kind if not says_more and kind in {place.kind for place in setup.bookable} else ""


def _remember(request: PageRequest, response: HttpResponse, asked: Asked) -> HttpResponse:
    """Keep a kind that was chosen by name, in a cookie that only this space's pages are sent."""
    kind = asked.search.kind
    if "kind" not in request.GET or asked.errors or kind == request.COOKIES.get(KIND, ""):
        return response
    path = asked.space.get_absolute_url()
    if not kind:
        response.delete_cookie(KIND, path=path, samesite="Lax")
        return response
    response.set_cookie(
        KIND,
        kind,
        path=path,
        max_age=REMEMBERED,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def next_minute(now: datetime) -> datetime:
    """Return the end of the minute that is running, or the instant itself at its end."""
    over = timedelta(seconds=now.second, microseconds=now.microsecond)
    return now + (timedelta(minutes=1) - over if over else over)


def _setup(slug: str) -> Setup:
    setup = setups.shown(slug)
    if setup is None:
        raise Http404
    return setup


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
