"""Local times as text: which are read, and as which instant; nights on which clocks are changed."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bookings.words.local_time import (
    LocalTimeError,
    read_day,
    read_end,
    read_instant,
    read_period_on,
    write_instant,
)

pytestmark = pytest.mark.any_database

MOSCOW = ZoneInfo("Europe/Moscow")


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-25T13:00", utc(2026, 11, 25, 10)),
        ("2026-11-25T9:00", utc(2026, 11, 25, 6)),
        ("2026-11-25T13:00:00", utc(2026, 11, 25, 10)),
        ("2026-11-25T13:00:00.000", utc(2026, 11, 25, 10)),
        ("2026-11-25T13:00Z", utc(2026, 11, 25, 13)),
        ("2026-11-25T13:00+01:00", utc(2026, 11, 25, 12)),
        ("2026-11-25T24:00", utc(2026, 11, 25, 21)),
        ("2026-11-25T24:00:00", utc(2026, 11, 25, 21)),
        ("2026-12-31T24:00", utc(2026, 12, 31, 21)),
        ("2026-11-25T24:00Z", utc(2026, 11, 26)),
        ("2026-11-25T24:00-05:00", utc(2026, 11, 26, 5)),
    ],
)
def test_a_time_is_read(text, at):
    assert read_instant(text, MOSCOW) == at


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-25", "2026-11-25T", "2026-11-25T13", "2026-11-25T1300", "2026-11-25 13:00"),
        *("2026-11-25T24:15", "2026-11-25T24:00:01", "2026-11-25T25:00", "2026-11-25T13:60"),
        *("2026-W48-3T13:00", "2026-329T13:00", "20261125T13:00", "2026-11-25T13:00:00.5"),
        *("2026-11-25T13:00+24:00", "2026-11-25T13:00+3", "2026-11-25T13:00 +03:00"),
        *("2026-02-30T13:00", "1999-12-31T13:00", "2200-01-01T00:00", "", "T", "T24:00"),
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(LocalTimeError):
        read_instant(text, MOSCOW)


@pytest.mark.parametrize(
    "text", ["2026-W48-3", "2026-11-5", "26-11-25", "2026-13-01", "25.11.2026"]
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(LocalTimeError):
        read_day(text)


@pytest.mark.parametrize(
    ("zone", "day", "at"),
    [
        # The clocks jump over midnight: the day ends where the next one begins, at one o'clock.
        ("Africa/Cairo", "2027-04-29", utc(2027, 4, 29, 22)),
        # The clocks go back at midnight: eleven o'clock comes twice before the day ends.
        ("Africa/Cairo", "2027-10-28", utc(2027, 10, 28, 22)),
        ("Europe/Berlin", "2027-03-28", utc(2027, 3, 28, 22)),
        ("Asia/Kathmandu", "2027-03-28", utc(2027, 3, 28, 18, 15)),
    ],
)
def test_the_end_of_the_day_on_nights_when_clocks_change(zone, day, at):
    zone = ZoneInfo(zone)
    assert read_instant(f"{day}T24:00", zone) == at
    assert read_instant(write_instant(at, zone), zone) == at


def test_24_00_as_an_end_and_as_a_start():
    day = date(2026, 11, 25)
    midnight = utc(2026, 11, 25, 21)
    assert read_period_on(day, "20:00", "24:00", MOSCOW) == (utc(2026, 11, 25, 17), midnight)
    assert read_period_on(day, "24:00", "2:00", MOSCOW) == (midnight, utc(2026, 11, 25, 23))
    assert read_end(midnight, "24:00", MOSCOW) == utc(2026, 11, 26, 21)


def test_an_end_with_one_digit_is_later_than_a_start_with_two_only_on_the_next_day():
    starts_at = utc(2026, 11, 25, 10)
    assert read_end(starts_at, "9:00", MOSCOW) == utc(2026, 11, 26, 6)
