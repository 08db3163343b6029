"""Taking back a slip of the hand: the last thing that happened to a booking, all of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding import daily, pacing, rules
from bookings.deciding.counting import counted
from bookings.deciding.details import contact_before, relink
from bookings.deciding.errors import NotStaff, Refused, TooLate, WrongState
from bookings.deciding.statements import LAST_SEQUENCE
from bookings.deciding.steps import Ground, lock_booking, lock_member, lock_places
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import change, record
from bookings.deciding.visits import UNDO_ACCEPTED_FOR, require_staff, retake, too_many
from bookings.models import Booking, BookingEvent
from bookings.refusals import Door
from bookings.states import UNDOING, State
from spaces import setups
from spaces.slots import Period

Kind = BookingEvent.Kind

#: What can be taken back: the last event of a booking, by whoever did it.
UNDOABLE = {Kind.CHECKED_IN, Kind.SEATED, Kind.EXTENDED, Kind.MOVED}
UNDOABLE |= {Kind.NO_SHOW, Kind.COMPLETED, Kind.CANCELLED}


@counted(lambda booking, **_: (booking.place.space, booking.starts_at, Door.DESK))
@transactional
def undo(booking: Booking, *, event: int, by: User, now: datetime) -> Booking:
    """Take back what this person just did to a booking: its last event, by number.

    Place, time, state, and who the guest is, are again as they were before it. Once more is once: a
    second press changes nothing. Raises NotStaff, TooLate, WrongState, Refused when a quota is used
    up meanwhile, and SlotTaken when somebody else has the place by now.
    """
    setup = setups.current(booking.place.space_id)
    require_staff(setup.space, by)
    # Events never change: these can be read before the locks.
    told = booking.events.filter(sequence__in=[event - 1, event]).order_by("sequence")
    before, done = told if len(told) == 2 else (None, None)
    if done is None or before is None or done.kind not in UNDOABLE:
        raise WrongState(_("This can’t be undone."))
    if done.actor_id != by.pk:
        raise NotStaff(_("Only who did it can undo it."))
    if booking.member is not None:
        lock_member(booking.member)
    was = setup.place(UUID(before.data["place"]["code"])) or booking.place
    locked = lock_places(booking.place, was, member=booking.member, now=now, but=booking)
    ground = locked[was.pk]
    full = too_many(ground, booking, starts_at=_instant(before.data["starts_at"]))
    booking, _setup = lock_booking(booking)
    last = LAST_SEQUENCE.first(booking=booking.pk)
    if last == event + 1 and BookingEvent.objects.undoing(done).exists():
        return booking
    if last != event:
        raise WrongState(_("Something else has happened to this booking since."))
    if now > done.at + UNDO_ACCEPTED_FOR:
        raise TooLate(_("It is too late to undo this."))
    if full and not booking.occupies and not pacing.let_in().filter(booking=booking).exists():
        raise Refused(full)
    known = done.contact_before
    contact = contact_before(booking, known)
    _return(booking, before.data, ground, known, now=now)
    if "guest_contact" in known:
        relink(booking, now=now)
    record(Kind.UNDONE, booking, by=by, now=now, undone=done.kind, contact=contact)
    return booking


def _return(
    booking: Booking, data: Any, ground: Ground, contact: Mapping[str, str], *, now: datetime
) -> None:
    """Make a booking what it was at an earlier event, with the `contact` that changed since."""
    state = State(data["state"])
    if state not in UNDOING[State(booking.state)]:
        raise WrongState(_("This can’t be undone."))
    if not booking.occupies:
        quotas = ground.venue.limits(ground.place.kind).quotas
        if found := rules.of_quotas(quotas, ground.upcoming):
            raise Refused(found)
    was = Period(*map(datetime.fromisoformat, (data["starts_at"], data["ends_at"])))
    if found := daily.problems(
        ground.venue, ground.place, was, member=booking.member, now=now, but=booking
    ):
        raise Refused(found)
    changes = {
        "state": state,
        "place": ground.place,
        "starts_at": _instant(data["starts_at"]),
        "ends_at": _instant(data["ends_at"]),
        "party_size": data["party_size"],
        "note": data["note"],
        "checked_in_at": _instant(data.get("checked_in_at")),
        "seated_at": _instant(data.get("seated_at")),
        **contact,
    }
    change(booking, [State(booking.state)], expected={}, changes=changes)
    retake(booking, ground)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
