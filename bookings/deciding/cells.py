"""Spreadsheet cells: converts dates and times as spreadsheets show them to our one format."""

import re
from enum import StrEnum

from django.utils.translation import gettext as _

from bookings.words.local_time import LocalTimeError


class DateOrder(StrEnum):
    """Which part comes first in a date like 1/12/2026; nobody can tell by looking."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


MOMENT = re.compile(
    r"(?P<first>[0-9]{1,4})(?P<mark>[-./])(?P<second>[0-9]{1,2})(?P=mark)(?P<third>[0-9]{1,4})"
    r"(?:(?:T|,? +)(?P<clock>[0-9]{1,2}:[0-9]{2}(?::(?P<seconds>[0-9]{2})(?:[.,]0+)?)?)"
    r" ?(?P<rest>.*))?"
)
#: A date and time as a spreadsheet stores it, in days since 1900.
SERIAL = re.compile(r"[0-9]{5}([.,][0-9]+)?")
HALF_OF_DAY = re.compile(r" ?[AaPp]\.?[Mm]\.?")


def read_moment(text: str, *, order: DateOrder | None = None) -> str:
    """Return a cell's content as `2026-11-25T13:00`; anything after the clock time stays.

    Years come first, or days before dots: `2026-11-25 13:00`, `25.11.2026, 13:00`. Raises
    LocalTimeError, which says how to write it instead.
    """
    found = MOMENT.fullmatch(re.sub(r"\s", " ", text))  # some spreadsheets' blanks do not break
    if found is None:
        advice = _not_a_moment(text)
        raise LocalTimeError(f"“{text}”: {advice}")
    try:
        day = _day(found, order)
        if found["clock"] is None:
            raise LocalTimeError(_("The time is missing: write it like 2026-11-25 13:00."))
        if HALF_OF_DAY.fullmatch(found["rest"]):
            raise LocalTimeError(_("Write the time by the 24-hour clock, like 13:00."))
    except LocalTimeError as error:
        raise LocalTimeError(f"“{text}”: {error}") from error
    clock = found["clock"].rpartition(":")[0] if found["seconds"] == "00" else found["clock"]
    return f"{day}T{clock.zfill(len('13:00'))}{found['rest']}"


def _not_a_moment(text: str) -> str:
    if SERIAL.fullmatch(text):
        return _("This is a spreadsheet’s own number: give the cell the format YYYY-MM-DD HH:MM.")
    return _("This is not a date and time: write them like 2026-11-25 13:00.")


def _day(found: re.Match[str], order: DateOrder | None) -> str:
    """Return `YYYY-MM-DD`, even for a day that doesn't exist."""
    first, second, third = found["first"], found["second"], found["third"]
    if len(first) == 4 and len(third) <= 2:
        return f"{first}-{second.zfill(2)}-{third.zfill(2)}"
    if len(third) != 4 or len(first) > 2:
        raise LocalTimeError(_("Write the year in four digits, like 2026-11-25 13:00."))
    if found["mark"] != "." and order is None:
        raise LocalTimeError(
            _(
                "Is the day first, or the month? Write it like 2026-11-25 13:00, or say "
                "--dates=day-first or --dates=month-first."
            )
        )
    if found["mark"] != "." and order == DateOrder.MONTH_FIRST:
        first, second = second, first
    return f"{third}-{second.zfill(2)}-{first.zfill(2)}"
