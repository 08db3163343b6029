"""How a booking's row and log change: by compare-and-swap, with one event. Only for services."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db.models import Max, Model
from django.utils.translation import gettext as _

from accounts import acting, watching
from bookings.deciding.errors import WrongState
from bookings.deciding.statements import (
    DELETE_SLOTS,
    INSERT_EVENT,
    LAST_SEQUENCE,
    update_booking,
)
from bookings.guests import BY_GUEST, Actor
from bookings.models import Booking, BookingEvent
from bookings.states import OCCUPYING, State, sources
from bookings.waiting import PartyState, WaitingParty
from bookings.words.representation import booking_data

#: No contact was changed.
NOTHING: Mapping[str, str] = {}


def move_to(
    state: State,
    booking: Booking,
    *,
    by: Actor | None,
    now: datetime,
    reason: str = "",
    problems: Sequence[str] = (),
) -> None:
    """Move a booking along TRANSITIONS by compare-and-swap, and record the event.

    The first move is the decision: `problems` are the codes for why it is REJECTED. Raises
    WrongState when it is in another state, place or time than was read.
    """
    changes: dict[str, Any] = {"state": state}
    was_held = booking.state == State.OFFERED
    if booking.decided_at is None:
        changes |= {"decided_at": now, "problems": list(problems), "lease_expires_at": None}
    seen = {"place": booking.place_id, "starts_at": booking.starts_at, "ends_at": booking.ends_at}
    change(booking, sources(state), expected=seen, changes=changes)
    if state not in OCCUPYING:
        DELETE_SLOTS.run(booking=booking.pk)
        if was_held:  # nobody gets it: whoever was told of it waits again
            told = WaitingParty.objects.told().filter(booking=booking)
            told.become(PartyState.WAITING, booking=None)
    record(BookingEvent.Kind(state.value), booking, by=by, now=now, reason=reason)


def claim(
    pk: int, *, lease: datetime | None, until: datetime, now: datetime
) -> tuple[Booking, int]:
    """Start deciding a booking, or restart when its `lease` ran out; keeps everybody else off.

    Returns it and the number of the attempt, from 1. Raises WrongState if someone else was first.
    """
    state = State.CHECKING_AVAILABILITY
    changes = {"state": state, "lease_expires_at": until}
    change(Booking(pk=pk), sources(state), expected={"lease_expires_at": lease}, changes=changes)
    # Read under the row's lock: deleting the account may just have blanked the note.
    booking = Booking.objects.with_place().select_related("member").get(pk=pk)
    sequence = record(BookingEvent.Kind(state.value), booking, by=None, now=now)
    return booking, sequence - 1


def cancel_all(
    bookings: Iterable[Booking], *, by: Actor | None, now: datetime, reason: str = ""
) -> list[Booking]:
    """Cancel those that still can be; return them. Someone else may have been first."""
    cancelled = []
    for booking in bookings:
        with suppress(WrongState):
            move_to(State.CANCELLED, booking, by=by, now=now, reason=reason)
            cancelled.append(booking)
    return cancelled


def keep_all(
    bookings: Iterable[Booking], *, problems: Sequence[str], by: Actor | None, now: datetime
) -> list[Booking]:
    """Record that bookings still holding their place are kept despite the set-up's `problems`.

    Return them. Someone may have cancelled meanwhile.
    """
    ordered = sorted(bookings, key=lambda booking: booking.pk)
    held = Booking.objects.occupying().filter(pk__in=[booking.pk for booking in ordered])
    there = set(held.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    kept = [booking for booking in ordered if booking.pk in there]
    told = [(booking, problems) for booking in kept]
    record_all(BookingEvent.Kind.KEPT, told, by=by, now=now)
    return kept


def change(
    booking: Booking, states: list[State], *, expected: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Change the row if it is still what we think it is. Raises WrongState."""
    seen = {name: value for name, value in expected.items() if value is not None}
    statement = update_booking(
        tuple(states), tuple(seen), tuple(expected.keys() - seen.keys()), tuple(changes)
    )
    new = {f"new_{name}": _column(value) for name, value in changes.items()}
    if statement.run(pk=booking.pk, **seen, **new) != 1:
        raise WrongState(_("This booking was changed a moment ago. Look at it again."))
    for name, value in changes.items():
        setattr(booking, name, value)


def _column(value: Any) -> Any:
    return value.pk if isinstance(value, Model) else value


def record(
    kind: BookingEvent.Kind,
    booking: Booking,
    *,
    by: Actor | None,
    now: datetime,
    reason: str = "",
    sequence: int | None = None,
    problems: Sequence[str] = (),
    undone: str = "",
    contact: Mapping[str, str] = NOTHING,
) -> int:
    """Append to the booking's log; return the event's number.

    `problems` are the codes for what a change of the set-up did to it, `undone` the kind of what
    was taken back, `contact` what a guest's changed contact was before. The row update, or the
    row's lock, before it serialises writers.
    """
    if sequence is None:
        sequence = (LAST_SEQUENCE.first(booking=booking.pk) or 0) + 1
    with watching.part(f"event {kind.lower()}"):
        event = _event(kind, booking, sequence, by=by, now=now, reason=reason, problems=problems)
        event.data |= {"undone": undone} if undone else {}
        event.contact_before = dict(contact)
        INSERT_EVENT.one(event)
    acting.acted(by, member=booking.member_id)
    watching.tell_after_commit("bookings", outcome=kind.lower())
    return sequence


def record_all(
    kind: BookingEvent.Kind,
    told: Collection[tuple[Booking, Sequence[str]]],
    *,
    by: Actor | None,
    now: datetime,
) -> None:
    """Append one event to each booking's log, all at once, each with its own problems.

    Their rows are locked.
    """
    keys = [booking.pk for booking, _problems in told]
    rows = BookingEvent.objects.filter(booking__in=keys).order_by().values_list("booking")
    lasts = dict(rows.annotate(Max("sequence")))
    BookingEvent.objects.bulk_create(
        [
            _event(kind, booking, lasts.get(booking.pk, 0) + 1, by=by, now=now, problems=problems)
            for booking, problems in told
        ]
    )
    for booking, _problems in told:
        acting.acted(by, member=booking.member_id)
        watching.tell_after_commit("bookings", outcome=kind.lower())


def _event(
    kind: BookingEvent.Kind,
    booking: Booking,
    sequence: int,
    *,
    by: Actor | None,
    now: datetime,
    reason: str = "",
    problems: Sequence[str] = (),
) -> BookingEvent:
    return BookingEvent(
        booking=booking,
        sequence=sequence,
        kind=kind,
        actor=None if by is BY_GUEST else by,
        by_guest=by is BY_GUEST,
        at=now,
        reason=reason,
        data=booking_data(booking) | ({"problems": list(problems)} if problems else {}),
        request_id=watching.request_id(),
        traceparent=watching.traceparent(),
    )
