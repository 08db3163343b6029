"""What the staff type about a booking, parsed into values."""

from collections.abc import Mapping
from datetime import date
from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.letters import validate_visible
from accounts.numbers import WholeNumberField
from bookings.finding.searching import is_backwards
from bookings.forms import MOST_PEOPLE
from bookings.models import Booking
from bookings.words.local_time import (
    LocalTimeError,
    read_day,
    read_end,
    read_instant,
    write_clock,
    write_instant,
)
from spaces.clocks import ClockInput, DayInput, in_full
from spaces.models import Place
from spaces.setups import Setup
from spaces.slots import Period

#: What separates a place and two times in the value of an alternative's button.
SEPARATOR = "|"


class ContactForm(forms.Form):
    """How to reach a guest: both are kept in one field of the booking."""

    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=100,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    @property
    def contact(self) -> str:
        """Return what was typed, as the booking keeps it."""
        return ", ".join(filter(None, [self.cleaned_data["phone"], self.cleaned_data["email"]]))


class EditForm(ContactForm):
    """Everything about a booking that can change. Times are the space's local times.

    An end not later than the start is on the next day. What is posted as `instead`, by an
    alternative's button, or as `anyway`, by that which insists, counts more than what stands in the
    fields for place and time.
    """

    place = forms.TypedChoiceField(label=gettext_lazy("Place"), coerce=UUID)
    day = forms.CharField(label=gettext_lazy("Day"), strip=False, max_length=40, widget=DayInput)
    starts = forms.CharField(
        label=gettext_lazy("From"), strip=False, max_length=20, widget=ClockInput
    )
    ends = forms.CharField(label=gettext_lazy("To"), strip=False, max_length=20, widget=ClockInput)
    party_size = WholeNumberField(label=gettext_lazy("People"), min_value=1, max_value=MOST_PEOPLE)
    guest_name = forms.CharField(
        validators=[validate_visible], label=gettext_lazy("Guest"), max_length=150
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    seen = WholeNumberField(required=False, min_value=1, max_value=10**9, widget=forms.HiddenInput)

    field_order = ("place", "day", "starts", "ends", "party_size", "guest_name")

    #: Fields about the guest, which bookings of members don't have.
    OF_GUEST = ("guest_name", "phone", "email")

    def __init__(self, data: Any, *, setup: Setup, booking: Booking, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.setup, self.booking = setup, booking
        if booking.member is not None:
            for name in self.OF_GUEST:
                del self.fields[name]
        choices = place_choices(setup, also=booking.place)
        self.fields["place"].choices = choices  # type: ignore[attr-defined]  # a choice field

    def clean_day(self) -> date:
        try:
            return read_day(self.cleaned_data["day"])
        except LocalTimeError as error:
            raise forms.ValidationError(str(error)) from error

    def clean_starts(self) -> str:
        return in_full(self.cleaned_data["starts"])

    def clean_ends(self) -> str:
        return in_full(self.cleaned_data["ends"])

    def clean(self) -> None:
        cleaned = self.cleaned_data
        if {"day", "starts", "ends"} <= cleaned.keys():
            self._clean_period(cleaned["day"])

    def _clean_period(self, day: date) -> None:
        """Read both times; each error goes to its own field."""
        zone = self.setup.space.zone
        name = "starts"
        try:
            starts_at = read_instant(f"{day}T{self.cleaned_data[name]}", zone)
            name = "ends"
            ends_at = read_end(starts_at, self.cleaned_data[name], zone)
        except LocalTimeError as error:
            self.add_error(name, str(error))
            return
        period = Period(starts_at, ends_at)
        if self._is_backwards(day, period):
            self.add_error("ends", _("The end is before the start."))
        self.cleaned_data["period"] = period

    def _is_backwards(self, day: date, period: Period) -> bool:
        zone = self.setup.space.zone
        if period == self.booking.period or period.ends_at.astimezone(zone).date() == day:
            return False
        venue = self.setup.venue((), period.starts_at)
        return is_backwards(venue, day, period, self.cleaned_data["ends"])

    @property
    def asked(self) -> tuple[Place, Period] | None:
        """The place and time that were asked for, if they can be read."""
        place = self.setup.place(self.cleaned_data.get("place") or 0)
        period = self.cleaned_data.get("period")
        return (place, period) if place is not None and period is not None else None


def place_choices(setup: Setup, *, also: Place | None = None) -> list[tuple[str, Any]]:
    """Return the places that can be booked, by kind where there are several; `also` one more."""
    places = [place for place in setup.places if place.is_bookable or place == also]
    places.sort(key=lambda place: (place.kind, place.number))
    groups = [
        (str(Place.Kind(kind).label), [(str(place.code), str(place)) for place in group])
        for kind, group in groupby(places, key=lambda place: place.kind)
    ]
    if len(groups) == 1:
        return list(groups[0][1])
    return list(groups)


def as_it_is(booking: Booking, contact: tuple[str, str], seen: int) -> dict[str, Any]:
    """Return what the form's fields show of a booking."""
    phone, email = contact
    return {
        "place": str(booking.place.code),
        **times(booking.period, booking),
        "party_size": booking.party_size,
        "guest_name": booking.guest_name,
        "phone": phone,
        "email": email,
        "note": booking.note,
        "seen": seen,
    }


def times(period: Period, booking: Booking) -> dict[str, str]:
    """Return a period as the form's three fields write it."""
    zone = booking.place.space.zone
    return {
        "day": str(period.starts_at.astimezone(zone).date()),
        "starts": write_clock(period.starts_at, zone),
        "ends": write_clock(period.ends_at, zone),
    }


def one_press(place: Place, period: Period) -> str:
    """Return the value of the button for an alternative."""
    zone = place.space.zone
    ends = (write_instant(at, zone) for at in (period.starts_at, period.ends_at))
    return SEPARATOR.join([str(place.code), *ends])


def read_press(posted: Mapping[str, str]) -> list[str]:
    """Return the place and the times of a pressed button's value; empty if none was."""
    parts = (posted.get("instead") or posted.get("anyway", "")).split(SEPARATOR)
    return parts if len(parts) == len(("place", "starts_at", "ends_at")) else []


def complete(
    posted: Mapping[str, str], known: Mapping[str, Any], booking: Booking
) -> dict[str, Any]:
    """Return what the form works on: what was posted, and the present values of the rest.

    A block that was dragged on the timeline posts a place and two instants, nothing else.
    """
    found = {**known, "seen": ""} | {name: posted[name] for name in posted}
    if pressed := read_press(posted):
        found |= dict(zip(("place", "starts_at", "ends_at"), pressed, strict=True))
    if "starts_at" in found and "ends_at" in found:
        found |= _from_instants(found["starts_at"], found["ends_at"], booking)
    return found


def _from_instants(starts_at: str, ends_at: str, booking: Booking) -> dict[str, str]:
    """Return two instants as the form's three fields; unreadable ones stay, for it to complain."""
    zone = booking.place.space.zone
    try:
        period = Period(read_instant(starts_at, zone), read_instant(ends_at, zone))
    except LocalTimeError:
        day, _t, start = starts_at.partition("T")
        return {"day": day, "starts": start, "ends": ends_at.partition("T")[2]}
    return times(period, booking)
