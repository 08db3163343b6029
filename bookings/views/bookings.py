"""A member's bookings: book, look, move, cancel, and the history."""

from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from accounts.requests import AuthenticatedRequest
from bookings.deciding import attendance, rules, services, standing
from bookings.deciding.errors import BookingError, Refused, SlotTaken
from bookings.deciding.statements import OWN
from bookings.finding import ahead, happened
from bookings.finding import history as past
from bookings.finding.answering import Part, url_of, whole
from bookings.finding.kept import Reader
from bookings.finding.links import board_url
from bookings.finding.refusal import refusal
from bookings.forms import HistoryForm, TimesForm, book_form
from bookings.guests import Actor
from bookings.models import Booking, BookingEvent
from bookings.querysets import BookingQuerySet
from bookings.states import TRANSITIONS, State
from bookings.views import asking
from bookings.words import words
from bookings.words.zones import Zones
from spaces import setups
from spaces.limits import Limits
from spaces.venue import Venue


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def bookings(request: AuthenticatedRequest) -> HttpResponse:
    """List what is ahead, by day; POST books."""
    if request.method == "POST":
        return book(request)
    now = timezone.now()
    mine = ahead.of(request.user, now=now)
    if not mine:
        return whole(request, _nothing(request))
    upcoming = [booking for booking in mine if booking.occupies]
    days = [(label, list(group)) for label, group in groupby(upcoming, key=lambda b: _day(b, now))]
    undecided = [booking for booking in mine if booking.is_undecided]
    refused = [booking for booking in mine if booking.state == State.REJECTED]
    zones = Zones.of((booking.place.space for booking in mine), reader=request.user)
    context = {
        "undecided": undecided,
        "refused": refused,
        "days": days,
        "now": now,
        "zones": zones,
    }
    return render(request, "bookings/bookings.html", context)


def _nothing(request: AuthenticatedRequest) -> Part:
    """Return the page of someone who has nothing ahead: the same for all of them."""
    reader = Reader.of(request.user)
    return Part("bookings/bookings.html", reader, key=url_of(request), context=dict)


def _day(booking: Booking, now: datetime) -> str:
    zone = booking.place.space.zone
    return words.relative_day(
        booking.starts_at.astimezone(zone).date(), now.astimezone(zone).date()
    )


def book(request: AuthenticatedRequest) -> HttpResponse:
    now = timezone.now()
    form = book_form(request.POST)
    if not form.is_valid() or form.found is None:
        return refusal(request, form, problems=form_problems(form), now=now)
    try:
        wish = asking.wish_of(form, form.found, member=request.user)
        booking = asking.decided(wish, by=request.user, now=now)
    except Refused as error:
        return refusal(request, form, problems=error.problems, now=now)
    except BookingError as error:
        return refusal(request, form, problems=[rules.Problem(error.code, str(error))], now=now)
    if booking.state == State.REJECTED:
        return refusal(request, form, taken=True, now=now)
    if not booking.occupies:
        return refusal(request, form, now=now, used_for=booking)
    return redirect(f"{booking.get_absolute_url()}?booked=1", preserve_request=False)


def form_problems(form: TimesForm) -> list[rules.Problem]:
    return [
        rules.Problem("invalid", f"{form[name].label}: {message}")
        for name, found in form.errors.items()
        for message in found
    ]


