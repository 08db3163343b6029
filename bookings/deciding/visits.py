"""The day itself: who came, sits, left or didn't come, and taking back a slip of the hand.

Each verb is one call, one transaction, one event; a walk-in is booked and seated in one. Staff of
the space say them about anybody; see `bookings.deciding.steps` for the order of locks.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding import attendance, in_house, knowing, pacing, rules
from bookings.deciding.counting import counted
from bookings.deciding.errors import (
    NotStaff,
    Refused,
    RequestKeyReused,
    SlotTaken,
    WrongState,
)
from bookings.deciding.numbering import next_walk_in
from bookings.deciding.statements import DELETE_SLOTS, EARLIER_OF_GUEST
from bookings.deciding.steps import (
    REUSED,
    Ground,
    insert,
    lock_booking,
    lock_places,
    require_name,
    take_slots,
)
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import change, record
from bookings.deciding.wish import Wish
from bookings.guests import BY_GUEST, Actor, Guest
from bookings.models import Booking, BookingEvent
from bookings.refusals import Door
from bookings.states import OCCUPYING, State, sources
from bookings.words import words
from spaces.limits import Limits
from spaces.models import Place, Space
from spaces.setups import Setup
from spaces.slots import SLOT, Period, floor

Kind = BookingEvent.Kind


#: Nobody arrives earlier than that: whoever is marked then is somebody else, or of another day.
ARRIVES_AT_MOST_BEFORE = timedelta(hours=12)

#: How long a page offers to take back what was just done.
UNDO_FOR = timedelta(seconds=10)

#: The press takes a while to get here, and machines' clocks differ.
UNDO_ACCEPTED_FOR = UNDO_FOR + timedelta(seconds=5)


@transactional
def arrive(booking: Booking, *, by: User, now: datetime) -> Booking:
    """Record that they are here. Raises NotStaff and WrongState."""
    booking = locked_for(booking, by=by)
    _arrive(booking, by=by, now=now)
    return booking


def _arrive(booking: Booking, *, by: Actor, now: datetime) -> None:
    _require_here(booking, now=now)
    _become(State.CHECKED_IN, booking, {"checked_in_at": now})
    record(Kind.CHECKED_IN, booking, by=by, now=now)


@transactional
def check_in(booking: Booking, *, by: Actor, now: datetime) -> Booking:
    """Record that a member is here, or a guest whom a signed link has let in.

    Where the space asks for it, while its window is open; a second press changes nothing. As long
    as nobody has released the place it is theirs: of a check-in and a release, whichever locks the
    row first has won. Raises NotStaff for anybody else, and WrongState.
    """
    booking, setup = lock_booking(booking)
    if by != (booking.member or BY_GUEST):
        raise NotStaff(_("Only who booked can check in here."))
    if booking.state == State.CHECKED_IN:
        return booking
    if booking.state == State.NO_SHOW:
        raise WrongState(_("Nobody had checked in in time, so the place was given back."))
    _require_held(booking)
    window = attendance.check_in(limits_of(booking, setup, now), booking)
    if window is None:
        raise WrongState(_("Nobody has to check in here."))
    if now < window.opens_at:
        at = words.clock(window.opens_at, setup.space.zone)
        day = words.day_at(window.opens_at, setup.space.zone, now)
        raise WrongState(_("Check-in opens on %(day)s, %(time)s.") % {"day": day, "time": at})
    _arrive(booking, by=by, now=now)
    return booking


def limits_of(booking: Booking, setup: Setup, now: datetime) -> Limits:
    """Return what its space asks of a booking's person."""
    return setup.venue_for(booking.member, now).limits(booking.place.kind, booking.starts_at)


def miss(booking: Booking, *, by: User | None, now: datetime) -> None:
    """Make a locked booking a no-show. For services."""
    _become(State.NO_SHOW, booking, {})
    DELETE_SLOTS.run(booking=booking.pk)
    record(Kind.NO_SHOW, booking, by=by, now=now)


