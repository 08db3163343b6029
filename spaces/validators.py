"""Validation of single values."""

import re
from datetime import datetime, time
from zoneinfo import available_timezones

from babel.core import get_global
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from spaces.features import Feature

#: Phone numbers as people write them: +country, blanks, brackets, dots, dashes, an extension.
PHONE = re.compile(
    r"(?P<number>\+?[0-9(][0-9() ./\-‐‑–]*[0-9])"
    r"(?:[,;]? ?(?:ext\.?|x|доб\.?|#) ?(?P<extension>[0-9]{1,8}))?",
    re.IGNORECASE,
)
DIGITS = range(3, 16)  # from short local numbers to the longest in ITU-T E.164

#: What the time zone database of CLDR has besides countries.
NO_COUNTRIES = {"001", "ZZ"}

#: Addresses below /staff/ that are no space's.
RESERVED_SLUGS = {"setup", "spaces", "webhooks", "deliveries", "closures"}


def validate_phone(text: str) -> None:
    """Refuse what no phone can dial."""
    found = PHONE.fullmatch(text)
    if not found or len(re.sub("[^0-9]", "", found["number"])) not in DIGITS:
        raise ValidationError(
            _("Write the number as it is dialled, such as +44 20 7946 0018."), code="phone"
        )


def validate_country(code: str) -> None:
    """Refuse what is no country's code (ISO 3166-1 alpha-2)."""
    if code not in get_global("territory_zones") or code in NO_COUNTRIES:
        raise ValidationError(_("Write the country’s two letters, such as GB."), code="country")


def validate_time_zone(name: str) -> None:
    """Refuse zones that the IANA time zone database doesn't know."""
    if name not in available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone."), params={"name": name}, code="time_zone"
        )


def validate_quarter_hour(value: time | datetime) -> None:
    """Refuse times that the 15-minute grid can't hold."""
    if value.minute % 15 or value.second or value.microsecond:
        raise ValidationError(_("Choose a quarter hour: :00, :15, :30 or :45."), code="grid")


def validate_features(value: object) -> None:
    """Refuse anything but a list of distinct `Feature` values."""
    if not isinstance(value, list) or len(set(map(str, value))) != len(value):
        raise ValidationError(_("Features are a list, each named once."), code="features")
    if unknown := [str(name) for name in value if name not in Feature.values]:
        raise ValidationError(
            _("Unknown features: %(names)s."), params={"names": ", ".join(unknown)}, code="features"
        )


def validate_weekdays(text: str) -> None:
    """Refuse anything but digits from 0 (Monday) to 6, in order, each once."""
    if not text or "".join(sorted(set(text))) != text or not set(text) <= set("0123456"):
        raise ValidationError(_("Choose at least one weekday."), code="weekdays")
