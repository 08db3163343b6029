"""The forms for shifts, turn times and combinations of tables."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.numbers import WholeNumberField
from bookings.staff.rule_form import LengthField
from bookings.words.seating_in_words import people
from spaces.forms import ShiftForm as AdminShiftForm
from spaces.models import Place, Shift, Space, TurnTime

#: Empty lines for more turn times, and how many there can be at all.
FRESH_LINES, MOST_LINES = 3, 12
#: A combination is of at least so many places.
FEWEST_PARTS = 2


class ShiftForm(AdminShiftForm):
    """A shift of one space; its name is once there."""

    class Meta(AdminShiftForm.Meta):
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, data: Any = None, *, space: Space, instance: Shift | None = None) -> None:
        self.space = space
        super().__init__(data, instance=instance or Shift(space_id=space.pk))

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = Shift.objects.filter(space=self.space.pk, name=name).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError(_("This space has a shift of that name."))
        return name


class TurnsForm(forms.Form):
    """All turn times of a space, line by line; an empty line is none."""

    def __init__(self, data: Any = None, *, turns: list[TurnTime]) -> None:
        super().__init__(data)
        self.count = min(len(turns) + FRESH_LINES, max(MOST_LINES, len(turns)))
        for n in range(self.count):
            known = turns[n] if n < len(turns) else None
            party = WholeNumberField(
                label=gettext_lazy("People, from"),
                required=False,
                min_value=1,
                max_value=1_000,
                initial=known and known.from_party,
            )
            minutes = LengthField("minutes", gettext_lazy("Their time"), model=TurnTime)
            minutes.initial = known and known.minutes
            self.fields[f"from_{n}"], self.fields[f"length_{n}"] = party, minutes

    @property
    def lines(self) -> Iterator[tuple[BoundField, BoundField]]:
        for n in range(self.count):
            yield self[f"from_{n}"], self[f"length_{n}"]

    def clean(self) -> None:
        seen: set[int] = set()
        for n in range(self.count):
            names = (f"from_{n}", f"length_{n}")
            if any(name in self.errors for name in names):
                continue
            party, minutes = (self.cleaned_data.get(name) for name in names)
            if party is None and minutes is None:
                continue
            if party is None or minutes is None:
                missing = names[0] if party is None else names[1]
                self.add_error(missing, _("Fill in both, or leave both empty."))
            elif party in seen:
                self.add_error(names[0], _("There is a line for this many people already."))
            elif minutes % 15:
                self.add_error(names[1], _("A turn is a multiple of 15 minutes."))
            else:
                seen.add(party)

    @property
    def minutes_from(self) -> dict[int, int]:
        """Return minutes by the smallest party that has them."""
        found = {}
        for n in range(self.count):
            party, minutes = (self.cleaned_data[f"{name}_{n}"] for name in ("from", "length"))
            if party is not None:
                found[party] = minutes
        return found


class PartsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic for mypy alone
    """Places to tick, each with how many people it has room for."""

    widget = forms.CheckboxSelectMultiple

    def label_from_instance(self, obj: Place) -> str:
        return f"{obj} · {people(obj.capacity)}"


class CombinationForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for mypy alone
    """Places that are booked together, and for how many people."""

    parts = PartsField(
        label=gettext_lazy("Made of"),
        queryset=Place.objects.none(),
        to_field_name="code",
        help_text=gettext_lazy("All of them are taken when the combination is booked."),
    )
    min_party = WholeNumberField(
        label=gettext_lazy("For at least"),
        required=False,
        min_value=1,
        max_value=1_000,
        help_text=gettext_lazy("Empty: one person. The staff may seat fewer."),
    )
    capacity = WholeNumberField(
        label=gettext_lazy("For at most"),
        required=False,
        min_value=1,
        max_value=1_000,
        help_text=gettext_lazy("Empty: as many as its places have together."),
    )
    priority = WholeNumberField(
        label=gettext_lazy("Priority"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=gettext_lazy(
            "Of the combinations that suit a party, the highest is tried first."
        ),
    )

    class Meta:
        model = Place
        fields = ("parts", "name", "min_party", "capacity", "priority", "is_bookable")
        labels = {"is_bookable": gettext_lazy("Offered")}
        help_texts = {"name": gettext_lazy("Empty: the numbers of its places.")}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(
        self, data: Any = None, *, space: Space, instance: Place, initial: Any = None
    ) -> None:
        super().__init__(data, instance=instance, initial=initial)
        whole = instance.pk
        if instance._state.adding:  # empty: what its places have, not what a place has at first
            self.initial.update(dict.fromkeys(("min_party", "capacity", "priority")))
        can_be = Q(parts=None) | Q(wholes=whole) if whole else Q(parts=None)
        chosen: Any = self.fields["parts"]
        found = Place.objects.filter(can_be, space=space.pk).exclude(pk=whole)
        chosen.queryset = found.distinct().by_number()

    def clean_min_party(self) -> int:
        return self.cleaned_data["min_party"] or 1

    def clean_priority(self) -> int:
        return self.cleaned_data["priority"] or 0

    def clean_parts(self) -> list[Place]:
        parts = list(self.cleaned_data["parts"])
        if len(parts) < FEWEST_PARTS:
            raise ValidationError(_("A combination is made of at least two places."))
        if len({part.kind for part in parts}) > 1:
            raise ValidationError(_("Choose places of one kind."))
        return parts

    def clean(self) -> dict[str, Any]:
        """Fill in what was left empty from the parts."""
        cleaned = self.cleaned_data
        if parts := cleaned.get("parts"):
            if "capacity" in cleaned:
                cleaned["capacity"] = cleaned["capacity"] or min(
                    sum(part.capacity for part in parts), 1_000
                )
            if not cleaned.get("name") and "name" in cleaned:
                cleaned["name"] = name_of(parts)
            self._take_after(parts)
        return cleaned

    def _take_after(self, parts: list[Place]) -> None:
        """Give the whole what is the same for all of its parts."""
        whole, (first, *others) = self.instance, parts
        whole.kind = first.kind
        if whole._state.adding:
            whole.area = first.area if all(part.area == first.area for part in others) else ""
            whole.features = [
                name for name in first.features if all(name in part.features for part in others)
            ]


def name_of(parts: list[Place]) -> str:
    """Name a combination after its parts: «Table 1 + 2», «Window + Corner»."""
    if any(part.name for part in parts):
        text = " + ".join(map(str, parts))
    else:
        text = f"{parts[0]} + {' + '.join(str(part.number) for part in parts[1:])}"
    most = Place._meta.get_field("name").max_length or 0
    return text if len(text) <= most else f"{text[: most - 1]}…"
