"""What the house calls somebody who came without saying a name."""

from datetime import datetime

from django.utils.translation import gettext as _

from bookings.deciding.pacing import LOCK_SPACE
from bookings.deciding.steps import Ground
from bookings.models import Booking


def next_walk_in(ground: Ground, now: datetime) -> str:
    """Name a party by its number among those of the day, which ends when the house closes.

    Locks the space, or two at once would get the same number: its places are locked. Those that
    were moved to another day, or undone, keep their number.
    """
    LOCK_SPACE.rows(space=ground.place.space_id)
    today = ground.venue.day_span(ground.venue.day_of(now))
    came = Booking.objects.in_space(ground.place.space).of_channel(Booking.Channel.WALK_IN)
    return _("Walk-in %(n)d") % {"n": came.made_within(today).count() + 1}
