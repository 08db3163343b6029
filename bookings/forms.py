"""What people and scripts submit, parsed into values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.utils import flatatt
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.letters import validate_visible
from accounts.models import LANGUAGES
from accounts.numbers import WholeNumberField
from bookings.deciding import choosing, lengths
from bookings.states import MET
from bookings.words.local_time import LocalTimeError, read_end, read_instant
from spaces import setups
from spaces.clocks import DayInput
from spaces.features import NAMES, Feature
from spaces.models import Place, Space
from spaces.setups import Setup
from spaces.slots import Period
from spaces.validators import validate_phone

MOST_PEOPLE = 1000


class Written:
    """Writes an `<input>` itself: Django renders two templates for each, ten times as slow."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        widget = self.get_context(name, value, attrs)["widget"]  # type: ignore[attr-defined]  # of the widget it is mixed into
        shown = {"type": widget["type"], "name": name, "value": widget["value"]}
        return format_html("<input{}>", flatatt({**shown, **widget["attrs"]}))


class WrittenDay(Written, DayInput):
    pass


class WrittenNumber(Written, forms.NumberInput):
    pass


class WrittenSelect(forms.Select):
    """A select of plain values. Django renders each option with its own template."""

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        options = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            (
                (key, mark_safe(" selected") if key == value else "", label)
                for key, label in self.choices
            ),
        )
        return format_html('<select name="{}"{}>{}</select>', name, flatatt(attrs or {}), options)


class SearchForm(forms.Form):
    """The board's query; `bookings.finding.searching` fills in what was left out."""

    date = forms.CharField(label=_("Day"), widget=WrittenDay)
    party = WholeNumberField(
        label=_("People"),
        required=False,
        min_value=1,
        max_value=MOST_PEOPLE,
        widget=WrittenNumber,
    )
    feature = forms.MultipleChoiceField(
        label=_("Features"),
        required=False,
        choices=Feature.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    sort = forms.ChoiceField(
        label=_("Sort"),
        required=False,
        choices=[("fit", _("best fit")), ("number", pgettext_lazy("sorted by", "number"))],
        widget=WrittenSelect,
    )
    place = forms.UUIDField(required=False, widget=forms.HiddenInput)

    area = forms.ChoiceField(label=_("Area"), required=False, widget=WrittenSelect)
    kind = forms.ChoiceField(
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": _("There is nothing of that kind here.")},
    )

    def __init__(
        self,
        data: Any,
        *,
        times: dict[str, list[tuple[str, str]]],
        areas: Sequence[str] = (),
        kinds: Sequence[str] = (),
    ) -> None:
        super().__init__(data)
        offered = [("", _("anywhere")), *((area, area) for area in areas)]
        self.fields["area"].choices = offered  # type: ignore[attr-defined]  # a choice field
        of_kinds = [(kind, kind) for kind in kinds]
        self.fields["kind"].choices = of_kinds  # type: ignore[attr-defined]  # a choice field
        # `from` is a Python keyword.
        for name, label in (("from", _("From")), ("to", _("To"))):
            self.fields[name] = forms.CharField(
                label=label, required=False, widget=WrittenSelect(choices=times[name])
            )


class TimesForm(forms.Form):
    """A place and local times, as the book and reschedule forms post them."""

    place = forms.UUIDField(
        label=_("Place"), error_messages={"invalid": _("This is not the code of a place.")}
    )
    starts_at = forms.CharField(label=_("From"), max_length=40, strip=False)
    ends_at = forms.CharField(label=_("To"), max_length=40, strip=False)
    party_size = WholeNumberField(
        label=_("People"), min_value=1, max_value=MOST_PEOPLE, required=False
    )

    def __init__(self, data: Any, **kwargs: Any) -> None:
        self.is_one_day = "day" in data and "starts_at" not in data
        super().__init__(_with_instants(data) if self.is_one_day else data, **kwargs)
        self.found: Place | None = None
        self.setup: Setup | None = None

    def clean_place(self) -> UUID:
        """Find the place, whatever its state: the rules decide whether it can be booked."""
        code: UUID = self.cleaned_data["place"]
        try:
            self.setup = setups.current(code)
        except Space.DoesNotExist:
            raise ValidationError(_("There is no such place."), code="no_such_place") from None
        self.found = self.setup.place(code)
        return code

    def _clean_instant(self, name: str) -> datetime | str:
        text: str = self.cleaned_data[name]
        if self.found is None:
            return text
        try:
            return read_instant(text, self.found.space.zone)
        except LocalTimeError as error:
            raise ValidationError(str(error), code="time") from error

    def clean_starts_at(self) -> datetime | str:
        return self._clean_instant("starts_at")

    def clean_ends_at(self) -> datetime | str:
        ends_at = self._clean_instant("ends_at")
        starts_at = self.cleaned_data.get("starts_at")
        if self.found is None or isinstance(ends_at, str) or not isinstance(starts_at, datetime):
            return ends_at
        space = self.found.space
        if ends_at > starts_at or not self.is_one_day or not _opens_into_the_night(space):
            return ends_at
        return read_end(starts_at, self.data["to"], space.zone)

    @property
    def day_and_times(self) -> dict[str, str]:
        """What was asked for, as the controls for a day and two times show it."""
        day, _t, start = str(self["starts_at"].value() or "").partition("T")
        end = str(self["ends_at"].value() or "").partition("T")[2]
        return {"day": day, "from": start, "to": end}

    @property
    def period(self) -> Period:
        return Period(self.cleaned_data["starts_at"], self.cleaned_data["ends_at"])


def _opens_into_the_night(space: Space) -> bool:
    """Tell whether an end before the start may mean the following night."""
    return space.opening_hours.filter(closes_at__lte=models.F("opens_at")).exists()


def _with_instants(data: Any) -> Any:
    """Put a day and two times, which people type more easily, together."""
    data = data.copy()
    for name, clock in (("starts_at", "from"), ("ends_at", "to")):
        data[name] = f"{data['day']}T{data.get(clock, '')}"
    return data


class BookForm(TimesForm):
    request_key = forms.CharField(max_length=200, required=False)
    note = forms.CharField(label=_("Note"), max_length=500, required=False)


class PartyForm(BookForm):
    """A party and a time, as the form posts them whose place the house chooses."""

    place = None  # type: ignore[assignment]  # how Django leaves out an inherited field
    space = forms.SlugField(label=_("Space"))
    ends_at = forms.CharField(label=_("To"), max_length=40, strip=False, required=False)
    features = forms.CharField(label=_("Features"), max_length=200, required=False)
    area = forms.CharField(label=_("Area"), max_length=40, required=False)

    field_order = ("space", "party_size", "starts_at", "ends_at")

    def clean_space(self) -> str:
        """Find the space, and a place in it that stands for all: the house chooses later."""
        slug: str = self.cleaned_data["space"]
        self.setup = setups.shown(slug)
        if self.setup is None or not self.setup.bookable:
            raise ValidationError(_("There is no such space."), code="no_such_space")
        kind = choosing.kind_of(self.setup)
        self.found = next(place for place in self.setup.bookable if place.kind == kind)
        return slug

    def clean_features(self) -> tuple[str, ...]:
        names = tuple(name for name in self.cleaned_data["features"].split(",") if name)
        if unknown := [name for name in names if name not in NAMES]:
            named = {"names": ", ".join(unknown)}
            raise ValidationError(_("Unknown features: %(names)s."), params=named, code="features")
        return names

    def clean_ends_at(self) -> datetime | str:
        """Leave the end to the house's turn time if nobody asked for one."""
        if self.cleaned_data["ends_at"]:
            return super().clean_ends_at()
        starts_at = self.cleaned_data.get("starts_at")
        if self.found is None or self.setup is None or not isinstance(starts_at, datetime):
            return ""
        venue = self.setup.venue((), timezone.now())
        people = self.cleaned_data.get("party_size") or 1
        self.is_by_turn = True
        return lengths.until(venue, self.found.kind, starts_at, people).ends_at

    #: Whether the end is the house's to say.
    is_by_turn = False


def book_form(data: Any) -> BookForm:
    """Return the form for one place, or for what the house chooses if only a space is named."""
    return PartyForm(data) if data.get("space") and not data.get("place") else BookForm(data)


class GuestForm(forms.Form):
    """Who books without an account, and how to reach the person."""

    name = forms.CharField(
        validators=[validate_visible],
        label=pgettext_lazy("of a person", "Name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    # Both fit into the booking's contact.
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=100,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        help_text=_("The link to your booking goes there."),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        required=False,
        validators=[validate_phone],
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "type": "tel"}),
        help_text=_("One of the two is enough."),
    )

    def clean(self) -> None:
        typed = ("email", "phone")
        if not any(self.cleaned_data.get(name) or name in self.errors for name in typed):
            self.add_error("email", _("Name an e-mail address or a phone number."))

    @property
    def contact(self) -> str:
        both = (self.cleaned_data["email"], self.cleaned_data["phone"])
        return ", ".join(filter(None, both))


