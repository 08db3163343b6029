"""What somebody may do at a door, with a screen's key instead of a session.

Nobody is signed in there, so the events name the screen and no actor. The screen's row is read in
the transaction: what was forbidden it a moment ago, or revoked, is forbidden.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from bookings.deciding import in_house, pacing, rules
from bookings.deciding.counting import counted
from bookings.deciding.errors import NotStaff, Refused, SlotTaken, WrongState
from bookings.deciding.numbering import next_walk_in
from bookings.deciding.statements import EARLIER_OF_GUEST
from bookings.deciding.steps import insert, lock_booking, lock_places, take_slots
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import change, record
from bookings.deciding.wish import Wish
from bookings.doors import DoorView
from bookings.models import Booking, BookingEvent
from bookings.refusals import Door
from bookings.states import State
from bookings.words import words
from spaces.models import Place
from spaces.slots import SLOT, floor
from spaces.venue import Venue

#: How long a free place is taken for, at most; to the end of that quarter hour.
USED_FOR = timedelta(minutes=30)
#: How long before the start somebody may check in at the door where no rule says it.
OPENS_BEFORE = timedelta(minutes=15)


@transactional
def check_in(booking: Booking, *, door: DoorView, now: datetime) -> Booking:
    """Record that whoever booked is at the door; a second press changes nothing.

    Of a check-in and a release, whichever locks the row first has won. Raises NotStaff when the
    screen may not, and WrongState.
    """
    booking, setup = lock_booking(booking)
    door = _allowed(door, check_in=True)
    leaves = setup.venue((), now).leaves
    here = [place for place in setup.bookable if door.shows(place)]
    if not any(leaves(place.pk) & leaves(booking.place_id) for place in here):
        raise NotStaff(_("This booking is for another place."))
    if booking.state == State.CHECKED_IN:
        return booking
    if booking.state != State.CONFIRMED:
        named = {"state": booking.get_state_display()}
        raise WrongState(_("This booking is already %(state)s.") % named)
    if booking.ends_at <= now:
        raise WrongState(_("This booking is over."))
    opens = opens_at(setup.venue((), now), booking.place.kind, booking.starts_at)
    if now < opens:
        zone = setup.space.zone
        said = {"day": words.day_at(opens, zone, now), "time": words.clock(opens, zone)}
        raise WrongState(_("Check-in opens on %(day)s, %(time)s.") % said)
    changes = {"state": State.CHECKED_IN, "checked_in_at": now}
    change(booking, [State.CONFIRMED], expected={}, changes=changes)
    record(BookingEvent.Kind.CHECKED_IN, booking, by=None, now=now, reason=door.name)
    return booking


def opens_at(venue: Venue, kind: str, starts_at: datetime) -> datetime:
    """Return from when a booking's people may check in at the door, by the rules for everybody.

    A screen knows nobody, so that rules of a group don't count there.
    """
    opens = venue.limits(kind, starts_at).check_in_opens
    return starts_at - (OPENS_BEFORE if opens is None else opens)


def latest_end(now: datetime) -> datetime:
    """Return until when a free place may be taken at the door."""
    end = floor(now + USED_FOR)
    return end if end >= now + USED_FOR else end + SLOT


@counted(lambda place, *, now, **_: (place.space, now, Door.SCREEN))
@transactional
def use_now(
    place: Place, *, ends_at: datetime, door: DoorView, request_key: UUID, now: datetime
) -> Booking:
    """Book a free place for whoever stands at its door, from the quarter hour that is running.

    It is a walk-in like those of the staff: numbered, and counted among the arrivals. The same
    request key returns the booking that it made. Raises NotStaff when the screen may not, Refused
    and SlotTaken.
    """
    ground = lock_places(place, member=None, now=now)[place.pk]
    door = _allowed(door, walk_in=True)
    if ground.place.space_id != door.space_id or not door.shows(ground.place):
        raise NotStaff(_("This screen is for other places."))
    wish = Wish(
        place=ground.place,
        member=None,
        starts_at=floor(now),
        ends_at=ends_at,
        request_key=f"door:{door.code}:{request_key}",
        guest_name=next_walk_in(ground, now),
        channel=Booking.Channel.WALK_IN,
    )
    if earlier := EARLIER_OF_GUEST.first(key=wish.request_key):
        return earlier
    if ends_at > latest_end(now):
        raise Refused([rules.Problem("too_long", _("This is too long. Look at it again."))])
    booking = wish.booking(State.CONFIRMED, now=now)
    booking.decided_at = now
    found = in_house.of_walk_in(ground.venue, ground.place, wish.period, 1, now=now)
    if found := found or pacing.problems(
        ground.venue, door.space_id, booking.starts_at, party_size=1, channel=booking.channel
    ):
        raise Refused(found)
    if earlier := insert(booking, wish):
        return earlier
    if not take_slots(booking, ground.venue.leaves(ground.place.pk)):
        raise SlotTaken(_("Someone has %(place)s for that time.") % {"place": str(ground.place)})
    record(BookingEvent.Kind.CONFIRMED, booking, by=None, now=now, sequence=1, reason=door.name)
    here = {"state": State.CHECKED_IN, "checked_in_at": now, "seated_at": now}
    change(booking, [State.CONFIRMED], expected={}, changes=here)
    record(BookingEvent.Kind.SEATED, booking, by=None, now=now, reason=door.name)
    return booking


def _allowed(door: DoorView, *, check_in: bool = False, walk_in: bool = False) -> DoorView:
    """Return the screen as it is now, if it may do that."""
    found = DoorView.objects.filter(pk=door.pk, space__is_active=True).first()
    if found is None or (check_in and not found.may_check_in):
        raise NotStaff(_("This screen may not do that."))
    if walk_in and not found.may_walk_in:
        raise NotStaff(_("This screen may not do that."))
    return found
