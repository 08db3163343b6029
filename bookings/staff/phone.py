"""Booking for who is on the phone: free places, the guest found while typing, all on one page."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.letters import validate_visible
from accounts.models import User
from accounts.requests import AuthenticatedRequest
from bookings.deciding import choosing, services
from bookings.deciding.errors import BookingError, Refused
from bookings.deciding.rules import Problem
from bookings.deciding.wish import PartyWish, Wish
from bookings.finding import calling
from bookings.finding.acquainted import Caller, callers, chosen
from bookings.finding.availability import Offer, alternatives
from bookings.finding.calling import Wanted
from bookings.finding.rearranging import in_the_way
from bookings.models import Booking
from bookings.staff.access import setup_run_by
from bookings.staff.booking import Refusal, all_the_same, described
from bookings.staff.forms import ContactForm, one_press, read_press
from bookings.states import State
from bookings.words import words
from bookings.words.local_time import LocalTimeError, read_instant
from spaces.models import Place
from spaces.setups import Setup
from spaces.slots import Period


class GuestForm(ContactForm):
    """Who calls: a guest by name, or a member who was found (`choice`)."""

    guest_name = forms.CharField(
        validators=[validate_visible],
        label=pgettext_lazy("of a person", "Name"),
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    choice = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)
    request_key = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)

    field_order = ("guest_name",)

    def __init__(self, *args: Any, caller: Caller | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.caller = caller

    def clean(self) -> None:
        is_member = self.caller is not None and self.caller.is_member
        if not is_member and not self.cleaned_data.get("guest_name") and not self.errors:
            self.add_error("guest_name", _("Say who is coming."))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_phone(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show what is free for a call; POST books it, by name or for a member."""
    setup, now = setup_run_by(request.user, slug), timezone.now()
    if request.method == "POST":
        return _book(request, setup, now)
    wanted = calling.read(request.GET.dict(), setup, now=now)
    picked = request.GET.get("pick") or request.GET.get("choice", "")
    caller = chosen(setup.space, picked, now=now) if picked != "nobody" else None
    typed = {name: request.GET.get(name, "") for name in ("guest_name", "phone", "email", "note")}
    if caller is not None and "pick" in request.GET:
        typed |= {"guest_name": caller.name, "phone": caller.phone, "email": caller.email}
    elif picked == "nobody":
        typed |= {"guest_name": "", "phone": "", "email": ""}
    form = GuestForm(initial={**typed, "choice": caller.choice if caller else ""}, caller=caller)
    return _page(request, setup, wanted, form, now=now)


