"""The form for setting a venue up, on one page."""

import re
from collections.abc import Iterator
from datetime import time
from typing import Any
from uuid import uuid4

from babel import Locale
from babel.core import get_global
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from accounts import time_zones
from accounts.letters import validate_visible
from spaces.clocks import ClockField, ClockInput, ClosingField
from spaces.forms import MOST_AT_ONCE
from spaces.founding import Plan, Some, Stretch, country_of
from spaces.models import OpeningHours, Place, Space
from spaces.validators import NO_COUNTRIES, validate_quarter_hour, validate_time_zone

MOST_INVITED = 50
MOST_PEOPLE = 1_000

#: “10 × 2”: so many places for so many people each. Cyrillic х looks the same and is as near.
SOME = re.compile(r"([0-9]{1,4})(?: *[×xXхХ*] *([0-9]{1,4}))?")

#: What the first day's hours are before anybody types others.
USUAL = {"opens": "9:00", "closes": "18:00"}

PLACES = {"desks": Place.Kind.DESK, "rooms": Place.Kind.ROOM, "tables": Place.Kind.TABLE}


class ZoneSelect(forms.Select):
    """The zones, each with its country for a script that follows the one into the other."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        if country := country_of(str(value)):
            option["attrs"]["data-country"] = country
        return option


def countries() -> list[tuple[str, str]]:
    """Return all countries by name, in the reader's language."""
    names = Locale.parse(get_language() or "en", sep="-").territories
    codes = [code for code in get_global("territory_zones") if code not in NO_COUNTRIES]
    found = sorted((str(names.get(code, code)), code) for code in codes)
    return [("", "—"), *((code, name) for name, code in found)]


def _zones() -> list[Any]:
    return [("", "—"), ("UTC", "UTC"), *time_zones.by_region()]


class CountField(forms.CharField):
    """How many places, and for how many people: «60», «10 × 2, 6 × 4»."""

    def __init__(self, *, capacity: int | None, **kwargs: Any) -> None:
        attrs = {"autocomplete": "off", "placeholder": kwargs.pop("placeholder")}
        super().__init__(
            required=False, max_length=200, widget=forms.TextInput(attrs=attrs), **kwargs
        )
        self.capacity = capacity

    def clean(self, value: Any) -> list[tuple[int, int]]:
        text = super().clean(value)
        return [self._read(part.strip()) for part in re.split("[,;]", text) if part.strip()]

    def _read(self, part: str) -> tuple[int, int]:
        found = SOME.fullmatch(part)
        if found is None or (found[2] is None and self.capacity is None):
            raise ValidationError(
                _("“%(part)s”: write how many and for how many people, such as 10 × 2.")
                % {"part": part}
            )
        count, capacity = int(found[1]), int(found[2] or self.capacity or 0)
        if not (1 <= count <= MOST_AT_ONCE and 1 <= capacity <= MOST_PEOPLE):
            raise ValidationError(
                _("“%(part)s”: from 1 to %(n)d places, for 1 to %(people)d people each.")
                % {"part": part, "n": MOST_AT_ONCE, "people": MOST_PEOPLE}
            )
        return count, capacity


