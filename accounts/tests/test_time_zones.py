"""What people call a time zone."""

from zoneinfo import available_timezones

import pytest
from django.utils import translation

from accounts.time_zones import in_words

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize(
    ("name", "english", "russian"),
    [
        ("Europe/Moscow", "Moscow time", "московское время"),
        ("W-SU", "Moscow time", "московское время"),
        ("Europe/Kyiv", "Kyiv time", "киевское время"),
        ("Europe/Kiev", "Kyiv time", "киевское время"),
        ("America/Phoenix", "Phoenix time", "местное время, Финикс"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time", "местное время, Буэнос-Айрес"),
        ("Japan", "Tokyo time", "местное время, Токио"),
        ("UTC", "UTC", "UTC"),
        ("Etc/UTC", "UTC", "UTC"),
        ("GMT", "UTC", "UTC"),
        ("Etc/GMT-3", "UTC+3", "UTC+3"),
        ("Etc/GMT+11", "UTC-11", "UTC-11"),
    ],
)
def test_a_zone_has_the_name_that_people_use(name, english, russian):
    with translation.override("en"):
        assert in_words(name) == english
    with translation.override("ru"):
        assert in_words(name) == russian


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_zone_has_words(language):
    with translation.override(language):
        said = {name: in_words(name) for name in available_timezones()}
    assert [name for name, words in said.items() if "/" in words or "_" in words] == []
