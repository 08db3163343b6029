"""What forbids the staff to seat people, or to let them stay: the hours, and little else."""

from datetime import datetime

from django.utils.translation import gettext as _

from bookings.deciding import rules
from bookings.words import words
from spaces.limits import LONGEST
from spaces.models import Place
from spaces.slots import Period
from spaces.venue import Venue


def of_extension(
    venue: Venue, place: Place, whole: Period, more: Period, *, now: datetime
) -> list[rules.Problem]:
    """Return what forbids staying for `more`, which makes the booking `whole`: the house's hours.

    How long, and in which steps, is the staff's to decide.
    """
    if more.ends_at <= more.starts_at:
        return [rules.Problem("not_longer", _("The new end must be later than the present one."))]
    return _forbidden(venue, place, whole, more, now)


def of_walk_in(
    venue: Venue, place: Place, period: Period, party_size: int, *, now: datetime
) -> list[rules.Problem]:
    """Return what forbids seating people who came without a booking, for that time."""
    of_place = rules.for_house(rules.of_place(place, party_size))
    return [*of_place, *_forbidden(venue, place, period, period, now)]


def _forbidden(
    venue: Venue, place: Place, whole: Period, new: Period, now: datetime
) -> list[rules.Problem]:
    if nonsense := rules.of_period(whole):
        return nonsense
    if new.ends_at <= now:
        return [rules.already_past()]
    if whole.duration > LONGEST:
        message = _("The longest booking is %(time)s.") % {"time": words.duration(LONGEST)}
        return [rules.Problem("too_long", message)]
    return [] if venue.is_open(place.pk, new) else [rules.closed(venue, new, now)]
