"""How a request becomes a booking: the steps that services and the queue share.

For use in their transactions. Locks are taken in one order everywhere: the member, then places by
key, then the space (by who counts in it: `bookings.deciding.pacing`, `visits`), then bookings, then
slots. The locks keep what the *rules* read (quotas, arrivals, closures, parts) from changing during
a decision; `BookedSlot`'s unique constraint alone decides who gets a place.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import starmap

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import people, watching
from accounts.letters import TURNED, is_visible, turns
from accounts.models import User
from bookings.deciding import daily, pacing, rules
from bookings.deciding.attendance import Missed, longest_memory, too_many_no_shows
from bookings.deciding.errors import Refused, RequestKeyReused
from bookings.deciding.statements import (
    DELETE_SLOTS,
    EARLIER,
    EARLIER_OF_GUEST,
    GROUND,
    INSERT_BOOKING,
    INSERT_SLOTS,
    LOCK_BOOKING,
    LOCK_MEMBER,
    LOCK_PLACES,
    MISSED,
)
from bookings.deciding.wish import Wish
from bookings.guests import BY_GUEST, Actor
from bookings.models import BookedSlot, Booking
from spaces import setups
from spaces.limits import Strikes
from spaces.models import Place, Space
from spaces.services import lock_places as lock_places_of
from spaces.setups import Setup
from spaces.slots import Period, slots
from spaces.venue import Venue

REUSED = gettext_lazy("This form was already used for another booking.")


@dataclass(frozen=True)
class Ground:
    """A locked place, and what counts there for one member, as they are after the wait."""

    place: Place
    venue: Venue
    #: The member's upcoming bookings in the space, by kind of place; None for a guest.
    upcoming: Mapping[str, int] | None
    #: The member's no-shows there that count.
    missed: tuple[Missed, ...] = ()


def objections(
    booking: Booking, ground: Ground, *, by: Actor | None, now: datetime
) -> list[rules.Problem]:
    """Return every rule that a booking breaks, as of when it was requested.

    A request made in time stays in time. Member and place are locked.
    """
    found = rules.problems(
        ground.venue,
        ground.place,
        booking.period,
        party_size=booking.party_size,
        now=booking.created_at,
        upcoming=ground.upcoming,
        walk_in=by is not BY_GUEST and by != booking.member,
    )
    strikes = ground.venue.limits(ground.place.kind).strikes
    found += too_many_no_shows(ground.venue, strikes, ground.missed, booking.created_at)
    if not found and booking.ends_at <= now:
        return [rules.already_past()]
    if any(problem.code in rules.NONSENSE for problem in found):
        return found
    found += daily.problems(
        ground.venue, ground.place, booking.period, member=booking.member, now=booking.created_at
    )
    return found + pacing.problems(
        ground.venue,
        ground.place.space_id,
        booking.starts_at,
        party_size=booking.party_size,
        channel=booking.channel,
        but=booking,
    )


def lock_member(member: User) -> None:
    """Serialise one member's requests: quotas are counted and keys compared under this lock.

    Taken whether or not a quota applies: an account that is being closed must not book.
    Raises Refused when the account is closed.
    """
    if not LOCK_MEMBER.first(member=member.pk):
        raise Refused([rules.Problem("account_closed", _("This account is closed."))])


def require_name(guest: str) -> None:
    """Refuse a guest of whose name nothing can be seen, or not as it is. Raises Refused."""
    if not is_visible(guest):
        raise Refused([rules.Problem("invalid", _("A guest needs a name."))])
    if turns(guest):
        raise Refused([rules.Problem("invalid", str(TURNED))])


def lock_places(
    *places: Place, member: User | None, now: datetime, but: Booking | None = None
) -> dict[int, Ground]:
    """Return places, by key, which stay as they are until the transaction ends.

    Quotas don't count the booking `but`. What was committed during the wait is known: it is read
    by a later statement than the one that locks, which itself sees only the locked rows anew.
    See also `spaces.services.lock_places`, which closures and changes of parts use.
    """
    wanted = {place.pk for place in places}
    locked = LOCK_PLACES.rows(places=sorted(wanted))
    spaces = {space for _pk, space, _code in locked}
    read = {space: _read(space, member, now, but) for space in spaces}
    found = {}
    for pk, space, code in locked:
        setup, groups, upcoming = read[space]
        if place := setup.place(code):
            venue = setup.venue(groups, now)
            strikes = venue.limits(place.kind).strikes
            missed = missed_by(member, space, strikes, now) if member and strikes else ()
            found[pk] = Ground(place, venue, upcoming, missed)
    if len(found) < len(wanted):
        raise Refused([rules.Problem("not_bookable", _("This place is gone."))])
    return found


def lock_all_places(
    space: Space, *, member: User | None, now: datetime
) -> tuple[Setup, dict[int, Ground]]:
    """Return a space's set-up and its places by key, as `lock_places` does: none can be taken."""
    lock_places_of(space)
    setup, groups, upcoming = _read(space.pk, member, now, None)
    venue = setup.venue(groups, now)
    return setup, {place.pk: Ground(place, venue, upcoming) for place in setup.places}


