"""Who waits at the door: added, seated, gone, and taking back a slip of the hand.

Each is one call and one transaction; an event is written where a booking is concerned. Holds, and
the order of locks, are in `bookings.deciding.holds`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from bookings.deciding import knowing, rules, visits, walk_ins
from bookings.deciding.counting import counted
from bookings.deciding.errors import BookingError, Refused, SlotTaken, TooLate, WrongState
from bookings.deciding.holds import (
    add_news,
    become,
    changed,
    give_back,
    lock_party,
    lock_with_table,
    require_of,
    take,
    there,
)
from bookings.deciding.steps import lock_booking, require_name
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import move_to
from bookings.deciding.visits import UNDO_ACCEPTED_FOR, require_staff
from bookings.deciding.waiting_links import give_link
from bookings.deciding.walk_ins import Seat
from bookings.guests import Actor, Guest
from bookings.models import Booking
from bookings.refusals import Door
from bookings.states import State
from bookings.waiting import (
    AN_EVENING,
    CAN_BE_TOLD,
    ON_THE_LIST,
    PartyState,
    WaitingNews,
    WaitingParty,
)
from spaces.models import Space

MOST_PEOPLE = 1_000

#: How many parties one unit of a worker's work closes.
BATCH = 200


@dataclass(frozen=True, kw_only=True)
class Newcomer:
    """A party as the staff wrote it down. `quoted_minutes` is what they were told."""

    name: str
    party_size: int
    phone: str = ""
    email: str = ""
    area: str = ""
    language: str = "en"
    quoted_minutes: int | None = None
    request_key: str | None = None


@transactional
def add(space: Space, newcomer: Newcomer, *, by: User, now: datetime) -> WaitingParty:
    """Write a party down at the end of the list; it gets its link by mail and SMS.

    The same request key returns the party that it added before. Raises NotStaff and Refused.
    """
    require_staff(space, by)
    require_name(newcomer.name)
    if not 1 <= newcomer.party_size <= MOST_PEOPLE:
        raise Refused([rules.Problem("invalid", _("Say how many they are."))])
    if earlier := _earlier(space, newcomer):
        return earlier
    guest = knowing.recognise(
        space,
        name=newcomer.name,
        phone=newcomer.phone,
        email=newcomer.email,
        now=now,
        learn=True,
    )
    party = WaitingParty(
        space=space,
        guest=guest,
        name=newcomer.name,
        phone=newcomer.phone,
        email=newcomer.email,
        party_size=newcomer.party_size,
        area=newcomer.area,
        language=newcomer.language,
        quoted_minutes=newcomer.quoted_minutes,
        created_at=now,
        request_key=newcomer.request_key or None,
    )
    give_link(party)
    try:
        with transaction.atomic():
            party.save(force_insert=True)
    except IntegrityError:  # the same press, twice at the same moment
        if earlier := _earlier(space, newcomer):
            return earlier
        raise
    add_news(party, WaitingNews.Kind.ADDED, now=now)
    return party


def _earlier(space: Space, newcomer: Newcomer) -> WaitingParty | None:
    if not newcomer.request_key:
        return None
    return WaitingParty.objects.of(space).filter(request_key=newcomer.request_key).first()


@counted(lambda party, *_, now, **__: (party.space, now, Door.WALK_IN))
def seat(party: WaitingParty, seats: Iterable[Seat], *, by: User, now: datetime) -> WaitingParty:
    """Seat a party: at the table that it has, else at the first of these that is free.

    That is a walk-in. Once more is once. Raises NotStaff, WrongState, and when none is free what
    the last try met: SlotTaken or Refused.
    """
    rows = WaitingParty.objects.select_related("space", "guest")
    try:
        return _seat(there(rows.filter(pk=party.pk).first()), seats, by=by, now=now)
    except (WrongState, SlotTaken, Refused):
        # The same press, twice at the same moment: the other one seated them.
        if (found := rows.filter(pk=party.pk, state=PartyState.SEATED).first()) is not None:
            return found
        raise


def _seat(party: WaitingParty, seats: Iterable[Seat], *, by: User, now: datetime) -> WaitingParty:
    if party.state not in CAN_BE_TOLD:
        return _seat_at_its_table(party, by=by, now=now)
    met: BookingError = SlotTaken(_("Nothing is free for so many people now."))
    for each in seats:
        try:
            return _seat_at(party, each, by=by, now=now)
        except (SlotTaken, Refused) as error:
            met = error
    raise met


@transactional
def _seat_at_its_table(party: WaitingParty, *, by: User, now: datetime) -> WaitingParty:
    party, booking = lock_with_table(party)
    require_staff(party.space, by)
    if party.state == PartyState.SEATED:
        return party
    if party.state == PartyState.TOLD:
        booking = take(party, booking, by=by, now=now, is_here=True)
    if party.state != PartyState.COMING or booking is None:
        raise changed()
    if booking.state != State.CHECKED_IN or not booking.seated_at:
        visits.sit(booking, by=by, now=now)
    become(party, PartyState.SEATED, ended_at=now)
    return party


@transactional
def _seat_at(party: WaitingParty, seat: Seat, *, by: User, now: datetime) -> WaitingParty:
    require_staff(party.space, by)
    booking = visits.walk_in_now(
        seat.place,
        party_size=party.party_size,
        ends_at=seat.ends_at,
        by=by,
        now=now,
        guest_name=party.name,
        guest=party.guest,
        over_pacing=True,  # the staff see the kitchen
    )
    party = lock_party(party)
    if party.state not in CAN_BE_TOLD or seat.place.space_id != party.space_id:
        raise changed()
    become(party, PartyState.SEATED, booking=booking, ended_at=now)
    return party


@transactional
def decline(party: WaitingParty, *, by: Actor, now: datetime) -> WaitingParty:
    """Take a party off the list at its own wish; its table is free at once, or for the others.

    Once more is once. Raises NotStaff, and WrongState when it sits already.
    """
    return _go(party, PartyState.DECLINED, by=by, now=now)


@transactional
def leave(party: WaitingParty, *, by: User, now: datetime) -> WaitingParty:
    """Take a party that has gone off the list. As `decline`."""
    return _go(party, PartyState.LEFT, by=by, now=now)


def _go(party: WaitingParty, state: PartyState, *, by: Actor, now: datetime) -> WaitingParty:
    party, booking = lock_with_table(party)
    require_of(party, by)
    if party.state in (PartyState.DECLINED, PartyState.LEFT):
        return party
    if party.state == PartyState.SEATED or (booking and booking.state == State.CHECKED_IN):
        raise WrongState(_("They are already seated."))
    give_back(party, booking, by=by, now=now)
    become(party, state, booking=None, answered_at=now, ended_at=now)
    return party


@counted(lambda party, *, now, **_: (party.space, now, Door.DESK))
@transactional
def undo(
    party: WaitingParty, *, by: User, now: datetime, version: int | None = None
) -> WaitingParty:
    """Take back, within seconds, that a party was told, was seated without a hold, or left.

    It waits again, at its old place in the list. A table it was told of is free. Only what made it
    the `version` that was seen (None: that of `party`) is taken back; once more is once. Raises
    NotStaff, TooLate and WrongState.
    """
    rows = WaitingParty.objects.select_related("booking__place__space")
    wanted, seen = version or party.version, there(rows.filter(pk=party.pk).first())
    require_staff(seen.space, by)
    if seen.state == PartyState.WAITING and seen.version in (wanted, wanted + 1):
        return seen
    if seen.version != wanted:
        raise WrongState(_("Something else has happened to them since. Look at the list."))
    if seen.state == PartyState.SEATED and seen.booking is not None:
        # First of all, as everywhere: the booking before the party.
        walk_ins.undo_now(seen.booking, by=by, now=now)
    party, booking = lock_with_table(party)
    if party.state == PartyState.WAITING and party.version == wanted + 1:
        return party
    if party.version != wanted or party.state in (PartyState.COMING, PartyState.LAPSED):
        raise WrongState(_("This can’t be undone."))
    done_at = party.told_at if party.state == PartyState.TOLD else party.ended_at
    if done_at is None or now > done_at + UNDO_ACCEPTED_FOR:
        raise TooLate(_("It is too late to undo this."))
    if party.state == PartyState.TOLD:
        give_back(party, booking, by=by, now=now)
        party.news.filter(kind=WaitingNews.Kind.READY).update(mail_due_at=None, text_due_at=None)
    become(party, PartyState.WAITING, booking=None, answered_at=None, ended_at=None)
    return party


def forget_parties(guest: Guest, *, by: User | None, now: datetime) -> None:
    """Take a locked guest off all lists without a trace, and free what is held for nobody else."""
    theirs = WaitingParty.objects.filter(guest=guest)
    told = theirs.told().order_by("booking").values_list("booking", flat=True)
    for key in [key for key in told if key is not None]:
        hold, _setup = lock_booking(Booking.objects.with_place().get(pk=key))
        theirs.filter(booking=hold).update(booking=None)
        still_told = WaitingParty.objects.told().filter(booking=hold)
        if hold.state == State.OFFERED and not still_told.exists():
            move_to(State.EXPIRED, hold, by=by, now=now)
    theirs.delete()


# --- For the worker -------------------------------------------------------------------------------


def close_parties(*, now: datetime) -> int:
    """Close some parties that were seated or cancelled on another page, or forgotten at closing
    time; return how many.
    """
    coming = Q(state=PartyState.COMING)
    came = coming & Q(booking__state__in=[State.CHECKED_IN, State.COMPLETED])
    gone = coming & Q(booking__state__in=[State.NO_SHOW, State.CANCELLED])
    forgotten = Q(state=PartyState.WAITING, created_at__lte=now - AN_EVENING)
    done = 0
    for state, wanted in (
        (PartyState.SEATED, came),
        (PartyState.LEFT, gone),
        (PartyState.LEFT, forgotten),
    ):
        found = WaitingParty.objects.filter(wanted, state__in=ON_THE_LIST)
        for key, seen in list(found.values_list("pk", "state")[:BATCH]):
            # By compare-and-swap: the staff may have done it by now.
            row = WaitingParty.objects.filter(pk=key, state=seen)
            done += row.become(state, ended_at=now)
    return done


def holds_of(space: Space) -> list[Booking]:
    """Return the tables of a space that are held for whoever says yes first."""
    held = Booking.objects.in_space(space).filter(state=State.OFFERED)
    return list(held.with_place().order_by("hold_expires_at", "pk"))
