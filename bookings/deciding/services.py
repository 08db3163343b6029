"""Everything that changes a booking. One call, one transaction, one event.

See `bookings.deciding.steps` for the lock order and what the locks are for.
"""

from dataclasses import replace
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding import daily, knowing, pacing, rules, welcoming
from bookings.deciding.counting import counted, door_of, door_of_change
from bookings.deciding.details import (
    UNCHANGED,
    Details,
    contact_before,
    relink,
    require_known,
    write,
)
from bookings.deciding.errors import Refused, SlotTaken, TooLate, WrongState
from bookings.deciding.statements import DELETE_SLOTS
from bookings.deciding.steps import (
    Ground,
    answered,
    insert,
    lock_booking,
    lock_member,
    lock_places,
    objections,
    require_name,
    take_slots,
)
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import change, move_to, record
from bookings.deciding.wish import Wish
from bookings.guests import BY_GUEST, Actor
from bookings.models import Booking, BookingEvent
from bookings.refusals import Door
from bookings.states import OCCUPYING, TRANSITIONS, State
from spaces import setups
from spaces.contact import ask_the_staff
from spaces.models import Place, Space
from spaces.setups import Setup
from spaces.slots import Period

#: How many past bookings make one unit of a worker's work.
BATCH = 20

#: How many undecided requests one member may have: three whole batches. Decisions follow arrival,
#: so a flood from one person would keep everybody else waiting.
MOST_UNDECIDED = 300


@counted(lambda wish, **_: (wish.place.space, wish.starts_at, door_of(wish.channel)))
@transactional
def book(wish: Wish, *, by: Actor, now: datetime, over_pacing: bool = False) -> Booking:
    """Decide a wish: return the booking, CONFIRMED, or REJECTED when the place is taken.

    By a guest, only where the space allows it. The same `(member, request_key)` returns the booking
    it made before. What staff book for somebody (`by` is not the member) may begin in the step that
    is running; they may let in more than arrive at once (`over_pacing`), which the event then says.
    Raises Refused with every broken rule (nothing is written) and RequestKeyReused.
    """
    wish = _for_somebody(wish, now=now)
    ground = lock_places(wish.place, member=wish.member, now=now)[wish.place.pk]
    booking = replace(wish, place=ground.place).booking(State.CONFIRMED, now=now)
    booking.decided_at = now
    found = welcoming.objections(wish, ground, now=now) if by is BY_GUEST else []
    found, let_in = pacing.insisted(
        [*found, *objections(booking, ground, by=by, now=now)],
        over_pacing and pacing.is_in_house(wish.channel),
    )
    if found:
        # Not earlier: a repeated request runs into its own booking, or into a rule it used up.
        if earlier := answered(wish):
            return earlier
        raise Refused(found)
    if earlier := insert(booking, wish):
        return earlier
    kind = BookingEvent.Kind.CONFIRMED
    if not take_slots(booking, ground.venue.leaves(ground.place.pk)):
        kind = BookingEvent.Kind.REJECTED
        lost = {"state": State.REJECTED, "problems": ["slot_taken"]}
        change(booking, [State.CONFIRMED], expected={}, changes=lost)
        let_in = []
    record(kind, booking, by=by, now=now, sequence=1, problems=let_in)
    return booking