@require_safe
@never_cache
def booking(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Show one booking: the ticket, and what happened to it. While undecided, it polls."""
    now = timezone.now()
    found = _mine(request, code)
    if request.htmx and found.is_undecided:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)  # htmx leaves the page as it is
    venue = setups.current(found.place.space_id).venue_for(request.user, now)
    limits = venue.limits(found.place.kind, found.starts_at)
    deadline = rules.deadline(limits, found.period, made_at=found.decided_at or now)
    events = happened.to_member(found, reader=request.user.pk, now=now)
    can_move = why_unchangeable(found, by=request.user, now=now) is None
    can_cancel = can_move and State.CANCELLED in TRANSITIONS[State(found.state)]
    can_move = can_move and found.place.space.is_active
    asked: dict[str, Any] = {
        "day": venue.day_of(found.starts_at),
        "period": found.period,
        "party_size": found.party_size,
    }
    context = {
        "booking": found,
        "zone": found.place.space.zone,
        "space": found.place.space,
        "events": events,
        "can_change": can_move or can_cancel,
        "can_move": can_move,
        "can_cancel": can_cancel,
        # A moved booking can be cancelled, but "undo" would seem to mean the move.
        "can_undo": can_cancel
        and not deadline.is_in_time(now)
        and deadline.allows(now)
        and all(event.kind != BookingEvent.Kind.MOVED for event in events),
        **_attendance(found, limits, now),
        "until": moment(deadline.until, venue, now) if deadline.allows(now) else "",
        "move_url": board_url(found.place.space, **asked, moving=found),
        "board_url": board_url(found.place.space, **asked),
        "another_url": board_url(
            found.place.space,
            day=max(venue.day_of(found.starts_at), venue.today(now)),
            party_size=found.party_size,
        ),
        "reasons": [rules.reason(code) for code in found.problems],
        "kept_despite": standing.misfits(found, venue, now) if found.is_upcoming(now) else [],
        "again_url": _again_url(found, venue, now) if found.place.is_bookable else "",
        "just_cancelled": "cancelled" in request.GET and found.state == State.CANCELLED,
        "just_booked": ("booked" in request.GET or request.htmx) and found.is_upcoming(now),
        "just_refused": request.htmx and found.state == State.REJECTED,
        "just_arrived": "arrived" in request.GET and found.state == State.CHECKED_IN,
        "just_moved": "moved" in request.GET and found.is_upcoming(now),
        "now": now,
    }
    template = "bookings/booking.html#booking" if request.htmx else "bookings/booking.html"
    return render(request, template, context)


def _attendance(booking: Booking, limits: Limits, now: datetime) -> dict[str, Any]:
    """Return what the ticket says about checking in, and about not coming."""
    if booking.state != State.CONFIRMED or booking.ends_at <= now:
        return {}
    window = attendance.check_in(limits, booking)
    return {
        "window": window,
        "can_check_in": window is not None and window.is_open(now),
        "warnings": attendance.fair_warning(limits.strikes),
    }


def why_unchangeable(
    booking: Booking, *, by: Actor, now: datetime, to: State | None = None
) -> BookingError | None:
    """Return the error that moving it, or changing it to a state, would raise; None if allowed."""
    try:
        services.require_changeable(booking, by=by, now=now, to=to)
    except BookingError as error:
        return error
    return None


def _again_url(booking: Booking, venue: Venue, now: datetime) -> str:
    """Return the board with the place picked at the same time, on that day or soon."""
    day = max(venue.day_of(booking.starts_at), venue.today(now))
    if booking.starts_at <= now:
        day += timedelta(days=1)
    return board_url(
        booking.place.space,
        day=day,
        period=booking.period,
        party_size=booking.party_size,
        place=booking.place.code,
    )


def moment(at: datetime, venue: Venue, now: datetime) -> str:
    return f"{words.day_at(at, venue.zone, now)}, {words.clock(at, venue.zone)}"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Ask first, then give the place back."""
    found = _mine(request, code)
    if request.method != "POST":
        now = timezone.now()
        if error := why_unchangeable(found, by=request.user, now=now, to=State.CANCELLED):
            messages.error(request, str(error))
            return redirect(found)
        context = {"booking": found, "zone": found.place.space.zone, "space": found.place.space}
        return render(request, "bookings/cancel.html", context)
    try:
        services.cancel(found, by=request.user, now=timezone.now())
    except BookingError as error:
        messages.error(request, str(error))
    else:
        return redirect(f"{found.get_absolute_url()}?cancelled=1")
    return redirect(found)


@require_POST
def reschedule(request: AuthenticatedRequest, code: UUID) -> HttpResponse:
    """Move a booking; it keeps the old time if the new one isn't available."""
    now = timezone.now()
    found = _mine(request, code)
    form = TimesForm(request.POST)
    if not form.is_valid() or form.found is None:
        return refusal(request, form, problems=form_problems(form), now=now, moving=found)
    try:
        services.reschedule(
            found,
            place=form.found,
            starts_at=form.period.starts_at,
            ends_at=form.period.ends_at,
            party_size=form.cleaned_data["party_size"],
            by=request.user,
            now=now,
        )
    except SlotTaken:
        return refusal(request, form, taken=True, now=now, moving=found)
    except Refused as error:
        return refusal(request, form, problems=error.problems, now=now, moving=found)
    except BookingError as error:
        problems = [rules.Problem(error.code, str(error))]
        return refusal(request, form, problems=problems, now=now, moving=found)
    return redirect(f"{found.get_absolute_url()}?moved=1")


@require_safe
@never_cache
def history(request: AuthenticatedRequest) -> HttpResponse:
    """Everything a person ever booked, in all states, newest first."""
    mine = Booking.objects.of(request.user)
    spaces = mine.recent_spaces()
    form = HistoryForm(request.GET, spaces=spaces)
    chosen = form.chosen()
    rows = mine.narrowed(**chosen).with_place()
    context = {
        "page": _page(rows, request.GET),
        "form": form,
        "now": timezone.now(),
        "zones": Zones.of(spaces, reader=request.user),
        "is_filtered": any(chosen.values()),
    }
    template = "bookings/history.html#rows" if request.htmx else "bookings/history.html"
    return render(request, template, context)


def _page(rows: BookingQuerySet[Booking], asked: QueryDict) -> past.Page:
    """Return the page that an address names; the first, if it names none."""
    if than := past.Position.read(asked.get("newer", "")):
        return past.newer(rows, than)
    return past.older(rows, past.Position.read(asked.get("older", "")))


def _mine(request: AuthenticatedRequest, code: UUID) -> Booking:
    found = OWN.first(member=request.user.pk, code=code)
    if found is None:
        raise Http404
    found.member = request.user
    return found
