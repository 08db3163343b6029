"""Whole numbers as people write them: digits 0 to 9, perhaps after a minus.

Python's own `int` accepts more than anybody means to write: `1_0`, `+5`, digits in other scripts,
surrounding blanks. See also `bookings.words.local_time`, for dates and times.
"""

import re
from argparse import ArgumentTypeError
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

WHOLE = re.compile("-?[0-9]{1,100}")
NOT_WHOLE = _("Write a whole number in digits, such as 4.")


def read_whole(text: str) -> int:
    """Parse a whole number. Raises ValueError."""
    if not WHOLE.fullmatch(text):
        raise ValueError(str(NOT_WHOLE))
    return int(text)


def whole_number(text: str) -> int:
    """Read a whole number of a command line. Raises ArgumentTypeError."""
    try:
        return read_whole(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def seconds(text: str) -> float:
    """Read seconds of a command line, perhaps not whole. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9]{1,9}([.][0-9]{1,9})?", text):
        raise ArgumentTypeError(f"{text!r} is not a number of seconds such as 5 or 0.5")
    return float(text)


def read_page(text: str | None) -> int:
    """Return the page number in a list's URL; the first if there is none."""
    return int(text) if text and WHOLE.fullmatch(text) else 1


class WholeNumberField(forms.IntegerField):
    default_error_messages = {"invalid": NOT_WHOLE}

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str) and value not in self.empty_values:
            try:
                return read_whole(value)
            except ValueError as error:
                raise forms.ValidationError(self.error_messages["invalid"], "invalid") from error
        number: int | None = super().to_python(value)
        return number
