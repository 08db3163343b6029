"""The time zones a person can choose from, and what people call them."""

from collections.abc import Mapping
from functools import cache
from itertools import groupby
from zoneinfo import available_timezones

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

# The rest of the database (US/…, Etc/…, bare names) are old names for these.
REGIONS = {
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
}

#: For languages that make an adjective from the city («московское время»); others name the city.
CALLED: dict[str, Promise] = {
    "Europe/Kaliningrad": pgettext_lazy("time zone", "Kaliningrad time"),
    "Europe/Moscow": pgettext_lazy("time zone", "Moscow time"),
    "Europe/Samara": pgettext_lazy("time zone", "Samara time"),
    "Asia/Yekaterinburg": pgettext_lazy("time zone", "Yekaterinburg time"),
    "Asia/Omsk": pgettext_lazy("time zone", "Omsk time"),
    "Asia/Novosibirsk": pgettext_lazy("time zone", "Novosibirsk time"),
    "Asia/Krasnoyarsk": pgettext_lazy("time zone", "Krasnoyarsk time"),
    "Asia/Irkutsk": pgettext_lazy("time zone", "Irkutsk time"),
    "Asia/Yakutsk": pgettext_lazy("time zone", "Yakutsk time"),
    "Asia/Vladivostok": pgettext_lazy("time zone", "Vladivostok time"),
    "Asia/Magadan": pgettext_lazy("time zone", "Magadan time"),
    "Asia/Kamchatka": pgettext_lazy("time zone", "Kamchatka time"),
    "Asia/Yerevan": pgettext_lazy("time zone", "Yerevan time"),
    "Asia/Tbilisi": pgettext_lazy("time zone", "Tbilisi time"),
    "Asia/Almaty": pgettext_lazy("time zone", "Almaty time"),
    "Asia/Tashkent": pgettext_lazy("time zone", "Tashkent time"),
    "Europe/Minsk": pgettext_lazy("time zone", "Minsk time"),
    "Europe/Kyiv": pgettext_lazy("time zone", "Kyiv time"),
    "Europe/Berlin": pgettext_lazy("time zone", "Berlin time"),
    "Europe/London": pgettext_lazy("time zone", "London time"),
    "Europe/Paris": pgettext_lazy("time zone", "Paris time"),
    "America/New_York": pgettext_lazy("time zone", "New York time"),
}


def in_words(name: str) -> str:
    """Return what people call a zone: «Moscow time»; an offset stays as it is: «UTC+3»."""
    return _in_words(name, translation.get_language() or "en")


@cache
def _in_words(name: str, language: str) -> str:
    known = _proper(name)
    if known in CALLED:
        return str(CALLED[known])
    if "/" in name.removeprefix("Etc/"):
        return _("%(city)s time") % {"city": _city(name, language)}
    if _region(known) in REGIONS:  # «Japan» is Asia/Tokyo
        return _("%(city)s time") % {"city": _city(known, language)}
    if name.startswith("Etc/GMT") and name[-1:].isdigit() and not name.endswith(("T0", "+0", "-0")):
        # These names use POSIX signs: Etc/GMT-3 is east of Greenwich.
        hours = int(name.removeprefix("Etc/GMT"))
        return f"UTC{-hours:+}"
    is_utc = known in {"Etc/UTC", "Etc/GMT"} or name in {"UTC", "GMT"}
    return "UTC" if is_utc else name


def _city(name: str, language: str) -> str:
    """Return a zone's city, in a language if its data has it."""
    try:
        data: Mapping[str, Mapping[str, str]] = Locale.parse(language, sep="-").time_zones
    except (UnknownLocaleError, ValueError):
        data = {}
    names = [name, *_other_names(name)]
    found = next((data[each]["city"] for each in names if "city" in data.get(each, {})), None)
    return str(found or name.rpartition("/")[2].replace("_", " "))


def _proper(name: str) -> str:
    """Return the current name for an old one."""
    return str(get_global("zone_aliases").get(name, name))


def _other_names(name: str) -> list[str]:
    """Return the names under which a language's data may list a zone: some are old ones."""
    proper = _proper(name)
    aliases = get_global("zone_aliases")
    return [proper, *(old for old, new in aliases.items() if new == proper)]


@cache
def by_region() -> list[tuple[str, list[tuple[str, str]]]]:
    """Group the names of all zones by part of the world, as choices for a select."""
    names = sorted(name for name in available_timezones() if _region(name) in REGIONS)
    return [
        (region, [(name, name.partition("/")[2].replace("_", " ")) for name in zones])
        for region, zones in groupby(names, key=_region)
    ]


def _region(name: str) -> str:
    return name.partition("/")[0]