def _read(
    space: int, member: User | None, now: datetime, but: Booking | None
) -> tuple[Setup, Collection[int], Mapping[str, int] | None]:
    if member is None:
        return setups.current(space), (), None
    ignored = 0 if but is None else but.pk
    rows = GROUND.rows(space=space, member=member.pk, but=ignored, now=now)
    _stamp, groups, kinds = rows[0]
    setup = setups.stamped(space, (stamp for stamp, *_ in rows))
    return setup, people.keys_in(groups), Counter(kinds.split(",") if kinds else ())


def upcoming_of(member: User, space: int, now: datetime) -> Mapping[str, int]:
    """Return how many upcoming bookings a member has in a space, by kind of place."""
    rows = GROUND.rows(space=space, member=member.pk, but=0, now=now)
    kinds = rows[0][2] if rows else ""
    return Counter(kinds.split(",") if kinds else ())


def missed_by(
    member: User, space: int, strikes: Iterable[Strikes], now: datetime
) -> tuple[Missed, ...]:
    """Return a member's no-shows in a space that count for one of these rules."""
    since = now - longest_memory(strikes)
    return tuple(starmap(Missed, MISSED.rows(space=space, member=member.pk, since=since)))


def lock_booking(booking: Booking) -> tuple[Booking, Setup]:
    """Return a booking that stays as it is until the transaction ends, and its space's set-up.

    It may have moved to another place of its space since it was read. Raises Booking.DoesNotExist.
    """
    locked = LOCK_BOOKING.first(booking=booking.pk)
    if locked is None:
        raise Booking.DoesNotExist
    setup = setups.current(booking.place.space_id)
    locked.place = setup.place(locked.place_id) or locked.place
    if Booking.member.is_cached(booking):
        locked.member = booking.member
    return locked, setup


def answered(wish: Wish) -> Booking | None:
    """Return the booking that the same wish became before.

    Under both locks: a guest's double click waits for the place, a member's for the member.
    Raises RequestKeyReused.
    """
    earlier = earlier_of(wish.member, wish.request_key)
    if earlier is not None:
        _require_same(earlier, wish)
    return earlier


def earlier_of(member: User | None, key: str | None) -> Booking | None:
    """Return the booking that somebody's request with this key became."""
    if not key:
        return None
    if member is None:
        return EARLIER_OF_GUEST.first(key=key)
    return EARLIER.first(member=member.pk, key=key)


def _require_same(earlier: Booking, wish: Wish) -> None:
    """Compare with the first request; the booking may have moved since."""
    asked = earlier.events.get(sequence=1).data
    first = Period(
        datetime.fromisoformat(asked["starts_at"]), datetime.fromisoformat(asked["ends_at"])
    )
    same_place = asked["place"]["code"] == str(wish.place.code)
    if not (same_place and first == wish.period and asked["party_size"] == wish.party_size):
        raise RequestKeyReused(str(REUSED))


def insert(booking: Booking, wish: Wish) -> Booking | None:
    """Insert a wish's row, or return the booking that the same wish became before.

    For a guest's key there is no member to lock: its constraint decides. Raises RequestKeyReused.
    """
    if INSERT_BOOKING.one(booking):
        return None
    if earlier := answered(wish):
        return earlier
    booking.save(force_insert=True)  # fails, and says what else forbids the row
    return None


def take_slots(booking: Booking, leaves: Iterable[int]) -> bool:
    """Insert the slots of a booking that has none; tell whether all of them were free.

    The unique constraint decides, here and nowhere else. If one is taken, none is kept. The order
    is always the same, or rivals would wait for each other.
    """
    wanted = [
        BookedSlot(booking=booking, place_id=leaf, slot=slot)
        for leaf in sorted(leaves)
        for slot in slots(booking.period)
    ]
    got = INSERT_SLOTS.many(wanted)
    if got < len(wanted):
        watching.tell("lost_races")
    if 0 < got < len(wanted):
        DELETE_SLOTS.run(booking=booking.pk)
    return got == len(wanted)
