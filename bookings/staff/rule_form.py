"""A rule's form: whom it binds, and every limit, in hours and days.

A new column of `Policy` belongs in one of the parts, and in `bookings.words.rules_in_words`: a test
walks all columns.
"""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.joining import Tier
from accounts.numbers import WholeNumberField
from bookings.words.rules_in_words import length, read_length
from spaces.models import Place, Policy, Shift, Space

#: The fields in the order of the page, under their headings.
PARTS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (gettext_lazy("Whom and what it is about"), ("tier", "group", "kind", "shift")),
    (
        gettext_lazy("How much"),
        ("max_minutes_per_day", "max_minutes", "min_minutes", "step_minutes", "max_upcoming"),
    ),
    (
        gettext_lazy("When"),
        ("max_days_ahead", "min_notice_minutes", "cancel_deadline_minutes", "grace_minutes"),
    ),
    (
        gettext_lazy("Coming, and not coming"),
        ("check_in_opens_minutes", "release_after_minutes", "max_no_shows", "no_show_days"),
    ),
)


class LengthField(forms.CharField):
    """A length of time with its unit: «4 h», «1 h 30 min», «2 days»."""

    def __init__(
        self, column: str, label: Any, help_text: Any = "", *, model: type[Model] = Policy
    ) -> None:
        attrs = {"autocomplete": "off", "placeholder": gettext_lazy("2 h")}
        super().__init__(
            label=label,
            required=False,
            max_length=60,
            help_text=help_text,
            widget=forms.TextInput(attrs=attrs),
        )
        self.column = model._meta.get_field(column)

    def prepare_value(self, value: Any) -> Any:
        return length(value) if isinstance(value, int) else value

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            minutes = read_length(text)
        except ValueError as error:
            raise ValidationError(_("Write it with its unit: 30 min, 4 h, 2 days.")) from error
        self.column.run_validators(minutes)  # type: ignore[union-attr]  # a column, no relation
        return minutes


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    """A policy in hours and days."""

    max_minutes = LengthField("max_minutes", gettext_lazy("Longest booking"))
    max_days_ahead = WholeNumberField(
        label=gettext_lazy("Days ahead, at most"), required=False, min_value=0, max_value=3_660
    )
    min_minutes = LengthField("min_minutes", gettext_lazy("Shortest booking"))
    step_minutes = LengthField(
        "step_minutes",
        gettext_lazy("Steps of"),
        gettext_lazy("A multiple of 15 min, counted from opening time. Empty: 1 h."),
    )
    min_notice_minutes = LengthField(
        "min_notice_minutes", gettext_lazy("Booked before it starts, at least")
    )
    cancel_deadline_minutes = LengthField(
        "cancel_deadline_minutes", gettext_lazy("Cancelled before it starts, at least")
    )
    grace_minutes = LengthField(
        "grace_minutes",
        gettext_lazy("May be undone after booking, for"),
        gettext_lazy("Whatever the deadline. 0 min: not at all. Empty: 5 min."),
    )
    max_minutes_per_day = LengthField(
        "max_minutes_per_day",
        gettext_lazy("Up to so much a day"),
        gettext_lazy("All bookings of a member on one day together."),
    )
    check_in_opens_minutes = LengthField(
        "check_in_opens_minutes",
        gettext_lazy("Check-in opens before the start"),
        gettext_lazy("Empty: 15 min, if bookings are released."),
    )
    release_after_minutes = LengthField(
        "release_after_minutes",
        gettext_lazy("Released after the start, if nobody has checked in"),
        gettext_lazy("Empty: never."),
    )
    max_no_shows = WholeNumberField(
        label=gettext_lazy("No-shows after which a member can’t book"),
        required=False,
        min_value=1,
        max_value=1_000,
    )
    no_show_days = WholeNumberField(
        label=gettext_lazy("Within so many days"), required=False, min_value=1, max_value=366
    )
    max_upcoming = WholeNumberField(
        label=gettext_lazy("Upcoming bookings of each, at most"),
        required=False,
        min_value=0,
        max_value=1_000,
    )

    class Meta:
        model = Policy
        fields = tuple(name for _legend, names in PARTS for name in names)

    def __init__(self, data: Any = None, *, space: Space, instance: Policy | None = None) -> None:
        super().__init__(data, instance=instance)
        everybody = _("Every member")
        tiers: Any = self.fields["tier"]
        tiers.queryset, tiers.empty_label = Tier.objects.filter(space=space.pk), everybody
        groups: Any = self.fields["group"]
        groups.queryset, groups.empty_label = Group.objects.order_by("name"), everybody
        shifts: Any = self.fields["shift"]
        shifts.queryset = Shift.objects.filter(space=space.pk).order_by("first_seating", "name")
        shifts.empty_label = _("At any time")
        for field in (tiers, groups, shifts):
            field.queryset = field.queryset.order_by("name")
            field.help_text = ""
        tiers.label, groups.label = _("For the tier"), _("For the group of the site")
        shifts.label = _("In the shift")
        kinds: Any = self.fields["kind"]
        kinds.choices = [("", _("Every kind of place")), *Place.Kind.choices]
        kinds.help_text = ""
        for name in ("group", "shift"):  # most spaces have neither, and a manager can't make them
            if not self.fields[name].queryset.exists():  # type: ignore[attr-defined]  # it is a choice of rows
                del self.fields[name]

    @property
    def parts(self) -> Iterator[tuple[str, list[BoundField]]]:
        for legend, names in PARTS:
            if found := [self[name] for name in names if name in self.fields]:
                yield str(legend), found
