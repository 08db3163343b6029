"""Guests without an account: book, and then see and change that one booking by its link."""

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import wishes
from accounts.addresses import address_of
from accounts.pages import too_often
from accounts.requests import PageRequest
from accounts.tries import TooOften, spend
from bookings.deciding import attendance, knowing, links, rules, services, standing, visits
from bookings.deciding.errors import BookingError, Refused, SlotTaken
from bookings.deciding.wish import PartyWish, Wish
from bookings.finding import happened
from bookings.finding.links import board_url
from bookings.finding.moves import moves
from bookings.finding.refusal import refusal
from bookings.forms import BookForm, GuestForm, PartyForm, TimesForm, book_form
from bookings.guests import BY_GUEST
from bookings.models import Booking
from bookings.states import TRANSITIONS, State
from bookings.views import asking
from bookings.views.bookings import form_problems, moment, why_unchangeable
from bookings.views.secret import old_guest_link, opened
from spaces import setups
from spaces.models import Place

#: So that no key of another door can be guessed to get at its booking.
KEY = "guest:{}"


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def guest(request: PageRequest) -> HttpResponse:
    """Ask a visitor for a name and an e-mail address or a phone number; POST books."""
    wish = wishes.of(request)
    if request.user.is_authenticated:
        booked = wishes.carry_out(request) if request.method == "POST" else None
        return booked or redirect(_onward(request))
    form = GuestForm(request.POST if request.method == "POST" else None)
    context = {"form": form, "wish": wish, "next": request.GET.get("next")}
    if form.is_valid():
        try:
            _spend(request, form)
        except TooOften as error:
            context.pop("form")
            return too_often(request, "bookings/guest.html", form, error, **context)
        return _book(request, form)
    if wish is None and not form.errors:
        return redirect("home")
    return render(request, "bookings/guest.html", context, status=422 if form.errors else 200)


def _onward(request: HttpRequest) -> str:
    """Return the board with the wanted place picked, for somebody who has an account."""
    form = book_form(request.GET)
    if not form.is_valid() or form.found is None or form.setup is None:
        return reverse("home")
    venue = form.setup.venue((), timezone.now())
    return board_url(
        form.found.space,
        day=venue.day_of(form.period.starts_at),
        period=form.period,
        party_size=form.cleaned_data["party_size"] or 1,
        place=None if isinstance(form, PartyForm) else form.found.code,
    )


def _spend(request: HttpRequest, form: GuestForm) -> None:
    """Count for the address and for the contact: nobody can flood a mailbox through us."""
    phone, email = knowing.contacts(form.contact)
    whose = email or knowing.digits(phone, "")
    spend("guest", address=address_of(request), login=whose, now=timezone.now())


def _book(request: HttpRequest, form: GuestForm) -> HttpResponse:
    now, times = timezone.now(), book_form(request.POST)
    carried = {name: form.cleaned_data[name] for name in ("name", "email", "phone")}
    again: dict[str, Any] = {"now": now, "act": reverse("guest"), "carried": carried}
    if not times.is_valid() or times.found is None:
        return refusal(request, times, problems=form_problems(times), **again)
    try:
        wish = _wish(form, times, times.found)
        booking = asking.decided(wish, by=BY_GUEST, now=now)
    except Refused as error:
        return refusal(request, times, problems=error.problems, **again)
    except BookingError as error:
        problems = [rules.Problem(error.code, str(error))]
        return refusal(request, times, problems=problems, **again)
    if booking.state == State.REJECTED:
        return refusal(request, times, taken=True, **again)
    if not booking.occupies:
        return refusal(request, times, used_for=booking, **again)
    link = links.link_of(booking, language=translation.get_language() or "", now=now)
    return redirect(f"{links.path_of(link)}?booked=1", preserve_request=False)


def _wish(form: GuestForm, times: BookForm, place: Place) -> Wish | PartyWish:
    key = times.cleaned_data["request_key"]
    return asking.wish_of(
        times,
        place,
        member=None,
        request_key=KEY.format(key)[:200] if key else None,
        guest_name=form.cleaned_data["name"],
        guest_contact=form.contact,
        channel=Booking.Channel.GUEST,
    )


# --- By the link ----------------------------------------------------------------------------------

by_link = partial(opened, links.find, otherwise=old_guest_link)