class AddressesField(forms.CharField):
    """E-mail addresses, one a line or with commas between."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"rows": 2, "autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
        super().__init__(
            required=False, max_length=10_000, widget=forms.Textarea(attrs=attrs), **kwargs
        )

    def clean(self, value: Any) -> list[str]:
        found = dict.fromkeys(re.split(r"[\s,;]+", super().clean(value)))
        emails = [email for email in found if email]
        for email in emails:
            try:
                validate_email(email)
            except ValidationError as error:
                words = _("“%(email)s” is not an e-mail address.") % {"email": email}
                raise ValidationError(words) from error
            if len(email) > 254:
                raise ValidationError(_("“%(email)s” is too long.") % {"email": email})
        if len(emails) > MOST_INVITED:
            raise ValidationError(_("At most %(n)d at a time.") % {"n": MOST_INVITED})
        return emails


class FoundingForm(forms.Form):
    """What `founding.found` needs. A day without hours of its own has those of every day."""

    name = forms.CharField(
        label=gettext_lazy("Name of the venue"),
        max_length=100,
        validators=[validate_visible],
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )
    kind = forms.ChoiceField(
        label=gettext_lazy("What it is"),
        choices=Space.Kind.choices,
        initial=Space.Kind.COWORKING,
        widget=forms.RadioSelect,
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "street-address"}),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        choices=_zones,
        widget=ZoneSelect(attrs={"data-guess": "zone"}),
        help_text=gettext_lazy("All times of the venue are in it."),
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Country"),
        required=False,
        choices=countries,
        help_text=gettext_lazy("For phone numbers and holidays. Empty: as the time zone says."),
    )
    opens = ClockField(label=gettext_lazy("Open from"), initial=USUAL["opens"])
    closes = ClosingField(label=pgettext_lazy("opening hours", "to"), initial=USUAL["closes"])
    opens_again = ClockField(
        label=gettext_lazy("and again from"),
        required=False,
        widget=ClockInput(attrs={"placeholder": "19:00"}),
    )
    closes_again = ClosingField(
        label=pgettext_lazy("opening hours", "to"),
        required=False,
        widget=ClockInput(attrs={"placeholder": "23:00"}),
    )
    desks = CountField(label=gettext_lazy("Desks"), capacity=1, placeholder="60")
    rooms = CountField(label=gettext_lazy("Rooms"), capacity=None, placeholder="2 × 6, 1 × 12")
    tables = CountField(
        label=gettext_lazy("Tables"), capacity=None, placeholder="10 × 2, 6 × 4, 4 × 6"
    )
    hosts = AddressesField(
        label=gettext_lazy("Hosts, by e-mail"), help_text=gettext_lazy("They run the day.")
    )
    managers = AddressesField(
        label=gettext_lazy("Managers, by e-mail"),
        help_text=gettext_lazy("They run the day and set the venue up."),
    )
    request_key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday, name in OpeningHours.Weekday.choices:
            self.fields[f"closed_{weekday}"] = forms.BooleanField(label=_("closed"), required=False)
            for again in ("", "_again"):
                self.fields[f"opens{again}_{weekday}"] = ClockField(label=name, required=False)
                self.fields[f"closes{again}_{weekday}"] = ClosingField(label=name, required=False)
        for field, label in self._labels():
            self.fields[field].widget.attrs |= {"aria-label": label, "placeholder": ""}

    def _labels(self) -> Iterator[tuple[str, str]]:
        """Name each time of the table for who doesn't see it."""
        for weekday, day in OpeningHours.Weekday.choices:
            named = {"day": day}
            yield f"closed_{weekday}", _("%(day)s: closed") % named
            yield f"opens_{weekday}", _("%(day)s: open from") % named
            yield f"closes_{weekday}", _("%(day)s: open to") % named
            yield f"opens_again_{weekday}", _("%(day)s: again from") % named
            yield f"closes_again_{weekday}", _("%(day)s: again to") % named

    @property
    def days(self) -> list[dict[str, Any]]:
        """The rows of the table of days that differ."""
        names = ("closed", "opens", "closes", "opens_again", "closes_again")
        return [
            {"name": day, **{name: self[f"{name}_{weekday}"] for name in names}}
            for weekday, day in OpeningHours.Weekday.choices
        ]

    @property
    def differs(self) -> bool:
        """Tell whether some day has hours of its own, or something wrong."""
        return any(
            bound.errors or (self.is_bound and bound.data)
            for day in self.days
            for bound in day.values()
            if isinstance(bound, forms.BoundField)
        )

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        validate_time_zone(zone)
        return zone

    def clean(self) -> None:
        cleaned = self.cleaned_data
        every = self._stretches("")
        self.hours: list[Stretch] = []
        for weekday in OpeningHours.Weekday:
            if not cleaned.get(f"closed_{weekday}"):
                mine = self._stretches(f"_{weekday}") or every
                self.hours += [Stretch(weekday, *times) for times in mine]
        if not self.errors and not self.hours:
            self.add_error("opens", _("It would never be open."))
        asked = [cleaned.get(name) for name in PLACES]
        if not any(asked) and not set(PLACES) & set(self.errors):
            name = "tables" if cleaned.get("kind") == Space.Kind.RESTAURANT else "desks"
            self.add_error(name, _("Say how many desks, rooms or tables there are."))
        total = sum(count for some in asked for count, _capacity in some or ())
        if total > MOST_AT_ONCE:
            words = ngettext(
                "At most %(n)d place at once.", "At most %(n)d places at once.", MOST_AT_ONCE
            )
            self.add_error("desks", words % {"n": MOST_AT_ONCE})

    def _stretches(self, suffix: str) -> list[tuple[time, time]]:
        """Return the one or two stretches of a day, or of every day, and say what is wrong."""
        found = []
        for again in ("", "_again"):
            opens, closes = (f"{name}{again}{suffix}" for name in ("opens", "closes"))
            if {opens, closes} & set(self.errors):
                continue
            times = self.cleaned_data.get(opens), self.cleaned_data.get(closes)
            if (times[0] is None) != (times[1] is None):
                missing = opens if times[0] is None else closes
                self.add_error(missing, _("Say from when to when."))
            elif times[0] is not None and times[1] is not None:
                for name, at in ((opens, times[0]), (closes, times[1])):
                    try:
                        validate_quarter_hour(at)
                    except ValidationError as error:
                        self.add_error(name, error)
                found.append((times[0], times[1]))
        if len(found) == 2 and not found[0][0] < found[0][1] <= found[1][0]:
            self.add_error(f"opens_again{suffix}", _("It begins before the first has ended."))
        return found

    def plan(self) -> Plan:
        cleaned = self.cleaned_data
        kinds = list(PLACES.items())
        if cleaned["kind"] == Space.Kind.RESTAURANT:
            kinds.reverse()  # its tables have the first numbers
        return Plan(
            key=cleaned["request_key"],
            name=cleaned["name"],
            kind=cleaned["kind"],
            time_zone=cleaned["time_zone"],
            country=cleaned["country"] or country_of(cleaned["time_zone"]),
            address=cleaned["address"],
            hours=self.hours,
            places=[Some(kind, *some) for name, kind in kinds for some in cleaned[name]],
            hosts=cleaned["hosts"],
            managers=cleaned["managers"],
        )
