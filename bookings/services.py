"""Everything that changes a booking. One call, one transaction, one event.

Locks are taken in one order everywhere: the member, then places by key, then bookings, then slots.
The locks keep what the *rules* read (quotas, closures, parts) from changing under a decision; who
gets a place is decided by `BookedSlot`'s unique constraint alone.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from bookings import rules
from bookings.errors import Refused, RequestKeyReused, SlotTaken, TooLate, WrongState
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.states import OCCUPYING, State
from bookings.transactions import transactional
from bookings.transitions import change, move_to, record
from spaces.models import Place, Space
from spaces.slots import Period, slots
from spaces.venue import Venue

BATCH = 200
REUSED = gettext_lazy("This form was already used for another booking.")


@transactional
def book(
    place: Place,
    *,
    member: User | None,
    starts_at: datetime,
    ends_at: datetime,
    party_size: int,
    by: User,
    now: datetime,
    request_key: str | None = None,
    note: str = "",
    guest_name: str = "",
    guest_contact: str = "",
) -> Booking:
    """Decide a request for a place: return the booking, CONFIRMED, or REJECTED when it is taken.

    The same `(member, request_key)` returns the booking it made before. Instants are aware. What
    staff book for somebody (`by` is not the member) may begin in the step that is running.
    Raises Refused with every broken rule (nothing is written) and RequestKeyReused.
    """
    period = Period(starts_at, ends_at)
    if member is not None:
        _lock_member(member)
    place, venue = _lock_places(place, member=member, now=now)[place.pk]
    # Under both locks: a guest's double click waits for the place, a member's for the member.
    if request_key and (earlier := _answered(member, request_key)):
        _require_same(earlier, place, period, party_size)
        return earlier
    found = rules.problems(
        venue,
        place,
        period,
        party_size=party_size,
        now=now,
        upcoming=_upcoming_by_kind(member, place, venue, now),
        walk_in=by != member,
    )
    if found:
        raise Refused(found)
    booking = Booking(
        member=member,
        guest_name=guest_name,
        guest_contact=guest_contact,
        place=place,
        starts_at=starts_at,
        ends_at=ends_at,
        party_size=party_size,
        state=State.CHECKING_AVAILABILITY,
        note=note,
        request_key=request_key or None,
        created_at=now,
    )
    _insert(booking)
    taken = not _take_slots(booking, venue.leaves(place.pk))
    move_to(State.REJECTED if taken else State.CONFIRMED, booking, by=by, now=now, sequence=1)
    return booking


@transactional
def cancel(booking: Booking, *, by: User, now: datetime, reason: str = "") -> Booking:
    """Give the place back. A member may until the deadline; staff of the space until the end.

    Raises TooLate and WrongState.
    """
    # A move under way ends first: what is cancelled, and told, is where the booking is then.
    Booking.objects.select_for_update(no_key=True).get(pk=booking.pk)
    booking = Booking.objects.with_place().get(pk=booking.pk)
    _require_changeable(booking, by=by, now=now)
    move_to(State.CANCELLED, booking, by=by, now=now, reason=reason)
    return booking


@transactional
def reschedule(
    booking: Booking,
    *,
    place: Place,
    starts_at: datetime,
    ends_at: datetime,
    by: User,
    now: datetime,
    party_size: int | None = None,
) -> Booking:
    """Move a booking within its space to another time or place; it stays where it is if that fails.

    Raises SlotTaken, Refused, TooLate and WrongState.
    """
    period = Period(starts_at, ends_at)
    if booking.member is not None:
        _lock_member(booking.member)
    locked = _lock_places(booking.place, place, member=booking.member, now=now)
    booking = Booking.objects.with_place().get(pk=booking.pk)
    new_place, venue = locked[place.pk]
    people = booking.party_size if party_size is None else party_size
    if (booking.place_id, booking.period, booking.party_size) == (place.pk, period, people):
        return booking
    _require_changeable(booking, by=by, now=now)
    if new_place.space_id != booking.place.space_id:
        raise Refused([rules.Problem("other_space", _("That place is in another space."))])
    changes_kind = new_place.kind != booking.place.kind
    found = rules.problems(
        venue,
        new_place,
        period,
        party_size=people,
        now=now,
        upcoming=_upcoming_by_kind(booking.member, new_place, venue, now, but=booking)
        if changes_kind
        else None,
    )
    if found:
        raise Refused(found)
    before = {"place": booking.place_id, "starts_at": booking.starts_at, "ends_at": booking.ends_at}
    after = {"place": new_place, "starts_at": starts_at, "ends_at": ends_at, "party_size": people}
    change(booking, sorted(OCCUPYING), expected=before, changes=after)
    booking.booked_slots.all().delete()
    if not _take_slots(booking, venue.leaves(new_place.pk)):
        raise SlotTaken(_("Someone has %(place)s for that time.") % {"place": str(new_place)})
    record(BookingEvent.Kind.MOVED, booking, by=by, now=now)
    return booking


def complete_past(*, now: datetime) -> int:
    """Finish the bookings whose time is over; return how many. Workers may run it side by side."""
    finished = 0
    while due := list(Booking.objects.past_due(now).with_place()[:BATCH]):
        finished += sum(_complete(booking, now=now) for booking in due)
    return finished


@transactional
def _complete(booking: Booking, *, now: datetime) -> bool:
    try:
        move_to(State.COMPLETED, booking, by=None, now=now)
    except WrongState:  # another worker, or a last-minute cancellation, was first
        return False
    return True


# --- Steps that services share --------------------------------------------------------------------


def _lock_member(member: User) -> None:
    """Take one member's requests one by one: quotas are counted and keys compared under this."""
    locked = User.objects.select_for_update(no_key=True).get(pk=member.pk)
    if not locked.is_active:
        raise Refused([rules.Problem("account_closed", _("This account is closed."))])


