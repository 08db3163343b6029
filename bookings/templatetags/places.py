"""What a place offers, in words, and the keys of the forms that book it."""

from collections.abc import Iterable
from uuid import uuid4

from django import template

from spaces.features import Feature

register = template.Library()


@register.filter
def features(values: Iterable[str]) -> list[Feature]:
    """Return the features with their labels; values that we don't know are left out."""
    return [Feature(value) for value in values if value in Feature.values]


@register.simple_tag
def request_key() -> str:
    """Return a fresh key: one filled-in form books once, however often it is sent."""
    return str(uuid4())
