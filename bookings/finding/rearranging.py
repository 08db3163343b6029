"""Where else the staff could put a booking that doesn't fit where they wanted it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from bookings.deciding.pacing import is_in_house
from bookings.finding.availability import Availability, Offer, alternatives, fit
from bookings.models import Booking
from bookings.querysets import BookingQuerySet
from spaces.limits import PolicyValues
from spaces.models import Place
from spaces.quarters import end_of_run
from spaces.setups import Setup
from spaces.slots import SLOT, Period
from spaces.venue import Venue, neighbours

#: How many alternatives are offered.
MOST = 3
#: What holds for who sits there already: quarter hours. See `bookings.deciding.services`.
BY_QUARTERS = (PolicyValues(step_minutes=15, min_minutes=15, max_days_ahead=3_660),)


def instead(
    setup: Setup, booking: Booking, place: Place, period: Period, *, people: int, now: datetime
) -> list[Offer]:
    """Return the nearest places and times that would work, a few at most.

    For what has begun only the place and the end can change: the same time elsewhere, and as much
    of it as there is where it was wanted.
    """
    venue = setup.venue_for(booking.member, now)
    if booking.has_started(now) and period.starts_at == booking.starts_at:
        relaxed = replace(venue, policies=BY_QUARTERS)
        return list(_of_what_has_begun(setup, relaxed, booking, place, period, people))[:MOST]
    if booking.channel == Booking.Channel.WALK_IN:
        venue = replace(venue, policies=BY_QUARTERS)
    found = alternatives(
        setup,
        venue,
        place,
        period,
        party_size=people,
        now=now,
        but=booking,
        in_house=is_in_house(booking.channel),
        most=MOST + 1,
    )
    as_it_is = (booking.place_id, booking.period)
    return [offer for offer in found if (offer.place.pk, offer.period) != as_it_is][:MOST]


def _of_what_has_begun(
    setup: Setup, venue: Venue, booking: Booking, place: Place, period: Period, people: int
) -> Iterator[Offer]:
    if not timedelta(0) < period.duration <= timedelta(days=1):
        return
    span = Period(period.starts_at, period.ends_at + timedelta(days=1))
    known = Availability(setup.space, venue, span, places=setup.bookable, but=booking)
    count = period.duration // SLOT
    fitting = [each for each in known.places if each.capacity >= people]
    free = {each.pk: end_of_run(known.free(each.pk), 0) for each in fitting}
    if place in fitting and booking.period.duration // SLOT < free[place.pk] < count:
        yield known.offer(place, 0, free[place.pk] * SLOT)
    fitting.sort(key=lambda each: (each.kind != place.kind, *fit(each, people)))
    for each in fitting:
        if each.pk != place.pk and free[each.pk] >= count:
            yield known.offer(each, 0, period.duration)


def in_the_way(
    setup: Setup, booking: Booking | None, place: Place, period: Period, *, now: datetime
) -> BookingQuerySet[Booking]:
    """Return whose bookings have a place, or a part of it, for a part of a period."""
    sharing = neighbours(setup.venue((), now).parts, place.pk)
    held = Booking.objects.at_places(sharing).occupying().overlapping(period)
    if booking is not None:
        held = held.exclude(pk=booking.pk)
    return held.with_person().order_by("starts_at", "pk")