@require_safe
@never_cache
def find_guest(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """List whom what is typed may mean: by the field that somebody types in."""
    setup, now = setup_run_by(request.user, slug), timezone.now()
    name = request.htmx.trigger_name or ""
    typed = request.GET.get(name if name in ("guest_name", "phone", "email") else "guest_name", "")
    context = {
        "space": setup.space,
        "zone": setup.space.zone,
        "callers": callers(setup.space, typed, now=now),
        "typed": typed,
        "now": now,
        # Whose form a button fills in.
        "is_at_the_door": request.GET.get("for") == "waiting",
    }
    return render(request, "staff/_callers.html", context)


def _book(request: AuthenticatedRequest, setup: Setup, now: datetime) -> HttpResponse:
    wanted = calling.read(request.POST.dict(), setup, now=now)
    caller = chosen(setup.space, request.POST.get("choice", ""), now=now)
    form = GuestForm(request.POST, caller=caller)
    asked = _asked(request, wanted, now)
    if not form.is_valid() or asked is None:
        return _page(request, setup, wanted, form, now=now, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    place, period = asked
    try:
        wish = _wish(form, place, period, wanted.people)
        if wanted.place is None and not read_press(request.POST.dict()):
            booking = choosing.book_party(PartyWish.like(wish), by=request.user, now=now)
        else:
            anyway = "anyway" in request.POST
            booking = services.book(wish, by=request.user, now=now, over_pacing=anyway)
    except Refused as error:
        refusal = _refusal(setup, place, period, wanted, error.problems, now)
    except BookingError as error:
        refusal = _refusal(setup, place, period, wanted, [Problem(error.code, str(error))], now)
    else:
        if booking.occupies:
            messages.success(request, _("Booked: %(what)s.") % {"what": described(booking, now)})
            return redirect("staff_booking", setup.space.slug, booking.code)
        refusal = _refusal(setup, place, period, wanted, _why(booking), now)
    return _page(request, setup, wanted, form, now=now, refusal=refusal, status=refusal.status)


def _why(booking: Booking) -> list[Problem]:
    """Return why a form that was sent again books nothing: what it booked is given back."""
    if booking.state == State.REJECTED:
        return []
    message = _("The booking that it made is %(state)s. To book again, choose a time below.")
    named = {"state": booking.get_state_display()}
    return [Problem("request_key_reused", message % named)]


def _asked(
    request: AuthenticatedRequest, wanted: Wanted, now: datetime
) -> tuple[Place, Period] | None:
    """Return which place and time to book: an alternative's, the chosen place, or the best fit."""
    zone = wanted.venue.zone
    if pressed := read_press(request.POST.dict()):
        try:
            period = Period(read_instant(pressed[1], zone), read_instant(pressed[2], zone))
            place = wanted.setup.place(calling.code(pressed[0]) or 0)
        except LocalTimeError:
            return None
        return None if place is None else (place, period)
    if wanted.period is None or wanted.errors:
        return None
    if wanted.place is not None:
        place = wanted.setup.place(wanted.place)
        return None if place is None else (place, wanted.period)
    found = calling.find(wanted, now=now).offers
    return (found[0].place, wanted.period) if found else None


def _wish(form: GuestForm, place: Place, period: Period, people: int) -> Wish:
    said, caller = form.cleaned_data, form.caller
    is_member = caller is not None and caller.is_member
    return Wish(
        place=place,
        member=User.objects.get(username=caller.login) if caller and is_member else None,
        starts_at=period.starts_at,
        ends_at=period.ends_at,
        party_size=people,
        request_key=said["request_key"],
        note=said["note"],
        guest_name="" if is_member else said["guest_name"],
        guest_contact="" if is_member else form.contact,
        channel=Booking.Channel.STAFF,
    )


def _refusal(
    setup: Setup,
    place: Place,
    period: Period,
    wanted: Wanted,
    problems: Sequence[Problem],
    now: datetime,
) -> Refusal:
    named = {"place": str(place), "time": words.span(period, setup.space.zone)}
    found = alternatives(
        setup, wanted.venue, place, period, party_size=wanted.people, now=now, in_house=True
    )
    offers = [(_in_words(offer, now), one_press(offer.place, offer.period)) for offer in found]
    if problems:
        headline = _("%(place)s can’t be booked for %(time)s.") % named
        status, anyway = HTTPStatus.UNPROCESSABLE_ENTITY, all_the_same(problems, place, period)
        return Refusal(headline, status, problems=problems, offers=offers, anyway=anyway)
    rivals = list(in_the_way(setup, None, place, period, now=now)[:3])
    headline = _("Someone has %(place)s for %(time)s.") % named
    return Refusal(headline, HTTPStatus.CONFLICT, rivals=rivals, offers=offers)


def _in_words(offer: Offer, now: datetime) -> str:
    return f"{offer.place}, {words.when(offer.period, offer.place.space.zone, now)}"


def _found(
    request: AuthenticatedRequest, setup: Setup, form: GuestForm, now: datetime
) -> list[Caller]:
    """Return whom the fields may mean: without a script they are sent with *Find*."""
    if form.caller is not None or request.htmx:
        return []
    typed = [str(form[name].value() or "") for name in ("phone", "guest_name")]
    return next((found for each in typed if (found := callers(setup.space, each, now=now))), [])


def _page(
    request: AuthenticatedRequest,
    setup: Setup,
    wanted: Wanted,
    form: GuestForm,
    *,
    now: datetime,
    refusal: Refusal | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    found = calling.find(wanted, now=now)
    context = {
        "space": setup.space,
        "zone": setup.space.zone,
        "now": now,
        "today": wanted.venue.today(now),
        "wanted": wanted,
        "clock": calling.clock(wanted) or request.GET.get("from", request.POST.get("from", "")),
        "offers": found.offers,
        "problems": found.problems,
        "chosen": wanted.place if any(o.place.code == wanted.place for o in found.offers) else None,
        "first": found.next,
        "form": form,
        "caller": form.caller,
        "callers": _found(request, setup, form, now),
        "refusal": refusal,
    }
    template = "staff/phone.html"
    if request.htmx and request.htmx.target in ("places", "who"):
        template = f"staff/phone.html#{request.htmx.target}"
    return render(request, template, context, status=status)
