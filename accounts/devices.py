"""A browser in words: enough to recognise one's own, and nothing that isn't true."""

import re

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: The first that is found in what the browser says; later ones pretend to be earlier ones.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("YaBrowser", "Yandex Browser"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS: tuple[tuple[str, str | Promise], ...] = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)
UNKNOWN = gettext_lazy("Unknown browser")


def in_words(agent: str) -> str:
    """Return “Firefox on Windows”, as far as the browser tells."""
    browser, system = _parts(agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return str(browser or system or UNKNOWN)


def named(agent: str) -> str:
    """Return “Firefox, Windows”, in names that are the same in every language; empty if unknown."""
    return ", ".join(filter(None, map(str, _parts(agent))))


def _parts(agent: str) -> tuple[str, str | Promise]:
    browser = next((name for part, name in BROWSERS if part in agent), "")
    return browser, next((name for part, name in SYSTEMS if part in agent), "")


def shortened(address: str | None) -> str:
    """Return an address without its end: the network, which says where, not who."""
    if not address:
        return ""
    if ":" in address:
        return ":".join(address.split(":")[:3]) + ":*"
    return re.sub(r"\d+$", "*", address)
