"""What guests may book for themselves: where the space allows it, and not too much at a time."""

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.deciding.rules import Problem
from bookings.deciding.steps import Ground
from bookings.deciding.wish import Wish
from bookings.models import Booking


def objections(wish: Wish, ground: Ground, *, now: datetime) -> list[Problem]:
    """Return what forbids a guest's own booking, whatever the rules say of place and time.

    The guest's row is locked, so that no two requests count at the same time.
    """
    if not ground.place.space.guests_may_book:
        return [Problem("guests_not_allowed", _("Booking here needs an account."))]
    if wish.guest is None:
        message = _("Name an e-mail address or a phone number, so that we can reach you.")
        return [Problem("contact_missing", message)]
    most: int = settings.GUESTS["most_upcoming"]
    if Booking.objects.filter(guest=wish.guest).upcoming(now).count() < most:
        return []
    message = ngettext(
        "Without an account you may have %(n)d upcoming booking here at a time.",
        "Without an account you may have %(n)d upcoming bookings here at a time.",
        most,
    )
    return [Problem("too_many_upcoming", message % {"n": most})]
