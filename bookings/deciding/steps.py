"""How a request becomes a booking: the steps that services and the queue share.

For use in their transactions. Locks are taken in one order everywhere: the member, then places by
key, then bookings, then slots. The locks keep what the *rules* read (quotas, closures, parts) from
changing during a decision; `BookedSlot`'s unique constraint alone decides who gets a place.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from bookings.deciding import rules
from bookings.deciding.errors import Refused, RequestKeyReused
from bookings.deciding.wish import Wish
from bookings.models import BookedSlot, Booking
from spaces import setups
from spaces.models import Place
from spaces.slots import Period, slots
from spaces.venue import Venue

REUSED = gettext_lazy("This form was already used for another booking.")


def objections(
    booking: Booking, venue: Venue, *, by: User | None, now: datetime
) -> list[rules.Problem]:
    """Return every rule that a booking breaks, as of when it was requested.

    A request made in time stays in time. Member and place are locked, and `booking.place` is
    the locked one.
    """
    place, asked_at = booking.place, booking.created_at
    found = rules.problems(
        venue,
        place,
        booking.period,
        party_size=booking.party_size,
        now=asked_at,
        upcoming=upcoming_by_kind(booking.member, place, venue, asked_at),
        walk_in=by != booking.member,
    )
    if not found and booking.ends_at <= now:
        return [rules.already_past()]
    return found


def lock_member(member: User) -> None:
    """Serialise one member's requests: quotas are counted and keys compared under this lock.

    Raises Refused when the account is closed.
    """
    locked = User.objects.select_for_update(no_key=True).get(pk=member.pk)
    if not locked.is_active:
        raise Refused([rules.Problem("account_closed", _("This account is closed."))])


def lock_places(
    *places: Place, member: User | None, now: datetime
) -> dict[int, tuple[Place, Venue]]:
    """Return places and their venues, which stay as they are until the transaction ends.

    See also `spaces.services.lock_places`, which closures and changes of parts use.
    """
    locked = list(
        Place.objects.filter(pk__in={place.pk for place in places})
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    if len(locked) < len({place.pk for place in places}):
        raise Refused([rules.Problem("not_bookable", _("This place is gone."))])
    # Only now, under the locks: the statement that waited for them may see what was before.
    known = {space: setups.current(space) for space in {place.space_id for place in locked}}
    for place in locked:
        place.space = known[place.space_id].space
    venues = {space: setup.venue_for(member, now) for space, setup in known.items()}
    return {place.pk: (place, venues[place.space_id]) for place in locked}


def answered(wish: Wish) -> Booking | None:
    """Return the booking that the same wish became before.

    Under both locks: a guest's double click waits for the place, a member's for the member.
    Raises RequestKeyReused.
    """
    if not wish.request_key:
        return None
    mine = Booking.objects.filter(member=wish.member, request_key=wish.request_key)
    earlier = mine.with_place().order_by("pk").first()
    if earlier is not None:
        _require_same(earlier, wish)
    return earlier


def _require_same(earlier: Booking, wish: Wish) -> None:
    """Compare with the first request; the booking may have moved since."""
    asked = earlier.events.get(sequence=1).data
    first = Period(
        datetime.fromisoformat(asked["starts_at"]), datetime.fromisoformat(asked["ends_at"])
    )
    same_place = asked["place"]["code"] == str(wish.place.code)
    if not (same_place and first == wish.period and asked["party_size"] == wish.party_size):
        raise RequestKeyReused(str(REUSED))


def insert(booking: Booking) -> None:
    """Insert the row. For a guest's key there is no member to lock: its constraint decides."""
    try:
        booking.save(force_insert=True)
    except IntegrityError as error:
        if booking.member is None and booking.request_key:
            raise RequestKeyReused(str(REUSED)) from error
        raise


def upcoming_by_kind(
    member: User | None, place: Place, venue: Venue, now: datetime, but: Booking | None = None
) -> dict[str, int] | None:
    """Count what the quotas limit, under the member's lock; None when no quota applies."""
    if member is None or not venue.limits(place.kind).quotas:
        return None
    mine = Booking.objects.of(member).in_space(place.space)
    if but is not None:
        mine = mine.exclude(pk=but.pk)
    return mine.upcoming_by_kind(now)


def take_slots(booking: Booking, leaves: Iterable[int]) -> bool:
    """Insert the booking's slots, always in the same order; tell whether they were all free.

    The unique constraint decides, here and nowhere else. A new booking is inserted together with
    them, but not if they are taken or its request key was used before.
    """
    try:
        with transaction.atomic():
            if booking._state.adding:
                booking.save(force_insert=True)
            BookedSlot.objects.bulk_create(
                BookedSlot(booking=booking, place_id=leaf, slot=slot)
                for leaf in sorted(leaves)
                for slot in slots(booking.period)
            )
    except IntegrityError:
        return False
    return True
