"""One booking as the staff see it: everything about it can change in one form."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.requests import AuthenticatedRequest
from bookings.deciding import services
from bookings.deciding.details import Details
from bookings.deciding.errors import BookingError, Refused, SlotTaken
from bookings.deciding.knowing import contacts
from bookings.deciding.pacing import FULL
from bookings.deciding.rules import ABOUT_THE_PERSON, Problem
from bookings.finding import happened
from bookings.finding.rearranging import in_the_way, instead
from bookings.models import Booking
from bookings.staff.access import setup_run_by
from bookings.staff.forms import EditForm, as_it_is, complete, one_press
from bookings.staff.timeline import timeline_after
from bookings.words import words
from spaces.models import Place
from spaces.setups import Setup
from spaces.slots import Period


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def staff_booking(request: AuthenticatedRequest, slug: str, code: UUID) -> HttpResponse:
    """Show one booking and its history; POST changes it, in one call, or says why not."""
    setup = setup_run_by(request.user, slug)
    booking = find_booking(setup, code)
    if request.method == "POST":
        return _change(request, setup, booking)
    known = as_it_is(booking, contacts(booking.guest_contact), _last(booking))
    return _page(
        request, setup, booking, EditForm(None, initial=known, setup=setup, booking=booking)
    )


def find_booking(setup: Setup, code: UUID) -> Booking:
    """Return a booking of a space. Raises Http404."""
    here = Booking.objects.in_space(setup.space)
    booking = here.filter(code=code).with_person().select_related("guest").first()
    if booking is None:
        raise Http404
    return booking


def _last(booking: Booking) -> int:
    return int(booking.events.latest("sequence").sequence)


@dataclass(frozen=True)
class Refusal:
    """Why nothing was changed: in a sentence, all reasons, who is in the way, what is free."""

    headline: str
    status: HTTPStatus
    problems: Sequence[Problem] = ()
    rivals: Sequence[Booking] = ()
    offers: Sequence[tuple[str, str]] = ()  # in words, and the button's value
    #: The value of the button that does it all the same; empty where nobody may.
    anyway: str = ""


def _change(request: AuthenticatedRequest, setup: Setup, booking: Booking) -> HttpResponse:
    """Change the booking as posted. What is posted with `back=timeline` returns there."""
    now = timezone.now()
    known = as_it_is(booking, contacts(booking.guest_contact), _last(booking))
    data = complete(request.POST.dict(), known, booking)
    form = EditForm(data, setup=setup, booking=booking)
    if not form.is_valid() or form.asked is None:
        return _refused(request, setup, booking, form, _unreadable(form))
    place, period = form.asked
    try:
        changed = services.reschedule(
            booking,
            place=place,
            starts_at=period.starts_at,
            ends_at=period.ends_at,
            party_size=form.cleaned_data["party_size"],
            details=_details(form, booking),
            seen=form.cleaned_data["seen"],
            over_pacing="anyway" in request.POST,
            by=request.user,
            now=now,
        )
    except BookingError as error:
        refusal = _refusal(error, setup, booking, form, now)
        return _refused(request, setup, find_booking(setup, booking.code), form, refusal)
    said = _("Saved: %(what)s.") % {"what": described(changed, now)}
    if request.htmx:
        return timeline_after(request, setup, period, now=now, moved=changed, said=said)
    messages.success(request, said)
    if request.POST.get("back") == "timeline":
        day = setup.venue((), now).day_of(period.starts_at)
        return redirect(
            reverse("staff_timeline", args=[setup.space.slug], query={"date": str(day)})
        )
    return redirect("staff_booking", setup.space.slug, booking.code)


def _details(form: EditForm, booking: Booking) -> Details:
    said = form.cleaned_data
    if booking.member is not None:
        return Details(note=said["note"])
    contact = form.contact
    if contacts(booking.guest_contact) == (said["phone"], said["email"]):
        contact = booking.guest_contact  # however it was written
    return Details(note=said["note"], guest_name=said["guest_name"], guest_contact=contact)


def described(booking: Booking, now: datetime) -> str:
    """Return «Rossi, Table 4, Wed 25 Nov, 19:00–21:00»."""
    when = words.when(booking.period, booking.place.space.zone, now)
    return f"{who(booking)}, {booking.place}, {when}"


def who(booking: Booking) -> str:
    return booking.member.get_full_name() if booking.member else booking.guest_name


def _unreadable(form: EditForm) -> Refusal:
    """Return what is wrong with what was typed; the fields say it too."""
    found = [
        Problem("invalid", f"{form[name].label}: {message}")
        for name, errors in form.errors.items()
        for message in errors
        if name in form.fields
    ]
    return Refusal(_("Nothing is changed yet."), HTTPStatus.UNPROCESSABLE_ENTITY, problems=found)


def _refusal(
    error: BookingError, setup: Setup, booking: Booking, form: EditForm, now: datetime
) -> Refusal:
    assert form.asked is not None
    place, period = form.asked
    zone = setup.space.zone
    named = {"place": str(place), "time": words.span(period, zone)}
    if not isinstance(error, Refused | SlotTaken):
        return Refusal(str(error), HTTPStatus.CONFLICT)
    people = form.cleaned_data["party_size"]
    problems = error.problems if isinstance(error, Refused) else []
    offers = []
    if not any(problem.code in ABOUT_THE_PERSON for problem in problems):
        found = instead(setup, booking, place, period, people=people, now=now)
        offers = [
            (_offered(offer.place, offer.period), one_press(offer.place, offer.period))
            for offer in found
        ]
    if problems:
        headline = _("%(place)s can’t be booked for %(time)s.") % named
        status, anyway = HTTPStatus.UNPROCESSABLE_ENTITY, all_the_same(problems, place, period)
        return Refusal(headline, status, problems=problems, offers=offers, anyway=anyway)
    return Refusal(
        _("Someone has %(place)s for %(time)s.") % named,
        HTTPStatus.CONFLICT,
        rivals=list(in_the_way(setup, booking, place, period, now=now)[:3]),
        offers=offers,
    )


def all_the_same(problems: Sequence[Problem], place: Place, period: Period) -> str:
    """Return the value of a button that insists, if that many arrivals are all that forbids it."""
    is_of_pacing = {problem.code for problem in problems} == {FULL}
    return one_press(place, period) if is_of_pacing else ""


def _offered(place: Place, period: Period) -> str:
    return f"{place}, {words.span(period, place.space.zone)}"


def _refused(
    request: AuthenticatedRequest,
    setup: Setup,
    booking: Booking,
    form: EditForm,
    refusal: Refusal,
) -> HttpResponse:
    """Say why not. Everything typed stays; what the form knows of the booking is fresh."""
    if request.htmx:
        period = form.asked[1] if form.asked else booking.period
        return timeline_after(
            request, setup, period, now=timezone.now(), refused=booking, refusal=refusal
        )
    form.data = {**form.data, "seen": _last(booking)}
    return _page(request, setup, booking, form, refusal=refusal, status=refusal.status)


def _page(
    request: AuthenticatedRequest,
    setup: Setup,
    booking: Booking,
    form: EditForm,
    *,
    refusal: Refusal | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    now = timezone.now()
    day = setup.venue((), now).day_of(booking.starts_at)
    context: dict[str, Any] = {
        "space": setup.space,
        "zone": setup.space.zone,
        "now": now,
        "booking": booking,
        "who": who(booking),
        "form": form,
        "refusal": refusal,
        "why_not": _why_unchangeable(booking, request, setup, now),
        "events": happened.to_staff(booking, now=now),
        "day": day,
        "back": request.POST.get("back", request.GET.get("back", "")),
    }
    return render(request, "staff/booking.html", context, status=status)


def _why_unchangeable(
    booking: Booking, request: AuthenticatedRequest, setup: Setup, now: datetime
) -> str:
    try:
        services.require_changeable(booking, by=request.user, now=now, setup=setup)
    except BookingError as error:
        return str(error)
    return ""
