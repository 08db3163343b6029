"""How today goes in a demo space: who came, sits, left or didn't come, and guests whom it knows.

Everything happens by the services, each at its own time, so that the day page, the timeline, the
doors and the numbers are alive on the first start.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial

from django.urls import reverse

from accounts.models import User
from bookings.deciding import door_keys, guestbook, no_shows, visits, waiting_list, walk_ins
from bookings.deciding.choosing import book_party
from bookings.deciding.waiting_list import Newcomer
from bookings.deciding.wish import PartyWish
from bookings.finding import at_the_door
from bookings.finding.walking_in import spots
from bookings.models import Booking
from bookings.waiting import WaitingParty
from spaces import setups
from spaces.codes import new_code
from spaces.models import Place, Space
from spaces.slots import SLOT, Period, instant

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

#: What somebody does, and when: `do(now)`.
type Act = tuple[datetime, Callable[[datetime], object]]


@dataclass(frozen=True)
class Regular:
    """A guest whom the staff know, and when they come: in minutes from now, or in days' evenings.

    On each of the evenings before today they came, but `missed` one.
    """

    name: str
    contact: str
    people: int = 2
    kind: str = ""  # of place, if not the space's main kind
    note: str = ""
    allergies: str = ""
    said: str = ""  # the note of today's booking
    minutes: int = 0
    evenings: tuple[int, ...] = ()
    missed: int | None = None


OF_RESTAURANT = [
    Regular(
        "Nare Petrosyan",
        "+374 91 555-010, nare@example.org",
        note="Table by the window; says “the usual”",
        allergies="Walnuts",
        minutes=-45,
        evenings=(7, 6, 5, 3, 2, 1),
        missed=4,
    ),
    Regular("Davit Grigoryan", "+374 93 555-011", 4, said="High chair, please", minutes=-15),
    Regular("Anna Weber", "anna.weber@example.org", allergies="Gluten", minutes=30),
    Regular("Sona Hakobyan", "+374 94 555-012", 3, said="A birthday: candle", minutes=75),
    Regular("Choir of the Opera", "+374 10 555-013", 10, said="Together", minutes=150),
    Regular("Mikael Sargsyan", "+374 95 555-014", note="Never comes on time", minutes=-30),
]
OF_COWORKING = [
    Regular("Marta Lindqvist", "+7 900 555-02-01", 1, note="Invoice to Lind AB", minutes=-75),
    Regular(
        "Studio Kvadrat", "hello@kvadrat.example", 4, "ROOM", said="Two chairs more", minutes=30
    ),
    Regular("Ilya Serov", "+7 900 555-02-02", 1, allergies="Perfume", minutes=90),
]

#: How many came without a booking, and how many minutes ago.
WALK_INS = [(2, 70), (1, 40), (3, 12)]

#: Who waits at the door of the restaurant: a name, how many they are, and since how many minutes.
WAITING = [("Hakobyan", 4, 14), ("Lena and Tom", 2, 5)]

#: Of those who were due, so many didn't come.
MISSED = 0.05
#: An arrival is only marked while the house can still see it in the day.
MARKED_SINCE = timedelta(hours=20)


def known(space: Space, guests: list[Regular], *, host: User, now: datetime) -> Iterator[Act]:
    """Yield what the guests whom the house knows book and do."""
    for guest in guests:
        for days in guest.evenings:
            yield from _evening(space, guest, days, host=host, now=now)
        if guest.missed is not None:
            yield from _evening(space, guest, guest.missed, host=host, now=now)
        starts_at = _nearest(space, now, guest.minutes * MINUTE)
        if starts_at is not None:
            asked = starts_at - 13 * DAY  # before nearly everybody else
            yield asked, partial(_book, space, guest, starts_at, host)
            yield asked + MINUTE, partial(_describe, space, guest, host)
        # The one who is never on time hasn't come yet.
        if starts_at is not None and starts_at <= now - MINUTE and "on time" not in guest.note:
            yield starts_at + MINUTE, partial(_arrive, space, guest.name, starts_at, host)


def _evening(
    space: Space, guest: Regular, days: int, *, host: User, now: datetime
) -> Iterator[Act]:
    on = now.astimezone(space.zone).date() - days * DAY
    starts_at = instant(on, time(19), space.zone)
    yield starts_at - DAY, partial(_book, space, guest, starts_at, host)
    if days == guest.missed:
        miss = partial(_change, visits.no_show, space, guest.name, starts_at, host)
        yield starts_at + 40 * MINUTE, miss


def came_and_went(
    booked: Mapping[int, Booking],
    planned: Mapping[int, tuple[Place, Period]],
    *,
    host: User,
    now: datetime,
    chance: random.Random,
) -> Iterator[Act]:
    """Yield what becomes of planned visits: of those, by number, that are booked then."""

    def act(verb: Callable[..., object], n: int) -> Callable[[datetime], object]:
        def do(at: datetime) -> object:
            return verb(booked[n], by=host, now=at) if n in booked else None

        return do

    for n, (place, period) in planned.items():
        starts_at, ends_at = period.starts_at, period.ends_at
        if starts_at > now:
            continue
        if chance.random() < MISSED:
            yield starts_at + 25 * MINUTE, act(visits.no_show, n)
        elif ends_at > now - MARKED_SINCE:
            came_at = starts_at + chance.randint(-5, 8) * MINUTE
            yield came_at, act(visits.arrive, n)
            if place.kind == Place.Kind.TABLE:
                yield came_at + 4 * MINUTE, act(visits.seat, n)
            if chance.random() < 0.5:
                yield ends_at - chance.randint(3, 20) * MINUTE, act(visits.leave, n)


def walked_in(space: Space, *, host: User, now: datetime) -> Iterator[Act]:
    """Yield who came without a booking in the last hour, where the house is open."""

    def sit(people: int, at: datetime) -> Booking:
        found = spots(setups.current(space.pk), people=people, now=at)
        seats = [spot.seat for spot in found]
        return walk_ins.seat_one_of(seats, people=people, by=host, now=at, over_pacing=True)

    for people, minutes in WALK_INS:
        yield now - minutes * MINUTE, partial(sit, people)


def waiting(space: Space, *, host: User, now: datetime) -> Iterator[Act]:
    """Yield who stands at the door, unless the house is closed."""
    venue = setups.current(space.pk).venue((), now)
    first = Period(now - WAITING[0][2] * MINUTE, now)
    if not any(opening.contains(first) for opening in venue.openings(venue.day_of(now))):
        return

    def stand(name: str, people: int, at: datetime) -> WaitingParty:
        quoted = at_the_door.quoted(setups.current(space.pk), people, "", now=at)
        newcomer = Newcomer(name=name, party_size=people, quoted_minutes=quoted)
        return waiting_list.add(space, newcomer, by=host, now=at)

    for name, people, minutes in WAITING:
        yield now - minutes * MINUTE, partial(stand, name, people)


def released(now: datetime, since: datetime) -> Iterator[Act]:
    """Yield the worker's rounds: what nobody claimed is given back."""
    at = since
    while at < now:
        yield at, lambda at: no_shows.release_unclaimed(now=at)
        at += SLOT


