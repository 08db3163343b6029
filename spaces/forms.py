"""Forms for a space's set-up, in the admin."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import time_zones
from accounts.forms import LoginField
from accounts.letters import validate_visible
from accounts.models import StaffRole, User
from accounts.numbers import WholeNumberField
from spaces.clocks import ClockField
from spaces.features import Feature
from spaces.models import OpeningHours, Place, Shift, Space
from spaces.services import NUMBER, PartsError, check_parts
from spaces.validators import RESERVED_SLUGS

MOST_AT_ONCE = 500
#: Fields of a place that mean their default when left empty.
SEATING = {"min_party", "priority"}


class FeaturesField(forms.MultipleChoiceField):
    """A list of features as checkboxes."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=Feature.choices, required=False, label=_("Features"), **kwargs)


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic for mypy alone
    """A person, by exact login: nobody is listed."""

    widget = forms.TextInput
    default_error_messages = {"invalid_choice": _("Nobody has this login.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=User.objects.all(), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value.username if isinstance(value, User) else value

    def to_python(self, value: Any) -> User | None:
        if not value:
            return None
        login = LoginField(max_length=User._meta.get_field("username").max_length).clean(value)
        try:
            return User.objects.get_by_natural_key(login)
        except User.DoesNotExist:
            raise ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice"
            ) from None


class SpaceForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    time_zone = forms.ChoiceField(
        label=_("Time zone"), choices=lambda: [("UTC", "UTC"), *time_zones.by_region()]
    )

    class Meta:
        model = Space
        fields = (
            *("name", "slug", "kind", "time_zone", "country", "address", "phone", "email", "about"),
            *("reminder_hours", "guests_may_book", "guest_retention_days"),
            *("hold_minutes", "is_active"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields.get("time_zone")
        now = self.instance.time_zone
        if field and not field.valid_value(now):  # an old zone name, set by a program
            field.choices = [(now, now), *field.choices]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if slug in RESERVED_SLUGS and slug != self.initial.get("slug"):
            raise ValidationError(_("This address is one of the site’s own. Choose another."))
        return slug


class StaffRoleForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    user = PersonField(label=_("Login"))

    class Meta:
        model = StaffRole
        fields = ("user", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["user"] = self.instance.user
            self.fields["user"].disabled = True


class PlaceForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    features = FeaturesField()

    class Meta:
        model = Place
        fields = (
            *("space", "number", "name", "kind", "capacity", "min_party", "priority", "area"),
            *("features", "is_bookable", "parts"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "space" in self.fields:
            self.fields["space"].disabled = True  # bookings and parts stay where they are
        if "parts" in self.fields:
            others = Place.objects.filter(space=self.instance.space_id).exclude(pk=self.instance.pk)
            parts: Any = self.fields["parts"]
            parts.queryset = others.by_number()
            parts.widget.can_add_related = False
        for name in SEATING & self.fields.keys():
            self.fields[name].required = False

    def clean_min_party(self) -> int:
        return self.cleaned_data["min_party"] or 1

    def clean_priority(self) -> int:
        return self.cleaned_data["priority"] or 0

    def clean_parts(self) -> list[Place]:
        """Refuse what `services.set_parts` would; the lock keeps that true until the save."""
        parts = list(self.cleaned_data["parts"])
        try:
            check_parts(self.instance, parts)
        except PartsError as error:
            raise ValidationError(str(error)) from error
        return parts


class WeekdaysField(forms.MultipleChoiceField):
    """Weekdays as checkboxes; their digits in one text, as `Shift` stores them."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, **kwargs: Any) -> None:
        days = [(str(day.value), day.label) for day in OpeningHours.Weekday]
        super().__init__(choices=days, label=_("Weekdays"), **kwargs)

    def prepare_value(self, value: Any) -> list[str]:
        return list(value or ())

    def clean(self, value: Any) -> Any:
        return "".join(sorted(super().clean(value)))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(list(initial or ()), data)


class ShiftForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    weekdays = WeekdaysField()

    class Meta:
        model = Shift
        fields = (
            *("name", "weekdays", "first_seating", "last_seating"),
            *("covers_online", "covers_in_house"),
        )
        field_classes = {
            "first_seating": ClockField,
            "last_seating": ClockField,
            "covers_online": WholeNumberField,
            "covers_in_house": WholeNumberField,
        }


class GeneratePlacesForm(forms.Form):
    kind = forms.ChoiceField(label=_("Kind"), choices=Place.Kind.choices)
    first_number = WholeNumberField(label=_("From number"), min_value=1, max_value=999_000)
    count = WholeNumberField(label=_("How many"), min_value=1, max_value=MOST_AT_ONCE, initial=10)
    capacity = WholeNumberField(label=_("People at each"), min_value=1, max_value=1000, initial=1)
    features = FeaturesField()
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=Place._meta.get_field("name").max_length,
        validators=[validate_visible],
        help_text=_("Such as “Window {number}”. Empty: the kind and the number."),
    )

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name and NUMBER not in name:
            raise ValidationError(_("Put {number} where the number belongs."))
        return name