@by_link
@require_safe
def guest_booking(request: PageRequest, token: str, booking: Booking) -> HttpResponse:
    """Show the one booking: the ticket, and what happened to it."""
    now = timezone.now()
    venue = setups.current(booking.place.space_id).venue((), now)
    limits = venue.limits(booking.place.kind)
    deadline = rules.deadline(limits, booking.period, made_at=booking.decided_at or now)
    can_move = why_unchangeable(booking, by=BY_GUEST, now=now) is None
    window = attendance.check_in(limits, booking)
    context = {
        **_about(booking, token),
        "events": happened.to_member(booking, reader=None, now=now),
        "can_cancel": can_move and State.CANCELLED in TRANSITIONS[State(booking.state)],
        "can_move": can_move and booking.place.space.is_active,
        "can_check_in": booking.state == State.CONFIRMED
        and window is not None
        and window.is_open(now),
        "until": moment(deadline.until, venue, now) if deadline.allows(now) else "",
        "reasons": [rules.reason(code) for code in booking.problems],
        "kept_despite": standing.misfits(booking, venue, now) if booking.is_upcoming(now) else [],
        "just_cancelled": "cancelled" in request.GET and booking.state == State.CANCELLED,
        "just_booked": "booked" in request.GET and booking.is_upcoming(now),
        "just_moved": "moved" in request.GET and booking.is_upcoming(now),
        "is_mailed": bool(knowing.contacts(booking.guest_contact)[1]),
        "now": now,
    }
    return render(request, "bookings/guest_booking.html", context)


def _about(booking: Booking, token: str) -> dict[str, Any]:
    space = booking.place.space
    return {"booking": booking, "token": token, "space": space, "zone": space.zone}


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def guest_cancel(request: PageRequest, token: str, booking: Booking) -> HttpResponse:
    """Ask first, then give the place back."""
    now, ticket = timezone.now(), reverse("guest_booking", args=[token])
    if request.method != "POST":
        if error := why_unchangeable(booking, by=BY_GUEST, now=now, to=State.CANCELLED):
            messages.error(request, str(error))
            return redirect(ticket)
        return render(request, "bookings/guest_cancel.html", _about(booking, token))
    try:
        services.cancel(booking, by=BY_GUEST, now=now)
    except BookingError as error:
        messages.error(request, str(error))
        return redirect(ticket)
    return redirect(f"{ticket}?cancelled=1")


@by_link
@require_POST
def guest_check_in(request: PageRequest, token: str, booking: Booking) -> HttpResponse:
    """Say that one is here."""
    ticket = reverse("guest_booking", args=[token])
    try:
        visits.check_in(booking, by=BY_GUEST, now=timezone.now())
    except BookingError as error:
        messages.error(request, str(error))
        return redirect(ticket)
    return redirect(f"{ticket}?arrived=1")


@by_link
@require_http_methods(["GET", "HEAD", "POST"])
def guest_move(request: PageRequest, token: str, booking: Booking) -> HttpResponse:
    """Ask for another time; POST moves. The booking keeps the old time if that isn't free."""
    now, ticket = timezone.now(), reverse("guest_booking", args=[token])
    if request.method != "POST":
        if error := why_unchangeable(booking, by=BY_GUEST, now=now):
            messages.error(request, str(error))
            return redirect(ticket)
        setup = setups.current(booking.place.code)
        usual = moves(setup, setup.venue_for(booking.member, now), booking, now=now)
        context = _about(booking, token) | {"moving": booking, "moves": usual}
        return render(request, "bookings/guest_move.html", context)
    return _move(request, booking, ticket, now=now)


def _move(request: HttpRequest, booking: Booking, ticket: str, *, now: datetime) -> HttpResponse:
    form = TimesForm(request.POST)
    again: dict[str, Any] = {
        "now": now,
        "moving": booking,
        "act": request.path,
        "ticket": ticket,
    }
    if not form.is_valid() or form.found is None:
        return refusal(request, form, problems=form_problems(form), **again)
    try:
        services.reschedule(
            booking,
            place=form.found,
            starts_at=form.period.starts_at,
            ends_at=form.period.ends_at,
            party_size=form.cleaned_data["party_size"],
            by=BY_GUEST,
            now=now,
        )
    except SlotTaken:
        return refusal(request, form, taken=True, **again)
    except Refused as error:
        return refusal(request, form, problems=error.problems, **again)
    except BookingError as error:
        problems = [rules.Problem(error.code, str(error))]
        return refusal(request, form, problems=problems, **again)
    return redirect(f"{ticket}?moved=1")