class HistoryForm(forms.Form):
    """The history's filters; an unknown value filters nothing."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("all")), *((state.value, state.label) for state in MET)],
    )
    space = forms.ChoiceField(label=_("Space"), required=False)

    def __init__(self, data: Any, *, spaces: list[Space]) -> None:
        super().__init__(data)
        self._spaces = {space.slug: space for space in spaces}
        offered = [(slug, space.name) for slug, space in self._spaces.items()]
        self.fields["space"].choices = [("", _("all")), *offered]  # type: ignore[attr-defined]  # a choice field

    def chosen(self) -> dict[str, Any]:
        """Return the filters as keyword arguments for `BookingQuerySet.narrowed`."""
        self.is_valid()
        return {
            "state": self.cleaned_data.get("state") or None,
            "space": self._spaces.get(self.cleaned_data.get("space", "")),
        }


class LeaveForm(forms.Form):
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class DoorForm(forms.Form):
    """A screen at a door: what it shows, and what may be done there."""

    name = forms.CharField(
        validators=[validate_visible],
        label=pgettext_lazy("of a screen", "Name"),
        max_length=60,
        help_text=_("Where it hangs: “Room Volga”, “Second floor”."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    places = forms.MultipleChoiceField(
        label=_("Places"),
        required=False,
        help_text=_("One room, or all of a floor. None chosen: the whole space."),
    )
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    shows_names = forms.BooleanField(
        label=_("Show who has booked"),
        required=False,
        help_text=_("Everybody who passes by can read it."),
    )
    may_check_in = forms.BooleanField(label=_("Check in there"), required=False)
    may_walk_in = forms.BooleanField(
        label=_("Take a free place there for half an hour"), required=False
    )
    request_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, setup: Setup, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setup = setup
        # As whoever makes it reads: the tablet itself speaks for nobody.
        self.fields["language"].initial = get_language() or settings.LANGUAGE_CODE
        choices = [(str(place.code), str(place)) for place in setup.places]
        field = self.fields["places"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = choices
        field.widget.attrs["size"] = min(max(len(choices), 2), 8)

    def values(self) -> dict[str, Any]:
        """Return what `bookings.deciding.door_keys.make` takes."""
        data = dict(self.cleaned_data)
        data["code"] = data.pop("request_key")
        chosen = set(data["places"])
        data["places"] = [place for place in self.setup.places if str(place.code) in chosen]
        return data
