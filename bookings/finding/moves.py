"""The moves that most people want, each by one press: the same place a day later, or for longer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from bookings.deciding.pacing import is_in_house
from bookings.finding.availability import Availability
from bookings.models import Booking
from bookings.words import words
from spaces.setups import Setup
from spaces.slots import Period, instant
from spaces.venue import Venue

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Move:
    """What a button says, and the time it moves to; the place stays."""

    words: str
    period: Period


def moves(setup: Setup, venue: Venue, booking: Booking, *, now: datetime) -> list[Move]:
    """Return those of the usual moves for which the booking's own place is free."""
    wanted = list(_wanted(venue, booking, now)) if setup.space.is_active else []
    ends = [move.period.ends_at for move in wanted]
    known = Availability(
        setup.space,
        venue,
        Period(booking.starts_at, max([booking.ends_at, *ends])),
        places=[place for place in setup.bookable if place.pk == booking.place_id],
        but=booking,
        in_house=is_in_house(booking.channel),
    )
    people = booking.party_size
    return [move for move in wanted if known.offers(move.period, party_size=people, now=now)]


def _wanted(venue: Venue, booking: Booking, now: datetime) -> Iterator[Move]:
    period, zone = booking.period, venue.zone
    later = _a_day_later(period, venue)
    day = words.relative_day(later.starts_at.astimezone(zone).date(), venue.today(now))
    yield Move(f"{day}, {words.span(later, zone)}", later)
    step = venue.limits(booking.place.kind, period.starts_at).step
    length = -(-HOUR // step) * step
    for sign, text in (
        (1, _("%(length)s longer: %(time)s")),
        (-1, _("%(length)s shorter: %(time)s")),
    ):
        changed = Period(period.starts_at, period.ends_at + sign * length)
        if changed.starts_at < changed.ends_at:
            named = {"length": words.duration(length), "time": words.span(changed, zone)}
            yield Move(capfirst(text % named), changed)


def _a_day_later(period: Period, venue: Venue) -> Period:
    """Return the same times by the clock on the wall, whatever the clocks do that night."""
    edges = []
    for at in (period.starts_at, period.ends_at):
        local = at.astimezone(venue.zone)
        edges.append(instant(local.date() + timedelta(days=1), local.time(), venue.zone))
    return Period(*edges)