@transactional
def seat(booking: Booking, *, by: User, now: datetime) -> Booking:
    """Record that they sit at their place; that they arrived too, if nobody said so.

    Raises NotStaff and WrongState.
    """
    booking = locked_for(booking, by=by)
    sit(booking, by=by, now=now)
    return booking


def sit(booking: Booking, *, by: User, now: datetime) -> None:
    """Do what `seat` does, to a locked booking. For services."""
    if booking.seated_at:
        raise WrongState(_("They are already seated."))
    changes = {"seated_at": now}
    if booking.state == State.CHECKED_IN:
        change(booking, [State.CHECKED_IN], expected={"seated_at": None}, changes=changes)
    else:
        _require_here(booking, now=now)
        _become(State.CHECKED_IN, booking, {**changes, "checked_in_at": now})
    record(Kind.SEATED, booking, by=by, now=now)


@transactional
def leave(booking: Booking, *, by: User, now: datetime) -> Booking:
    """Complete a visit, and give back the rest of its time at once.

    It then ends at the next quarter hour, but lasts one at least, and never longer than it was
    booked for. The quarter hour that is running can be booked too: nobody sits there any more.
    Raises NotStaff and WrongState.
    """
    booking = locked_for(booking, by=by)
    if booking.state != State.CHECKED_IN and not booking.has_started(now):
        raise WrongState(_("This booking hasn’t begun yet."))
    left = floor(now)
    left += SLOT if left < now else timedelta(0)
    ends_at = min(max(left, booking.starts_at + SLOT), booking.ends_at)
    _become(State.COMPLETED, booking, {"ends_at": ends_at})
    DELETE_SLOTS.run(booking=booking.pk)
    record(Kind.COMPLETED, booking, by=by, now=now)
    return booking


@transactional
def no_show(booking: Booking, *, by: User, now: datetime) -> Booking:
    """Record that nobody came, and give the place back at once. Raises NotStaff and WrongState."""
    booking = locked_for(booking, by=by)
    if not booking.has_started(now):
        raise WrongState(_("This booking hasn’t begun yet."))
    miss(booking, by=by, now=now)
    return booking


@counted(lambda booking, **_: (booking.place.space, booking.starts_at, Door.DESK))
@transactional
def extend(booking: Booking, *, ends_at: datetime, by: User, now: datetime) -> Booking:
    """Let them stay until a later quarter hour; they keep the old time if that fails.

    The house decides how long: its longest booking and its steps don't apply, its hours do.
    Raises NotStaff, Refused, SlotTaken and WrongState.
    """
    ground = lock_places(booking.place, member=None, now=now)[booking.place_id]
    booking = locked_for(booking, by=by)
    if booking.place_id != ground.place.pk:
        raise WrongState(_("This booking was changed a moment ago. Look at it again."))
    _require_held(booking)
    more = Period(booking.ends_at, ends_at)
    whole = Period(booking.starts_at, ends_at)
    if found := in_house.of_extension(ground.venue, ground.place, whole, more, now=now):
        raise Refused(found)
    change(
        booking,
        sorted(OCCUPYING),
        expected={"place": booking.place_id, "ends_at": booking.ends_at},
        changes={"ends_at": ends_at},
    )
    retake(booking, ground)
    record(Kind.EXTENDED, booking, by=by, now=now)
    return booking


def too_many(
    ground: Ground, booking: Booking, *, starts_at: datetime | None = None
) -> list[rules.Problem]:
    """Return the problem if too many people would begin at that time. Locks the space."""
    return pacing.problems(
        ground.venue,
        ground.place.space_id,
        starts_at or booking.starts_at,
        party_size=booking.party_size,
        channel=booking.channel,
        but=booking,
    )