@counted(lambda wish, **_: (wish.place.space, wish.starts_at, door_of(wish.channel)))
@transactional
def request(wish: Wish, *, by: User | None, now: datetime) -> Booking:
    """Accept a wish without deciding it: return the booking, CREATED.

    `bookings.deciding.queueing` decides it next. `by` is None when the house requests, for example
    in an import. The same `(member, request_key)` returns the booking that it made before, here or
    in `book`. Raises RequestKeyReused, and Refused for what can't be any booking, for a member with
    too many undecided, and for a closed account, which must not be given a name or a note again.
    """
    if found := rules.unstorable(wish.place, wish.period, wish.party_size):
        raise Refused(found)
    wish = _for_somebody(wish, now=now)
    member = wish.member
    # An insert under the place's lock commits before the next one gets its key: the order of
    # keys is the order of arrival, and nobody jumps the queue.
    place = (
        Place.objects.select_related("space")
        .select_for_update(no_key=True, of=("self",))
        .get(pk=wish.place.pk)
    )
    if earlier := answered(wish):
        return earlier
    if member is not None and by == member:
        undecided = Booking.objects.of(member).undecided().count()
        if undecided >= MOST_UNDECIDED:
            raise Refused([rules.too_many_undecided(undecided)])
    booking = replace(wish, place=place).booking(State.CREATED, now=now)
    if earlier := insert(booking, wish):
        return earlier
    record(BookingEvent.Kind.CREATED, booking, by=by, now=now, sequence=1)
    return booking


def _for_somebody(wish: Wish, *, now: datetime) -> Wish:
    """Lock the member, or the guest, whom the space may know already."""
    if wish.member is not None:
        lock_member(wish.member)
        return wish
    require_name(wish.guest_name)
    if wish.guest is not None:
        return wish
    # Guests themselves must not add to what the staff know of somebody.
    learn = wish.channel != Booking.Channel.GUEST
    return replace(wish, guest=knowing.guest_of(wish, now=now, learn=learn))


@counted(
    lambda booking, *, by, **_: (
        booking.place.space,
        booking.starts_at,
        door_of_change(booking, by),
    )
)
@transactional
def cancel(booking: Booking, *, by: Actor, now: datetime, reason: str = "") -> Booking:
    """Give the place back. Members may until the `Deadline`; the space's staff until the end.

    Raises TooLate and WrongState.
    """
    # A move in progress finishes first, so that we cancel, and report, the booking where it is
    # then.
    booking, setup = lock_booking(booking)
    require_changeable(booking, by=by, now=now, to=State.CANCELLED, setup=setup)
    move_to(State.CANCELLED, booking, by=by, now=now, reason=reason)
    return booking


@counted(
    lambda booking, *, starts_at, by, **_: (
        booking.place.space,
        starts_at,
        door_of_change(booking, by),
    )
)
@transactional
def reschedule(
    booking: Booking,
    *,
    place: Place,
    starts_at: datetime,
    ends_at: datetime,
    by: Actor,
    now: datetime,
    party_size: int | None = None,
    details: Details = UNCHANGED,
    seen: int | None = None,
    over_pacing: bool = False,
) -> Booking:
    """Move a booking within its space to another time or place; it stays where it is if that fails.

    New `details` are written together with the move, or not at all. The staff may move what has
    begun, and let in more than arrive at once (`over_pacing`), which the event then says. `seen` is
    the number of the last event that whoever asks knows of.
    Raises SlotTaken, Refused, TooLate and WrongState.
    """
    period = Period(starts_at, ends_at)
    if booking.member is not None:
        lock_member(booking.member)
    locked = lock_places(booking.place, place, member=booking.member, now=now, but=booking)
    people = booking.party_size if party_size is None else party_size
    full = pacing.problems(
        locked[place.pk].venue,
        place.space_id,
        starts_at,
        party_size=people,
        channel=booking.channel,
        but=booking,
    )
    # Nobody may amend it meanwhile.
    booking, setup = lock_booking(booking)
    require_known(booking, seen)
    ground = locked[place.pk]
    new_place = ground.place
    asked = (place.pk, period, people)
    if booking.occupies and asked == (booking.place_id, booking.period, booking.party_size):
        write(booking, details, by=by, now=now)
        return booking
    require_changeable(booking, by=by, now=now, setup=setup)
    if new_place.space_id != booking.place.space_id:
        raise Refused([rules.Problem("other_space", _("That place is in another space."))])
    found = _objections_to_move(booking, ground, period, people, by=by, now=now)
    # Those who stay at their time have arrived in it already, whatever the limit is now.
    if full and (starts_at != booking.starts_at or people > booking.party_size):
        found += full
    is_staff = door_of_change(booking, by) == Door.DESK
    found, let_in = pacing.insisted(found, over_pacing and is_staff)
    if found:
        raise Refused(found)
    before = {"place": booking.place_id, "starts_at": booking.starts_at, "ends_at": booking.ends_at}
    after = {"place": new_place, "starts_at": starts_at, "ends_at": ends_at, "party_size": people}
    written = details.changes(booking)
    contact = contact_before(booking, written)
    change(booking, sorted(OCCUPYING), expected=before, changes={**after, **written})
    DELETE_SLOTS.run(booking=booking.pk)
    if not take_slots(booking, ground.venue.leaves(new_place.pk)):
        raise SlotTaken(_("Someone has %(place)s for that time.") % {"place": str(new_place)})
    if "guest_contact" in written:
        relink(booking, now=now)
    kind = BookingEvent.Kind.MOVED
    record(kind, booking, by=by, now=now, contact=contact, problems=let_in)
    return booking


