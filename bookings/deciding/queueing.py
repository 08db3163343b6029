"""Accepted now, decided next: how a worker handles bookings queued by `services.request`.

One unit of work is one booking: claim it, decide it. A claim is a compare-and-swap that sets a
lease, which is renewed meanwhile; if the claimer is killed, it runs out and somebody else claims
the booking again. For each place, bookings are decided in order of arrival: one waits while an
earlier one that shares a leaf place with it is undecided. Any number of workers may run side by
side.
"""

import logging
from contextlib import nullcontext, suppress
from datetime import datetime

from django.utils.translation import gettext as _

from accounts import watching
from accounts.models import User
from bookings.deciding.claims import held, lease_from
from bookings.deciding.errors import Refused, WrongState
from bookings.deciding.rules import Problem
from bookings.deciding.steps import lock_member, lock_places, objections, take_slots
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import claim, move_to
from bookings.models import Booking, BookingEvent
from bookings.states import State
from spaces.models import Place
from spaces.venue import leaves

logger = logging.getLogger("mesto.queue")

#: How often a decision may be attempted. One that keeps failing would block its place forever.
ATTEMPTS = 5


def decide_next(*, now: datetime) -> int:
    """Claim one booking and decide it; return 1, or 0 when none is available now."""
    for pk, lease in _claimable(now):
        request = BookingEvent.objects.select_related("actor").get(booking=pk, sequence=1)
        given = request.traceparent
        with (
            watching.caused_by(request.request_id, given),
            watching.span("decide", kind="consumer", parent=given) if given else nullcontext(),
        ):
            try:
                booking, attempt = _claim(pk, lease, until=(until := lease_from(now)), now=now)
            except WrongState:  # another worker was first
                continue
            # WrongState: we were so slow that somebody else took over.
            with held(pk, until, now=now), suppress(WrongState):
                _decide(booking, by=request.actor, attempt=attempt, now=now)
                if request.request_id:  # not an import, which has a line for everything itself
                    logger.info("decided", extra={"booking": str(booking.code)})
        return 1
    return 0


def _claimable(now: datetime) -> list[tuple[int, datetime | None]]:
    """Return keys and leases of bookings to decide next, in order of arrival, in two queries.

    Only the first of each place counts, and it waits while an earlier one shares its leaves.
    """
    firsts = list(
        Booking.objects.next_of_each_place().values_list(
            "pk", "lease_expires_at", "place", "place__space"
        )
    )
    if not firsts:
        return []
    parts: dict[int, list[int]] = {}
    spaces = {space for *_, space in firsts}
    for whole, part in Place.objects.pairs_of_parts_in(spaces):
        parts.setdefault(whole, []).append(part)
    found = []
    busy: set[int] = set()
    for pk, lease, place, _space in firsts:
        needed = leaves(parts, place)
        if busy.isdisjoint(needed) and (lease is None or lease <= now):
            found.append((pk, lease))
        busy |= needed
    return found


@transactional
def _claim(
    pk: int, lease: datetime | None, *, until: datetime, now: datetime
) -> tuple[Booking, int]:
    return claim(pk, lease=lease, until=until, now=now)


@transactional
def _decide(claimed: Booking, *, by: User | None, attempt: int, now: datetime) -> None:
    """Decide as `services.book` does; what it refuses becomes REJECTED here, with every reason.

    Raises WrongState and writes nothing when it was decided meanwhile.
    """
    try:
        if claimed.member is not None:
            lock_member(claimed.member)
        if attempt > ATTEMPTS:
            raise Refused([Problem("undecidable", _("This could not be decided."))])
        asked_at = claimed.created_at
        locked = lock_places(claimed.place, member=claimed.member, now=asked_at)
        booking, ground = _as_it_is(claimed), locked[claimed.place_id]
        booking.place = ground.place
        if found := objections(booking, ground, by=by, now=now):
            raise Refused(found)
    except Refused as refused:
        codes = [problem.code for problem in refused.problems]
        move_to(State.REJECTED, _as_it_is(claimed), by=by, now=now, problems=codes)
        return
    if take_slots(booking, ground.venue.leaves(booking.place_id)):
        move_to(State.CONFIRMED, booking, by=by, now=now)
    else:
        move_to(State.REJECTED, booking, by=by, now=now, problems=["slot_taken"])


def _as_it_is(claimed: Booking) -> Booking:
    """Read the row again under the member's lock: deleting an account erases the note."""
    return Booking.objects.with_place().select_related("member").get(pk=claimed.pk)
