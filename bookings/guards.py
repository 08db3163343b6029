"""What bookings object to when a space's set-up changes."""

from django.utils.translation import ngettext

from bookings.models import Booking
from spaces.models import Place


def objection_to_reshaping(place: Place) -> str | None:
    """Refuse to change the parts of a place with upcoming bookings: its leaves hold their slots."""
    count = Booking.objects.filter(place=place).occupying().count()
    if not count:
        return None
    return ngettext(
        "%(place)s has %(n)d upcoming booking; its parts can't change now.",
        "%(place)s has %(n)d upcoming bookings; its parts can't change now.",
        count,
    ) % {"place": str(place), "n": count}