def _objections_to_move(
    booking: Booking, ground: Ground, period: Period, people: int, *, by: Actor, now: datetime
) -> list[rules.Problem]:
    """Return every rule that a move breaks. All rows are locked.

    The house moves what has begun as it sits there, and a walk-in as it came: by quarter hours.
    """
    is_staff = by is not BY_GUEST and by != booking.member
    place = ground.place
    if is_staff and (place.pk, period) == (booking.place_id, booking.period):
        return rules.of_people(place, people)
    has_begun = booking.has_started(now)
    found = rules.problems(
        ground.venue,
        place,
        period,
        party_size=people,
        now=now,
        upcoming=ground.upcoming if place.kind != booking.place.kind else None,
        walk_in=is_staff,
        any_length=is_staff and (has_begun or booking.channel == Booking.Channel.WALK_IN),
        begun_at=booking.starts_at if is_staff and has_begun else None,
    )
    return found + daily.problems(
        ground.venue, place, period, member=booking.member, now=now, but=booking
    )


def complete_past(*, now: datetime) -> int:
    """Complete some of the bookings whose time is over; return how many, 0 when none is left.

    Workers may run this side by side.
    """
    due = Booking.objects.past_due(now).with_place()[:BATCH]
    return sum(_complete(booking, now=now) for booking in due)


@transactional
def _complete(booking: Booking, *, now: datetime) -> bool:
    try:
        move_to(State.COMPLETED, booking, by=None, now=now)
    except WrongState:  # another worker, or a last-minute cancellation, was first
        return False
    return True


def require_changeable(
    booking: Booking,
    *,
    by: Actor,
    now: datetime,
    to: State | None = None,
    setup: Setup | None = None,
) -> None:
    """Raise if a person may not move a booking now, or change it `to` a state.

    Pages use this too, so that they promise nothing else. Needs the booking's place and space; the
    `setup` is read unless it is given. Raises WrongState and TooLate.
    """
    if booking.is_undecided:
        raise WrongState(_("This booking is not decided yet. Look again in a moment."))
    if booking.state == State.REJECTED:
        raise WrongState(_("This request was refused: there is nothing to change."))
    is_past_that = to is not None and to not in TRANSITIONS[State(booking.state)]
    if not booking.occupies or is_past_that:
        named = {"state": booking.get_state_display()}
        raise WrongState(_("This booking is already %(state)s.") % named)
    if booking.ends_at <= now:
        raise WrongState(_("This booking is over."))
    setup = setup or setups.current(booking.place.space_id)
    assert booking.decided_at is not None  # it occupies
    limits = setup.venue_for(booking.member, now).limits(booking.place.kind, booking.starts_at)
    if rules.deadline(limits, booking.period, made_at=booking.decided_at).allows(now):
        return
    if by is BY_GUEST or not Space.objects.run_by(by).filter(pk=setup.space.pk).exists():
        raise TooLate(f"{_('It is too late to change this booking.')} {ask_the_staff(setup.space)}")