def _lock_places(
    *places: Place, member: User | None, now: datetime
) -> dict[int, tuple[Place, Venue]]:
    """Return places and their venues as they are and stay until the transaction ends.

    See also `spaces.services.lock_places`, which closures and changes of parts take.
    """
    locked = list(
        Place.objects.filter(pk__in={place.pk for place in places})
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    spaces = Space.objects.with_setup(since=now, member=member).in_bulk(
        {place.space_id for place in locked}
    )
    if len(locked) < len({place.pk for place in places}):
        raise Refused([rules.Problem("not_bookable", _("This place is gone."))])
    for place in locked:
        place.space = spaces[place.space_id]
    venues = {pk: Venue.of(space) for pk, space in spaces.items()}
    return {place.pk: (place, venues[place.space_id]) for place in locked}


def _answered(member: User | None, request_key: str) -> Booking | None:
    mine = Booking.objects.filter(member=member, request_key=request_key)
    return mine.with_place().order_by("pk").first()


def _insert(booking: Booking) -> None:
    """Insert the row. A guest's key has no member's lock to wait for: its constraint decides."""
    try:
        booking.save(force_insert=True)
    except IntegrityError as error:
        if booking.member is None and booking.request_key:
            raise RequestKeyReused(str(REUSED)) from error
        raise


def _require_same(earlier: Booking, place: Place, period: Period, party_size: int) -> None:
    """Compare with what was asked the first time; the booking may have moved since."""
    asked = earlier.events.get(sequence=1).data
    first = Period(
        datetime.fromisoformat(asked["starts_at"]), datetime.fromisoformat(asked["ends_at"])
    )
    same_place = asked["place"]["code"] == str(place.code)
    if not (same_place and first == period and asked["party_size"] == party_size):
        raise RequestKeyReused(str(REUSED))


def _upcoming_by_kind(
    member: User | None, place: Place, venue: Venue, now: datetime, but: Booking | None = None
) -> dict[str, int] | None:
    """Count what quotas limit, under the member's lock; None when no quota applies."""
    if member is None or not venue.limits(place.kind).quotas:
        return None
    mine = Booking.objects.of(member).in_space(place.space)
    if but is not None:
        mine = mine.exclude(pk=but.pk)
    return mine.upcoming_by_kind(now)


def _require_changeable(booking: Booking, *, by: User, now: datetime) -> None:
    if not booking.occupies or booking.ends_at <= now:
        raise WrongState(
            _("This booking is %(state)s already.") % {"state": booking.get_state_display()}
            if not booking.occupies
            else _("This booking is over.")
        )
    if Space.objects.run_by(by).filter(pk=booking.place.space_id).exists():
        return
    space = Space.objects.with_setup(since=now, member=booking.member).get(
        pk=booking.place.space_id
    )
    until = rules.cancel_until(Venue.of(space), booking.place, booking.starts_at)
    if now > until or booking.has_started(now):
        raise TooLate(_("It is too late to change this booking. Please ask the staff."))


def _take_slots(booking: Booking, leaves: Iterable[int]) -> bool:
    """Insert the booking's slots, in one order for everybody; tell whether they were all free.

    The unique constraint decides, here and nowhere else.
    """
    rows = [
        BookedSlot(booking=booking, place_id=leaf, slot=slot)
        for leaf in sorted(leaves)
        for slot in slots(booking.period)
    ]
    try:
        with transaction.atomic():
            BookedSlot.objects.bulk_create(rows)
    except IntegrityError:
        return False
    return True
