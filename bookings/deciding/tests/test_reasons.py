"""Every code that a refusal may carry has its sentence."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from bookings.deciding import errors
from bookings.deciding.rules import REASONS, reason

CODE = re.compile(r'(?:Problem|LineError)\(\s*"(\w+)"')


def sources():
    for app in ("accounts", "spaces", "bookings", "notifications", "config"):
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            if "tests" not in path.parts:
                yield path.read_text(encoding="utf-8")


def test_every_problem_of_a_booking_is_in_the_catalogue():
    made = {code for source in sources() for code in CODE.findall(source)}
    assert {"closed", "slot_taken", "undecidable", "no_such_member"} <= made
    assert made - set(REASONS) == set()


@pytest.mark.parametrize(
    "error", [errors.SlotTaken, errors.RequestKeyReused, errors.WrongState, errors.TooLate]
)
def test_every_error_that_becomes_a_problem_is_in_the_catalogue_too(error):
    assert error.code in REASONS


def test_each_is_a_sentence():
    assert all(str(text)[0].isupper() and str(text).endswith(".") for text in REASONS.values())


def test_an_unknown_code_stands_for_itself():
    assert reason("from_the_future") == "from_the_future"
