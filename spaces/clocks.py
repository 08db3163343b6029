"""Times of day in forms: parsed as people write them, and shown again when invalid."""

import re
from datetime import time
from typing import Any

from django import forms
from django.forms.widgets import DateTimeBaseInput
from django.utils.translation import gettext_lazy as _

CLOCK = re.compile("([0-9]{1,2}):([0-9]{2})(:00)?")
IN_SHORT = re.compile("([0-9]{1,2})(?:[.]([0-9]{2}))?")


def in_full(text: str) -> str:
    """Write a time that somebody typed in short, `8` or `19.30`, as a clock shows it."""
    found = IN_SHORT.fullmatch(text)
    return f"{found[1]}:{found[2] or '00'}" if found else text


class DayInput(DateTimeBaseInput):
    """A day, with a picker. A value it can't show, and would drop, goes in a text field."""

    input_type = "date"
    format_key = "DATE_INPUT_FORMATS"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        shown = context["widget"]["value"]
        if shown and not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", shown):
            context["widget"]["type"] = "text"
        return context


class ClockInput(DateTimeBaseInput):
    """A time of day, as text: browsers' own controls have AM and PM wherever those are usual.

    In the hour that an autumn night repeats, the text includes its offset.
    """

    input_type = "text"
    format_key = "TIME_INPUT_FORMATS"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        usual = {"class": "clock", "size": 6, "placeholder": "13:00", "autocomplete": "off"}
        super().__init__({**usual, **(attrs or {})}, format="%H:%M")


class ClockField(forms.TimeField):
    """A time of day in digits: `9:00`, `13.30`, `8`. Django would take digits of any script."""

    widget = ClockInput
    default_error_messages = {"invalid": _("This is not a time: write it like 13:00.")}

    def to_python(self, value: Any) -> time | None:
        if not isinstance(value, str) or value in self.empty_values:
            return super().to_python(value)
        found = CLOCK.fullmatch(in_full(value))
        try:
            if found is None:
                raise ValueError
            return self.read(int(found[1]), int(found[2]))
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["invalid"], "invalid") from error

    def read(self, hour: int, minute: int) -> time:
        return time(hour, minute)


class ClosingField(ClockField):
    """A time at which something ends: 24:00 is the end of the day."""

    def read(self, hour: int, minute: int) -> time:
        return time.min if (hour, minute) == (24, 0) else super().read(hour, minute)
