"""What people do in tests."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import transaction

from bookings.deciding import services
from bookings.deciding.transitions import record
from bookings.deciding.wish import Wish
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.states import State
from bookings.words.local_time import read_instant
from spaces.codes import new_code
from spaces.slots import slots

TEN = datetime(2026, 11, 25, 10, tzinfo=UTC)  # Wednesday, the day of `now`


def hours(n):
    return timedelta(hours=n)


def book(place, member, now, starts_at=TEN, length=2, **kwargs):
    """Book by service; `length` in hours."""
    kwargs.setdefault("party_size", 1)
    by = kwargs.pop("by", member)
    return services.book(
        Wish(
            place=place,
            member=member,
            starts_at=starts_at,
            ends_at=starts_at + hours(length),
            **kwargs,
        ),
        by=by,
        now=now,
    )


def write_booked(wanted, now, length=1):
    """Write what `book` leaves for each (place, member, starts_at), one after the other.

    Nothing is decided: the places have no parts, and nobody is in the way.
    """
    keys = sorted(new_code() for _ in wanted)  # they sort by the millisecond they were made in
    made = Booking.objects.bulk_create(
        [
            Booking(
                code=code,
                place=place,
                member=member,
                starts_at=starts_at,
                ends_at=starts_at + hours(length),
                state=State.CONFIRMED,
                created_at=now + timedelta(microseconds=n),
                decided_at=now + timedelta(microseconds=n),
            )
            for n, (code, (place, member, starts_at)) in enumerate(zip(keys, wanted, strict=True))
        ]
    )
    BookedSlot.objects.bulk_create(
        BookedSlot(booking=booking, place=booking.place, slot=slot)
        for booking in made
        for slot in slots(booking.period)
    )
    for booking in made:
        at = booking.created_at
        record(BookingEvent.Kind.CONFIRMED, booking, by=booking.member, now=at, sequence=1)
    return made


@contextmanager
def undone():
    """Let something happen, and roll it back."""
    before = transaction.savepoint_create()  # not `atomic`: services insist on being outermost
    try:
        yield
    finally:
        transaction.set_rollback(False)  # a statement that failed inside is undone too
        transaction.savepoint_rollback(before)


def move(booking, now, starts_at, length=2, *, place=None, by=None, **kwargs):
    return services.reschedule(
        booking,
        place=place or booking.place,
        starts_at=starts_at,
        ends_at=starts_at + hours(length),
        by=by or booking.member,
        now=now,
        **kwargs,
    )


def local(space, text):
    """Return the instant of a local time at a space, such as "2026-11-25T13:00"."""
    return read_instant(text, space.zone)


def codes(refused):
    return [problem.code for problem in refused.value.problems]


def ask(place, member, now, starts_at=TEN, length=2, **kwargs):
    """Ask by service, to be decided next; `length` in hours."""
    kwargs.setdefault("party_size", 1)
    by = kwargs.pop("by", member)
    return services.request(
        Wish(
            place=place,
            member=member,
            starts_at=starts_at,
            ends_at=starts_at + hours(length),
            **kwargs,
        ),
        by=by,
        now=now,
    )
