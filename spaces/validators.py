"""Validation of single values."""

from datetime import datetime, time
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from spaces.features import Feature


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
