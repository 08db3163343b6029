"""The list at the door: who waits, told that a table is ready, seated."""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import flags
from accounts.flags import Flag
from accounts.letters import validate_visible
from accounts.models import LANGUAGES, User
from accounts.numbers import WholeNumberField, read_whole
from accounts.requests import AuthenticatedRequest
from bookings.deciding import holds, waiting_list
from bookings.deciding.errors import BookingError, SlotTaken
from bookings.deciding.visits import UNDO_FOR
from bookings.finding import at_the_door, day, marks
from bookings.finding.acquainted import chosen
from bookings.finding.calling import code as read_code
from bookings.finding.done import TOLD_FOR, Done
from bookings.finding.quoting import known_now
from bookings.forms import MOST_PEOPLE
from bookings.models import Booking
from bookings.staff.access import setup_run_by
from bookings.staff.day import copy_of
from bookings.waiting import PartyState, WaitingParty
from bookings.words import words
from spaces.setups import Setup

#: Times that people have waited are shown by the minute.
MINUTE = timedelta(minutes=1)


class NewcomerForm(forms.Form):
    """Who comes to the door."""

    guest_name = forms.CharField(
        validators=[validate_visible], label=pgettext_lazy("of a person", "Name"), max_length=150
    )
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=40, required=False)
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254, required=False)
    people = WholeNumberField(label=gettext_lazy("People"), min_value=1, max_value=MOST_PEOPLE)
    area = forms.CharField(label=gettext_lazy("Area"), max_length=40, required=False)
    language = forms.ChoiceField(
        label=gettext_lazy("Messages in"), choices=LANGUAGES, required=False
    )
    request_key = forms.CharField(max_length=200, required=False)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_waiting(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Show the list; POST adds a party. An open page asks every two seconds what is new."""
    now = timezone.now()
    is_asking = request.htmx and request.method == "GET" and flags.is_on(Flag.LIVE_BOARD)
    if is_asking and _is_still_so(request, slug, now):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)  # htmx leaves the page as it is
    setup = setup_run_by(request.user, slug)
    if request.method == "POST":
        return _add(request, setup, now)
    return _page(request, setup, _form(request, setup, now), now=now)


def _is_still_so(request: AuthenticatedRequest, slug: str, now: datetime) -> bool:
    seen = request.GET.get("seen", "")
    span = marks.span_of(seen)
    if span is None:
        return False
    current = marks.mark(request.user, slug, span, now=now, step=MINUTE)
    if current is None:
        raise Http404
    return current == seen


def _form(request: AuthenticatedRequest, setup: Setup, now: datetime) -> NewcomerForm:
    """Return the form with what was typed, and with the guest who was picked."""
    names = ("guest_name", "phone", "email", "people", "area", "language")
    typed = {name: request.GET[name] for name in names if name in request.GET}
    caller = chosen(setup.space, request.GET.get("pick", ""), now=now)
    if caller is not None:
        typed |= {"guest_name": caller.name, "phone": caller.phone, "email": caller.email}
    language = translation.get_language() or settings.LANGUAGE_CODE
    return NewcomerForm(initial={"people": 2, "language": language, **typed})


def _add(request: AuthenticatedRequest, setup: Setup, now: datetime) -> HttpResponse:
    form = NewcomerForm(request.POST)
    if not form.is_valid():
        return _page(request, setup, form, now=now, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    said = form.cleaned_data
    newcomer = waiting_list.Newcomer(
        name=said["guest_name"],
        phone=said["phone"],
        email=said["email"].lower(),
        party_size=said["people"],
        area=said["area"],
        language=said["language"] or settings.LANGUAGE_CODE,
        quoted_minutes=at_the_door.quoted(setup, said["people"], said["area"], now=now),
        request_key=said["request_key"] or None,
    )
    try:
        party = waiting_list.add(setup.space, newcomer, by=request.user, now=now)
    except BookingError as error:
        form.add_error(None, str(error))
        return _page(request, setup, form, now=now, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    page = reverse("staff_waiting", args=[setup.space.slug], query={"done": str(party.code)})
    return redirect(page)


# --- Verbs ----------------------------------------------------------------------------------------


def _ready(party: WaitingParty, what: str, setup: Setup, by: User, now: datetime) -> WaitingParty:
    """Hold the place that the button names, or the best, and tell them."""
    wanted = read_code(what)
    place = setup.place(wanted) if wanted else None
    if told := holds.told_of(party, place):  # the same press, twice
        return told
    found = at_the_door.seats_of(setup, known_now(setup, now), party, now=now)
    for spot in found:
        if wanted is None or spot.place.code == wanted:
            seat = at_the_door.seat_to_hold(setup, spot, party.party_size, now=now)
            return holds.tell(party, seat, by=by, now=now)
    raise SlotTaken(_("This table isn’t free any more. Look at the list again."))


def _too(party: WaitingParty, what: str, setup: Setup, by: User, now: datetime) -> WaitingParty:
    code = read_code(what)
    known = Booking.objects.in_space(setup.space).with_place()
    held = known.filter(code=code).first() if code else None
    if held is None:
        raise Http404
    return holds.tell_too(party, held, by=by, now=now)


def _seat(party: WaitingParty, what: str, setup: Setup, by: User, now: datetime) -> WaitingParty:
    found = at_the_door.seats_of(setup, known_now(setup, now), party, now=now)
    wanted = read_code(what)
    seats = [spot.seat for spot in found if wanted is None or spot.place.code == wanted]
    return waiting_list.seat(party, seats, by=by, now=now)


def _come(party: WaitingParty, what: str, setup: Setup, by: User, now: datetime) -> WaitingParty:
    return holds.confirm(party, by=by, now=now)


def _left(party: WaitingParty, what: str, setup: Setup, by: User, now: datetime) -> WaitingParty:
    return waiting_list.leave(party, by=by, now=now)


def _undo(party: WaitingParty, what: str, setup: Setup, by: User, now: datetime) -> WaitingParty:
    try:
        version = read_whole(what)
    except ValueError as error:
        raise Http404 from error
    return waiting_list.undo(party, by=by, now=now, version=version)


#: What a button's name does to the party whose code its value begins with.
VERBS: dict[str, Callable[[WaitingParty, str, Setup, User, datetime], WaitingParty]] = {
    "ready": _ready,
    "too": _too,
    "seat": _seat,
    "come": _come,
    "left": _left,
    "undo": _undo,
}


@require_POST
@never_cache
def staff_waiting_act(request: AuthenticatedRequest, slug: str) -> HttpResponse:
    """Do what the pressed button says to the party that it names."""
    setup, now = setup_run_by(request.user, slug), timezone.now()
    pressed = next((verb for verb in VERBS if request.POST.get(verb)), None)
    if pressed is None:
        raise Http404
    key, _dot, what = request.POST[pressed].partition(".")
    code = read_code(key)
    parties = WaitingParty.objects.of(setup.space).select_related("space", "guest")
    party = parties.filter(code=code).first() if code else None
    if party is None:
        raise Http404
    query = {"done": str(party.code)}
    try:
        VERBS[pressed](party, what, setup, request.user, now)
    except BookingError as error:
        messages.error(request, str(error))
        query = {}
    answer = redirect(reverse("staff_waiting", args=[setup.space.slug], query=query))
    answer.status_code = HTTPStatus.SEE_OTHER  # htmx and browsers get the page
    return answer


# --- The page -------------------------------------------------------------------------------------


def _page(
    request: AuthenticatedRequest,
    setup: Setup,
    form: NewcomerForm,
    *,
    now: datetime,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    if request.htmx and request.htmx.target == "who":
        context: dict[str, Any] = {"space": setup.space, "form": form}
        return render(request, "staff/waiting.html#who", context, status=status)
    venue = setup.venue((), now)
    # Before the rows: what changes meanwhile is then fetched once too often, not missed.
    span = day.span_of(venue, venue.day_of(now))
    seen = marks.mark(request.user, setup.space.slug, span, now=now, step=MINUTE)
    context = {
        "space": setup.space,
        "zone": setup.space.zone,
        "now": now,
        "seen": seen,
        "is_live": flags.is_on(Flag.LIVE_BOARD),
        "copy": copy_of(request),
        "form": form,
        "door": at_the_door.shown(setup, now=now),
        "areas": sorted({place.area for place in setup.bookable if place.area}),
        "is_texted": bool(settings.SMS["provider"]),
        "done": _done(request.GET.get("done", ""), setup, now),
    }
    is_part = request.htmx and request.method == "GET"
    template = "staff/waiting.html#list" if is_part else "staff/waiting.html"
    return render(request, template, context, status=status)


SAID = {
    PartyState.WAITING: gettext_lazy("%(who)s is on the list."),
    PartyState.TOLD: gettext_lazy("%(who)s is told: %(place)s, held until %(until)s."),
    PartyState.COMING: gettext_lazy("%(who)s is coming: %(place)s."),
    PartyState.SEATED: gettext_lazy("%(who)s is seated: %(place)s."),
    PartyState.LEFT: gettext_lazy("%(who)s is off the list."),
    PartyState.DECLINED: gettext_lazy("%(who)s is off the list."),
}


def _done(value: str, setup: Setup, now: datetime) -> Done | None:
    """Say what was just done to a party, as it is now; None for anything else."""
    code = read_code(value)
    if code is None:
        return None
    rows = WaitingParty.objects.of(setup.space).select_related("booking__place")
    party = rows.filter(code=code).first()
    if party is None or party.state not in SAID:
        return None
    at = {PartyState.TOLD: party.told_at, PartyState.COMING: party.answered_at}.get(
        PartyState(party.state), party.ended_at or party.created_at
    )
    if at is None or (now > at + TOLD_FOR and party.state != PartyState.WAITING):
        return None
    booking = party.booking
    until = booking.hold_expires_at if booking else None
    said = SAID[PartyState(party.state)] % {
        "who": party.name,
        "place": booking.place if booking else "",
        "until": words.clock(until, setup.space.zone) if until else "",
    }
    left = (at + UNDO_FOR - now).total_seconds()
    # Not at a table that was held for them: `waiting_list.undo` refuses that.
    was_held = party.state == PartyState.SEATED and party.answered_at is not None
    is_undoable = party.state not in (PartyState.WAITING, PartyState.COMING) and not was_held
    can_undo = left > 0 and is_undoable
    undo = f"{party.code}.{party.version}" if can_undo else ""
    return Done(str(said), undo=undo, seconds=max(1, int(left)) if can_undo else 5)
