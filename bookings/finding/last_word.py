"""Until when a booking could be undone, stated before the click that makes it."""

from datetime import datetime

from django.utils.translation import gettext as _

from bookings.deciding import rules
from bookings.models import Booking
from bookings.words import words
from spaces.limits import Limits
from spaces.slots import Period
from spaces.venue import Venue


def last_word(
    venue: Venue, kind: str, period: Period, *, now: datetime, moving: Booking | None = None
) -> tuple[str, bool]:
    """Return it in words, "" if any time before the start will do, and whether it is a warning.

    `kind` is the place's; `moving` the booking that would be moved there.
    """
    limits = venue.limits(kind, period.starts_at)
    made_at = moving.decided_at if moving and moving.decided_at else now
    deadline = rules.deadline(limits, period, made_at=made_at)
    if deadline.is_in_time(now):
        if not limits.cancel_deadline:
            return "", False
        until = words.clock(deadline.regular, venue.zone)
        if venue.today(deadline.regular) != venue.today(period.starts_at):
            until = f"{words.day_at(deadline.regular, venue.zone, now)}, {until}"
        return _("cancel until %(time)s") % {"time": until}, False
    return (_after_moving if moving else _after_booking)(deadline, limits, venue, now), True


def _after_booking(deadline: rules.Deadline, limits: Limits, venue: Venue, now: datetime) -> str:
    if not deadline.allows(now):
        return _("can’t be cancelled once booked")
    named = {"time": words.duration(limits.grace)}
    return _("can’t be cancelled later than %(time)s after booking") % named


def _after_moving(deadline: rules.Deadline, limits: Limits, venue: Venue, now: datetime) -> str:
    if not deadline.allows(now):
        return _("can’t be changed once moved")
    named = {"time": words.clock(deadline.until, venue.zone)}
    return _("can’t be changed after %(time)s") % named
