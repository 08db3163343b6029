"""With two spaces in different zones, every page's reader knows the zone of each time."""

import re
from html import unescape

import pytest
from django.utils import translation

from bookings.tests.acts import book, hours
from config.tests.walk import at_every_address, rows, sessions  # noqa: F401 - fixtures
from spaces.factories import open_space

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

#: Not text of the page: choices of zones and times, what people type, what programs read.
UNSEEN = re.compile(
    r"<head>.*?</head>|<script.*?</script>|<select.*?</select>|<datalist.*?</datalist>"
    r"|<input[^>]*>|<textarea.*?</textarea>|<pre.*?</pre>|<tbody.*?timeline.*?</tbody>",
    re.DOTALL,
)
TIME = re.compile(r"\b\d{1,2}:\d\d\b")
ZONES = {"en": ("Moscow time", "Yerevan time"), "ru": ("московское время", "ереванское время")}
#: Here a select says the zone, and axes names its rows itself.
ELSEWHERE = ("admin:spaces_space_change", "admin:axes_")
#: A screen at a door speaks the language that it was given, whoever stands before it.
OWN_LANGUAGE = {"door": "en"}


@pytest.fixture(autouse=True)
def two_zones(space, alice, soon):
    space.time_zone = "Europe/Moscow"
    space.save()
    space.__dict__.pop("zone", None)
    other = open_space(slug="yerevan", time_zone="Asia/Yerevan")
    book(other.places.get(number=1), alice, soon - hours(24), soon)


@at_every_address
def test_a_page_with_a_time_names_its_zone(here):
    for language in ZONES:  # a page has a time in both or in neither
        with translation.override(language):
            answer = here.come(headers={"accept-language": language}).get(here.path)
        if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
            return
        text = unescape(re.sub(r"<[^>]+>", " ", UNSEEN.sub(" ", answer.text)))
        assert "Europe/Moscow" not in text
        assert "Asia/Yerevan" not in text
        if not TIME.search(text):
            return
        if not here.name.startswith(ELSEWHERE):
            named = ZONES[OWN_LANGUAGE.get(here.name, language)]
            assert any(zone in text for zone in (*named, "UTC")), text
