"""Pacing: how many people may begin in one quarter hour of a shift, so that the kitchen keeps up.

Nothing is stored that could drift: under the lock of the space's row, the bookings themselves are
counted. Whoever cancels, moves or doesn't come is no longer among them. Bookings by the staff and
walk-ins have a limit of their own, which the staff may exceed: the event says so.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import BigIntegerField, DateTimeField, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.prepared import Prepared, prepared
from bookings.deciding.rules import Problem
from bookings.models import Booking, BookingEvent
from bookings.words import words
from spaces.models import Space
from spaces.venue import Venue

#: The code of the problem.
FULL = "pacing_full"

IN_HOUSE = (Booking.Channel.STAFF, Booking.Channel.WALK_IN)


def is_in_house(channel: str) -> bool:
    return channel in IN_HOUSE


#: Locks a space: whoever counts its arrivals waits here. After its places, before bookings.
LOCK_SPACE = prepared(
    lambda space: (
        Space.objects.select_for_update(no_key=True).filter(pk=space).values_list("pk", flat=True)
    ),
    space=BigIntegerField(),
)


def _arriving(of: Q) -> Prepared[int]:
    return prepared(
        lambda space, at, but: (
            Booking.objects.occupying()
            .filter(of, place__space=space, starts_at=at)
            .exclude(pk=but)
            .order_by()
            .values("place__space")
            .annotate(people=Sum("party_size"))
            .values_list("people", flat=True)
        ),
        space=BigIntegerField(),
        at=DateTimeField(),
        but=BigIntegerField(),
    )


#: How many people begin at an instant, in house and otherwise.
_ARRIVING = {True: _arriving(Q(channel__in=IN_HOUSE)), False: _arriving(~Q(channel__in=IN_HOUSE))}


def problems(
    venue: Venue,
    space: int,
    at: datetime,
    *,
    party_size: int,
    channel: str,
    but: Booking | None = None,
) -> list[Problem]:
    """Return what forbids so many people to begin at an instant; the booking `but` isn't counted.

    The answer holds until the transaction ends. Its places are locked.
    """
    in_house = is_in_house(channel)
    most = venue.pacing(at, in_house=in_house)
    if most is None:
        return []
    LOCK_SPACE.rows(space=space)
    # By a later statement than the one that locks: that one sees nothing newer than its start.
    ignored = 0 if but is None else but.pk or 0
    there = _ARRIVING[in_house].first(space=space, at=at, but=ignored) or 0
    return full(venue, at, most - there, party_size)


def full(venue: Venue, at: datetime, left: int, party_size: int) -> list[Problem]:
    """Return the problem of a party for which there are too few arrivals left, if it is one."""
    if party_size <= left:
        return []
    time = words.clock(at, venue.zone)
    if left <= 0:
        message = _("Too many people arrive at %(time)s already.") % {"time": time}
    else:
        message = ngettext(
            "No more than %(n)d person can still arrive at %(time)s.",
            "No more than %(n)d people can still arrive at %(time)s.",
            left,
        ) % {"n": left, "time": time}
    return [Problem(FULL, message)]


def insisted(found: Iterable[Problem], over_pacing: bool) -> tuple[list[Problem], list[str]]:
    """Return what still forbids it when the staff insist, and the codes of what no longer does.

    They can't insist against anything else.
    """
    found = list(found)
    if not over_pacing:
        return found, []
    rest = [problem for problem in found if problem.code != FULL]
    return rest, [FULL] if len(rest) < len(found) else []


def let_in() -> QuerySet[BookingEvent]:
    """Return the events by which the staff let in more than may arrive at once."""
    kinds = (BookingEvent.Kind.CONFIRMED, BookingEvent.Kind.MOVED)
    return BookingEvent.objects.filter(kind__in=kinds, data__problems__0=FULL)


def exceeded(venue: Venue, arrivals: Iterable[tuple[datetime, str, int]]) -> list[str]:
    """Return what is wrong with these starts, channels and party sizes of one space's bookings."""
    counted: dict[tuple[datetime, bool], int] = {}
    for at, channel, people in arrivals:
        key = (at, is_in_house(channel))
        counted[key] = counted.get(key, 0) + people
    found = []
    for (at, in_house), people in sorted(counted.items()):
        most = venue.pacing(at, in_house=in_house)
        if most is not None and people > most:
            where = "in house" if in_house else "online"
            found.append(f"{people} people begin at {at.isoformat()} {where}, and {most} may")
    return found
