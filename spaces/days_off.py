"""The holidays of a country, by the `holidays` package, and dates that come every year."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

import holidays
from django.utils.translation import get_language

from spaces.models import Space

#: How far ahead the page of holidays looks.
AHEAD = timedelta(days=365)
#: The package writes such dates as the United States do: "Day off (substituted from 02/20/2027)".
FROM_ANOTHER_DAY = re.compile(r"\s*\([^()]*\d+[./-]\d+[./-]\d+[^()]*\)")
#: The package's names for our languages.
LANGUAGES = {"en": ("en_US", "en_GB"), "ru": ("ru",)}


@dataclass(frozen=True)
class Holiday:
    day: date
    name: str


def is_known(country: str) -> bool:
    """Tell whether the package knows a country's holidays."""
    return country in holidays.list_supported_countries(include_aliases=False)


def coming(space: Space, *, today: date) -> list[Holiday]:
    """Return the public holidays of a space's country in the year from today on.

    Their names are in the reader's language if the package has them in it, else in the country's.
    """
    if not is_known(space.country):
        return []
    years = {today.year, (today + AHEAD).year}
    found = holidays.country_holidays(space.country, years=years, language=_language(space.country))
    return [
        Holiday(day, _in_words(name))
        for day, name in sorted(found.items())
        if today <= day < today + AHEAD
    ]


def _in_words(name: str) -> str:
    """Return a name as members read it: without the date of the day that it stands for."""
    return FROM_ANOTHER_DAY.sub("", name).replace("'", "’")[:200]


def _language(country: str) -> str | None:
    """Return the package's language for the reader's; None for the country's own."""
    entity = getattr(holidays, country, None)
    supported = getattr(entity, "supported_languages", ()) or ()
    wanted = LANGUAGES.get((get_language() or "en")[:2], ())
    return next((name for name in wanted if name in supported), None)


def every_year(month: int, day: int, year: int) -> date:
    """Return a date of every year in one of them; 29 February is the 28th where there is none."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)
