"""Booking for a member or a guest."""

from collections.abc import Sequence
from datetime import date
from http import HTTPStatus
from itertools import groupby
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.letters import validate_visible
from accounts.models import User
from accounts.numbers import WholeNumberField
from bookings.admin import wording
from bookings.admin.pages import Desk, lines, page
from bookings.deciding import services
from bookings.deciding.errors import BookingError, Refused
from bookings.deciding.rules import Problem
from bookings.deciding.wish import Wish
from bookings.finding.availability import Offer, alternatives_to
from bookings.finding.searching import is_backwards
from bookings.forms import MOST_PEOPLE
from bookings.models import Booking
from bookings.states import State
from bookings.words.local_time import LocalTimeError, read_day, read_end, read_instant, write_clock
from spaces import setups
from spaces.clocks import ClockInput, DayInput
from spaces.forms import PersonField
from spaces.models import Place, Space
from spaces.slots import Period


class BookForm(forms.Form):
    """Times are the space's local times; an end not later than the start is on the next day."""

    place = forms.ModelChoiceField(
        label=gettext_lazy("Place"), queryset=Place.objects.none(), to_field_name="code"
    )
    day = forms.CharField(label=gettext_lazy("Day"), strip=False, widget=DayInput)
    starts = forms.CharField(
        label=gettext_lazy("From"), max_length=20, strip=False, widget=ClockInput
    )
    ends = forms.CharField(label=gettext_lazy("To"), max_length=20, strip=False, widget=ClockInput)
    party_size = WholeNumberField(
        label=gettext_lazy("People"), min_value=1, max_value=MOST_PEOPLE, initial=1
    )
    member = PersonField(label=gettext_lazy("Member’s login"), required=False)
    guest_name = forms.CharField(
        label=gettext_lazy("Or a guest’s name"),
        max_length=150,
        required=False,
        validators=[validate_visible],
    )
    guest_contact = forms.CharField(
        label=gettext_lazy("Guest’s phone or e-mail"), max_length=150, required=False
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    request_key = forms.CharField(max_length=200, required=False, widget=forms.HiddenInput)

    #: What an alternative keeps of what was typed.
    KEPT = ("party_size", "member", "guest_name", "guest_contact", "note")

    def __init__(self, *args: Any, places: QuerySet[Place], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["place"]
        field.queryset = places
        by_space = groupby(places, key=lambda place: place.space)
        field.choices = [
            ("", "—"),
            *((str(space), [(p.code, str(p)) for p in group]) for space, group in by_space),
        ]

    def clean_day(self) -> date:
        try:
            return read_day(self.cleaned_data["day"])
        except LocalTimeError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> None:
        cleaned = self.cleaned_data
        if bool(cleaned.get("member")) == bool(cleaned.get("guest_name")) and not self.errors:
            self.add_error("member", _("Name either a member or a guest."))
        if {"place", "day", "starts", "ends"} <= cleaned.keys():
            self._clean_period(cleaned["day"], cleaned["place"])

    def _clean_period(self, day: date, place: Place) -> None:
        zone = place.space.zone
        name = "starts"
        try:
            starts_at = read_instant(f"{day}T{self.cleaned_data[name]}", zone)
            name = "ends"
            ends_at = read_end(starts_at, self.cleaned_data[name], zone)
        except LocalTimeError as error:
            self.add_error(name, str(error))
        else:
            period = Period(starts_at, ends_at)
            if self._is_backwards(place, day, period):
                self.add_error("ends", _("The end is before the start."))
            self.cleaned_data["period"] = period

    def _is_backwards(self, place: Place, day: date, period: Period) -> bool:
        if period.ends_at.astimezone(place.space.zone).date() == day:
            return False
        venue = setups.current(place.space_id).venue((), period.starts_at)
        return is_backwards(venue, day, period, self.data["ends"])


def book(desk: Desk, request: HttpRequest) -> HttpResponse:
    """Show the form; POST books. A form submitted twice books once: it carries a key."""
    if not desk.has_add_permission(request):
        raise PermissionDenied
    user: User = request.user  # type: ignore[assignment]  # signed in
    spaces = Space.objects.run_by(user)
    places = Place.objects.bookable().in_spaces(spaces).select_related("space")
    places = places.order_by("space__name", "space", "number")
    if request.method != "POST":
        return _form(desk, request, BookForm(initial=request.GET.dict(), places=places))
    form = BookForm(request.POST, places=places)
    if not form.is_valid():
        return _form(desk, request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    asked = form.cleaned_data
    try:
        booking = services.book(_wish(asked), by=user, now=timezone.now())
    except Refused as error:
        return _refused(desk, request, form, error.problems)
    except BookingError as error:
        return _refused(desk, request, form, [Problem(error.code, str(error))])
    if booking.state == State.REJECTED:
        return _refused(desk, request, form)
    if booking.occupies:
        messages.success(request, _("Booked: %(what)s.") % {"what": wording.described(booking)})
    return redirect("admin:bookings_booking_change", booking.pk)


def _wish(asked: dict[str, Any]) -> Wish:
    return Wish(
        place=asked["place"],
        member=asked["member"],
        starts_at=asked["period"].starts_at,
        ends_at=asked["period"].ends_at,
        party_size=asked["party_size"],
        request_key=asked["request_key"],
        note=asked["note"],
        guest_name=asked["guest_name"],
        guest_contact=asked["guest_contact"],
        channel=Booking.Channel.STAFF,
    )


def _form(
    desk: Desk, request: HttpRequest, form: BookForm, status: int = HTTPStatus.OK, **context: Any
) -> HttpResponse:
    fields = ("place", ("day", "starts", "ends"), "party_size")
    people = ("member", ("guest_name", "guest_contact"), "note")
    return page(
        desk,
        request,
        "admin/bookings/booking/book.html",
        status=status,
        title=_("Book for somebody"),
        form=form,
        adminform=lines(form, *fields, *people),
        **context,
    )


def _refused(
    desk: Desk, request: HttpRequest, form: BookForm, problems: Sequence[Problem] = ()
) -> HttpResponse:
    """Give all reasons, or say that somebody else has the place; offer alternatives."""
    place: Place = form.cleaned_data["place"]
    period: Period = form.cleaned_data["period"]
    named = {"place": str(place), "time": wording.span(period, place.space.zone)}
    headline = (
        _("%(place)s can’t be booked for %(time)s.")
        if problems
        else _("Someone has %(place)s for %(time)s.")
    )
    now = timezone.now()
    offers = alternatives_to(
        place,
        period,
        member=form.cleaned_data["member"],
        party_size=form.cleaned_data["party_size"],
        now=now,
        in_house=True,
    )
    return _form(
        desk,
        request,
        form,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.CONFLICT,
        headline=headline % named,
        problems=problems,
        offers=[(_offer_words(offer), _one_click(form, offer)) for offer in offers],
    )


def _offer_words(offer: Offer) -> str:
    return f"{offer.place}, {wording.span(offer.period, offer.place.space.zone)}"


def _one_click(form: BookForm, offer: Offer) -> dict[str, str]:
    """Return the form's fields as typed, with the place and time of an offer."""
    zone = offer.place.space.zone
    return {
        **{name: form.data.get(name, "") for name in form.KEPT},
        "place": str(offer.place.code),
        "day": str(offer.period.starts_at.astimezone(zone).date()),
        "starts": write_clock(offer.period.starts_at, zone),
        "ends": write_clock(offer.period.ends_at, zone),
    }
