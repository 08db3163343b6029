"""Tables that are held: a party is told that one is ready, and whoever says yes first has it.

A hold is a booking in the state OFFERED, with its slots: nobody can take the table by any way. It
is one row, locked before the parties that were told of it, in the order of
`bookings.deciding.steps`. So of two who say yes, and of a yes and the end of the hold, whichever
locks it first has won.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding import in_house, pacing, rules
from bookings.deciding.counting import counted
from bookings.deciding.errors import Refused, SlotTaken, TooLate, WrongState
from bookings.deciding.steps import insert, lock_booking, lock_places
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import change, move_to, record
from bookings.deciding.visits import require_staff, retake, too_many
from bookings.deciding.walk_ins import Seat
from bookings.deciding.wish import Wish
from bookings.guests import BY_GUEST, Actor
from bookings.models import Booking, BookingEvent
from bookings.refusals import Door
from bookings.states import State
from bookings.waiting import CAN_BE_TOLD, WITH_TABLE, PartyState, WaitingNews, WaitingParty
from spaces.models import Place, Space
from spaces.slots import floor

#: How many holds one unit of a worker's work ends.
BATCH = 20

Kind = BookingEvent.Kind


class Missed(WrongState):
    """Somebody else was quicker to say yes: the party keeps its place in the list."""

    code = "missed"


def changed() -> WrongState:
    return WrongState(_("The list was changed a moment ago. Look at it again."))


# --- Telling --------------------------------------------------------------------------------------


@counted(lambda party, *_, now, **__: (party.space, now, Door.WALK_IN))
def tell(party: WaitingParty, seat: Seat, *, by: User, now: datetime) -> WaitingParty:
    """Hold a place for a party, and tell it: it has the space's minutes to answer.

    Once more is once. Raises NotStaff, Refused, SlotTaken, and WrongState when it isn't waiting any
    more.
    """
    try:
        return _tell(party, seat, by=by, now=now)
    except (Refused, SlotTaken, WrongState):
        if told := told_of(party, seat.place):
            return told
        raise


def told_of(party: WaitingParty, place: Place | None) -> WaitingParty | None:
    """Return a party that is told already of a place (None: of any); a press came twice."""
    rows = WaitingParty.objects.told().select_related("space", "guest", "booking")
    there_now = rows.filter(pk=party.pk, booking__state=State.OFFERED)
    return (there_now.filter(booking__place=place) if place else there_now).first()


@transactional
def _tell(party: WaitingParty, seat: Seat, *, by: User, now: datetime) -> WaitingParty:
    require_staff(seat.place.space, by)
    ground = lock_places(seat.place, member=None, now=now)[seat.place.pk]
    wish = Wish(
        place=ground.place,
        member=None,
        starts_at=floor(now),
        ends_at=seat.ends_at,
        party_size=party.party_size,
        guest_name=party.name,
        guest=party.guest,
        channel=Booking.Channel.WALK_IN,
    )
    hold = wish.booking(State.OFFERED, now=now)
    hold.decided_at = now
    hold.hold_expires_at = _until(hold, ground.place.space, now)
    found = in_house.of_walk_in(ground.venue, ground.place, wish.period, wish.party_size, now=now)
    if found := found or too_many(ground, hold):
        raise Refused(found)
    insert(hold, wish)
    retake(hold, ground)
    record(Kind.OFFERED, hold, by=by, now=now, sequence=1)
    return _told(party, hold, now=now)


@counted(lambda party, *_, now, **__: (party.space, now, Door.WALK_IN))
@transactional
def tell_too(party: WaitingParty, hold: Booking, *, by: User, now: datetime) -> WaitingParty:
    """Tell another party of a table that is held already: the first to say yes gets it.

    All who were told have the full minutes from now on. Raises NotStaff, Refused, and WrongState
    when somebody has taken it, or isn't waiting any more.
    """
    require_staff(hold.place.space, by)
    ground = lock_places(hold.place, member=None, now=now)[hold.place_id]
    people = max(party.party_size, hold.party_size)
    full = pacing.problems(
        ground.venue,
        ground.place.space_id,
        hold.starts_at,
        party_size=people,
        channel=hold.channel,
        but=hold,
    )
    hold, setup = lock_booking(hold)
    is_held = hold.state == State.OFFERED and hold.ends_at > now
    if not is_held or hold.place_id != ground.place.pk:
        raise WrongState(_("This table is not held any more. Look at the list again."))
    if found := rules.for_house(rules.of_place(ground.place, party.party_size)) or full:
        raise Refused(found)
    until = _until(hold, setup.space, now)
    changes = {"party_size": people, "hold_expires_at": until}
    change(hold, [State.OFFERED], expected={"place": hold.place_id}, changes=changes)
    record(Kind.AMENDED, hold, by=by, now=now)
    return _told(party, hold, now=now)


def _until(hold: Booking, space: Space, now: datetime) -> datetime:
    """Return until when a table is held: never longer than it could be sat at."""
    return min(now + timedelta(minutes=space.hold_minutes), hold.ends_at)


def _told(party: WaitingParty, hold: Booking, *, now: datetime) -> WaitingParty:
    party = lock_party(party)
    if party.state not in CAN_BE_TOLD or party.space_id != hold.place.space_id:
        raise changed()
    become(party, PartyState.TOLD, booking=hold, told_at=now, missed_at=None, ended_at=None)
    add_news(party, WaitingNews.Kind.READY, now=now)
    return party


# --- Answering ------------------------------------------------------------------------------------


@transactional
def confirm(party: WaitingParty, *, by: Actor, now: datetime) -> WaitingParty:
    """Give a party the table it was told of, if it is the first to say yes, and in time.

    A second yes changes nothing. The others wait again, and are told. Raises NotStaff, Missed,
    TooLate and WrongState.
    """
    party, hold = lock_with_table(party)
    require_of(party, by)
    if party.state == PartyState.COMING:
        return party
    take(party, hold, by=by, now=now)
    return party


def take(
    party: WaitingParty,
    hold: Booking | None,
    *,
    by: Actor,
    now: datetime,
    is_here: bool = False,
) -> Booking:
    """Make a locked hold the booking of one locked party that was told of it. For services.

    Whoever stands at the door (`is_here`) gets it as long as nobody has given it back.
    """
    if party.state == PartyState.LAPSED:
        raise TooLate(_("The table was held until the time we gave, and is free for others now."))
    if party.state == PartyState.WAITING and party.missed_at is not None:
        raise Missed(_("Somebody else was a little quicker. You keep your place in the list."))
    if party.state != PartyState.TOLD or hold is None or hold.state != State.OFFERED:
        raise WrongState(_("No table is held for you now."))
    is_late = hold.hold_expires_at is None or hold.hold_expires_at <= now
    if is_late and not is_here:
        raise TooLate(_("The table was held until the time we gave, and is free for others now."))
    changes = {
        "state": State.CONFIRMED,
        "guest_name": party.name,
        "guest": party.guest,
        "party_size": party.party_size,
        "decided_at": now,
        "hold_expires_at": None,
    }
    change(hold, [State.OFFERED], expected={"place": hold.place_id}, changes=changes)
    record(Kind.CONFIRMED, hold, by=by, now=now)
    become(party, PartyState.COMING, answered_at=now)
    for other in _others(party, hold):
        become(other, PartyState.WAITING, booking=None, missed_at=now)
        add_news(other, WaitingNews.Kind.MISSED, now=now)
    return hold


def give_back(party: WaitingParty, hold: Booking | None, *, by: Actor, now: datetime) -> None:
    """Free the locked table of a locked party, unless others may still say yes. For services."""
    if hold is None:
        return
    if hold.state == State.OFFERED and not _others(party, hold):
        # First, or it would be waiting again.
        WaitingParty.objects.filter(pk=party.pk).update(booking=None)
        move_to(State.EXPIRED, hold, by=by, now=now)
    elif hold.state == State.CONFIRMED and party.state == PartyState.COMING:
        move_to(State.CANCELLED, hold, by=by, now=now)


def _others(party: WaitingParty, hold: Booking) -> list[WaitingParty]:
    """Return, locked, who else was told of a hold. Always by key, after the hold itself."""
    rows = WaitingParty.objects.told().filter(booking=hold).exclude(pk=party.pk)
    return list(rows.order_by("pk").select_for_update(no_key=True))


# --- The end of a hold ----------------------------------------------------------------------------


def let_holds_lapse(*, now: datetime) -> int:
    """Give back some tables that nobody has said yes to in time; return how many.

    Workers may run this side by side.
    """
    due = Booking.objects.filter(state=State.OFFERED, hold_expires_at__lte=now).with_place()
    return sum(_lapse(hold, now=now) for hold in due.order_by("hold_expires_at", "pk")[:BATCH])


@transactional
def _lapse(hold: Booking, *, now: datetime) -> bool:
    hold, _setup = lock_booking(hold)
    # Somebody said yes meanwhile, or another party was told and has its minutes.
    if hold.state != State.OFFERED or hold.hold_expires_at is None or hold.hold_expires_at > now:
        return False
    told = WaitingParty.objects.told().filter(booking=hold)
    told.become(PartyState.LAPSED, booking=None, ended_at=now)
    move_to(State.EXPIRED, hold, by=None, now=now)
    return True


# --- Rows of the list -----------------------------------------------------------------------------


def lock_party(party: WaitingParty) -> WaitingParty:
    """Return a party that stays as it is. Its hold, if it has one, is locked before.

    Raises WrongState when its guest was forgotten meanwhile.
    """
    rows = WaitingParty.objects.select_for_update(no_key=True, of=("self",))
    return there(rows.select_related("space", "guest").filter(pk=party.pk).first())


def there(party: WaitingParty | None) -> WaitingParty:
    if party is None:
        raise changed()
    return party


def lock_with_table(party: WaitingParty) -> tuple[WaitingParty, Booking | None]:
    """Return a party and its table as they are, locked. Raises WrongState if they just changed."""
    seen = there(WaitingParty.objects.filter(pk=party.pk).first())
    hold = None
    if seen.state in WITH_TABLE and seen.booking_id is not None:
        hold, _setup = lock_booking(Booking.objects.with_place().get(pk=seen.booking_id))
    party = lock_party(party)
    if party.booking_id == seen.booking_id:
        return party, hold
    if party.state in WITH_TABLE:
        raise changed()
    return party, None


def become(party: WaitingParty, state: PartyState, **changes: object) -> None:
    """Change a locked party."""
    WaitingParty.objects.filter(pk=party.pk).become(state, **changes)
    for name, value in {"state": state, **changes, "version": party.version + 1}.items():
        setattr(party, name, value)


def add_news(party: WaitingParty, kind: WaitingNews.Kind, *, now: datetime) -> None:
    """Write down what a party has to be told, wherever it can be reached."""
    WaitingNews.objects.create(
        party=party,
        kind=kind,
        created_at=now,
        mail_due_at=now if party.email else None,
        text_due_at=now if party.phone else None,
    )


def require_of(party: WaitingParty, by: Actor) -> None:
    """Raise NotStaff unless it is the party itself, by its link, or the staff of its space."""
    if by is BY_GUEST:
        return
    require_staff(party.space, by)
