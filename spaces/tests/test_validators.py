"""Validation of single values, and of single rows."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from spaces.codes import new_code
from spaces.validators import (
    validate_country,
    validate_features,
    validate_quarter_hour,
    validate_time_zone,
)

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("name", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Apia"])
def test_time_zones_are_those_of_the_database(name):
    validate_time_zone(name)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "europe", "../../etc/passwd", "right/UTC", "a\x00", "x" * 500]
)
def test_other_time_zones_are_refused(name):
    with pytest.raises(ValidationError, match="is not a time zone"):
        validate_time_zone(name)


@pytest.mark.parametrize(
    "value",
    [time(0), time(23, 45), datetime(2026, 1, 1, 9, 15, tzinfo=ZoneInfo("Asia/Kathmandu"))],
)
def test_quarters_of_an_hour_are_accepted(value):
    validate_quarter_hour(value)


@pytest.mark.parametrize(
    "value",
    [time(9, 10), time(9, 0, 1), time(9, 0, 0, 1), datetime(2026, 1, 1, 9, 59, tzinfo=UTC)],
)
def test_other_times_are_refused(value):
    with pytest.raises(ValidationError, match="quarter hour"):
        validate_quarter_hour(value)


@pytest.mark.parametrize("value", [[], ["quiet"], ["monitor", "window"]])
def test_features_are_a_list_of_known_ones(value):
    validate_features(value)


@pytest.mark.parametrize(
    "value", ["quiet", {"quiet": 1}, None, 1, ["quiet", "quiet"], ["jacuzzi"], [1], [None], [[]]]
)
def test_other_features_are_refused(value):
    with pytest.raises(ValidationError):
        validate_features(value)


@pytest.mark.parametrize("code", ["GB", "RU", "AM"])
def test_countries_are_two_letters_of_iso_3166(code):
    validate_country(code)


@pytest.mark.parametrize("code", ["", "gb", "XX", "GBR", "00", "ZZ", "419", "Г", "EU"])
def test_other_countries_are_refused(code):
    with pytest.raises(ValidationError):
        validate_country(code)


def test_codes_are_uuids_of_version_7_in_order_of_time():
    codes = [new_code() for _ in range(50)]
    assert {(code.version, code.variant) for code in codes} == {(7, "specified in RFC 4122")}
    assert len(set(codes)) == 50
    assert [c.int >> 80 for c in codes] == sorted(c.int >> 80 for c in codes)