def _nearest(space: Space, now: datetime, after: timedelta) -> datetime | None:
    """Return when a booking could start today, so long after now, or after the house opens."""
    venue = setups.current(space.pk).venue((), now)
    starts = venue.starts(venue.day_of(now), venue.limits(space.main_kind).step)
    if not starts:
        return None
    wanted = max(now, starts[0]) + after
    found = [at for at in starts if (at <= now) == (wanted <= now)] or starts
    return min(found, key=lambda at: abs(at - wanted))


def screen(space: Space, name: str, *, now: datetime) -> str:
    """Hang a screen of all places at the entrance; return its address."""
    _door, key = door_keys.make(
        space,
        name=name,
        places=[],
        language="en",
        shows_names=False,
        may_check_in=True,
        may_walk_in=space.kind == Space.Kind.COWORKING,
        code=new_code(),
        now=now,
    )
    return reverse("door", args=[key])


def _book(space: Space, guest: Regular, starts_at: datetime, host: User, at: datetime) -> Booking:
    wish = PartyWish(
        space=space,
        member=None,
        starts_at=starts_at,
        party_size=guest.people,
        kind=guest.kind,
        note=guest.said,
        guest_name=guest.name,
        guest_contact=guest.contact,
        channel=Booking.Channel.STAFF,
    )
    return book_party(wish, by=host, now=at)


def _describe(space: Space, guest: Regular, host: User, at: datetime) -> None:
    row = space.guests.filter(name=guest.name).first()
    if row is not None:
        about = guestbook.AboutGuest(
            name=row.name,
            phone=row.phone,
            email=row.email,
            note=guest.note,
            allergies=guest.allergies,
        )
        guestbook.describe(row, about, by=host)


def _arrive(space: Space, name: str, starts_at: datetime, host: User, at: datetime) -> None:
    is_table = space.main_kind == Place.Kind.TABLE
    _change(visits.seat if is_table else visits.arrive, space, name, starts_at, host, at)


def _change(
    verb: Callable[..., object],
    space: Space,
    name: str,
    starts_at: datetime,
    host: User,
    at: datetime,
) -> None:
    theirs = Booking.objects.in_space(space).with_place().filter(guest_name=name)
    booking = theirs.filter(starts_at=starts_at).first()
    if booking is not None:
        verb(booking, by=host, now=at)
