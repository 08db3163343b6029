"""What people do in tests."""

from datetime import UTC, datetime, timedelta

from bookings.deciding import services
from bookings.deciding.wish import Wish
from bookings.words.local_time import read_instant

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