def walk_in_now(
    place: Place,
    *,
    party_size: int,
    ends_at: datetime,
    by: User,
    now: datetime,
    guest_name: str = "",
    guest_contact: str = "",
    guest: Guest | None = None,
    note: str = "",
    request_key: str | None = None,
    over_pacing: bool = False,
) -> Booking:
    """Book a place from the quarter hour that is running, and seat them: two events.

    It may be shorter than the shortest booking and fit no step. Without a name it gets a number of
    the day. The same request key returns the visit that it began. The staff see the kitchen: they
    may seat more than arrive at once (`over_pacing`), which the event then says. See also
    `walk_ins`. Raises NotStaff, Refused, SlotTaken and RequestKeyReused.
    """
    require_staff(place.space, by)
    if name := guest_name.strip():
        require_name(name)
    if guest is None and guest_contact:
        phone, email = knowing.contacts(guest_contact)
        guest = knowing.recognise(
            place.space, name=name or guest_contact, phone=phone, email=email, now=now, learn=True
        )
    ground = lock_places(place, member=None, now=now)[place.pk]
    wish = Wish(
        place=ground.place,
        member=None,
        starts_at=floor(now),
        ends_at=ends_at,
        party_size=party_size,
        request_key=request_key,
        note=note,
        guest_name=name or next_walk_in(ground, now),
        guest_contact=guest_contact,
        guest=guest,
        channel=Booking.Channel.WALK_IN,
    )
    if request_key and (earlier := EARLIER_OF_GUEST.first(key=request_key)):
        if earlier.place_id != place.pk:
            raise RequestKeyReused(str(REUSED))
        return earlier
    found = in_house.of_walk_in(ground.venue, ground.place, wish.period, party_size, now=now)
    booking = wish.booking(State.CONFIRMED, now=now)
    booking.decided_at = now
    full = too_many(ground, booking)
    if found or (full and not over_pacing):
        raise Refused(found or full)
    if earlier := insert(booking, wish):
        return earlier
    retake(booking, ground)
    problems = [problem.code for problem in full]
    record(Kind.CONFIRMED, booking, by=by, now=now, sequence=1, problems=problems)
    sit(booking, by=by, now=now)
    return booking


#: In a transaction of its own.
walk_in = transactional(walk_in_now)


def locked_for(booking: Booking, *, by: User) -> Booking:
    """Return a booking that stays as it is, for staff of its space alone."""
    found, setup = lock_booking(booking)
    require_staff(setup.space, by)
    return found


def require_staff(space: Space, by: User) -> None:
    if not Space.objects.run_by(by).filter(pk=space.pk).exists():
        raise NotStaff(_("Only the staff of that space may do that."))


def _require_held(booking: Booking) -> None:
    if booking.is_undecided:
        raise WrongState(_("This booking is not decided yet. Look again in a moment."))
    if not booking.occupies:
        raise WrongState(
            _("This booking is already %(state)s.") % {"state": booking.get_state_display()}
        )


def _require_here(booking: Booking, *, now: datetime) -> None:
    """Raise unless somebody may arrive for it now."""
    _require_held(booking)
    if booking.ends_at <= now:
        raise WrongState(_("This booking is over."))
    if now < booking.starts_at - ARRIVES_AT_MOST_BEFORE:
        raise WrongState(_("This booking is for another day."))


def _become(state: State, booking: Booking, changes: dict[str, Any]) -> None:
    """Move a locked booking along TRANSITIONS. Raises WrongState, in words for the state it has."""
    if State(booking.state) not in sources(state):
        _require_held(booking)
        raise WrongState(
            _("This booking is already %(state)s.") % {"state": booking.get_state_display()}
        )
    seen = {"place": booking.place_id, "starts_at": booking.starts_at, "ends_at": booking.ends_at}
    change(booking, sources(state), expected=seen, changes={"state": state, **changes})


def retake(booking: Booking, ground: Ground) -> None:
    """Give a booking exactly the slots of its place and time. Raises SlotTaken."""
    DELETE_SLOTS.run(booking=booking.pk)
    if not take_slots(booking, ground.venue.leaves(ground.place.pk)):
        raise SlotTaken(_("Someone has %(place)s for that time.") % {"place": str(ground.place)})
