"""What people request around today, and what becomes of it."""

import random
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from operator import itemgetter

from accounts.models import User
from bookings.deciding import services
from bookings.deciding.errors import BookingError
from bookings.deciding.wish import Wish
from bookings.models import Booking
from config.demo.house import Act, came_and_went
from spaces import setups
from spaces.models import Place, Space
from spaces.slots import Period, instant, slots

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LONGEST_AHEAD = 14 * DAY  # nobody here books earlier than that
STAFF_REASONS = ["Called: can't come", "Requested by e-mail", "The heating is being repaired"]


@dataclass(frozen=True)
class Habits:
    """How people visit one space."""

    a_day: tuple[int, int, int, int, int, int, int]  # requests on Monday to Sunday
    hours: dict[int, int]  # how popular an hour of the day is; others count 1
    lengths: dict[str, list[float]]  # hours, by kind of place


COWORKING = Habits(
    a_day=(44, 50, 52, 48, 38, 16, 14),
    hours={8: 2, 9: 6, 10: 9, 11: 6, 12: 7, 13: 7, 14: 6, 15: 3, 16: 3, 17: 4, 18: 6, 19: 4},
    lengths={"DESK": [1, 2, 2, 3, 3, 4, 4, 8], "ROOM": [1, 1, 1, 2, 2, 3]},
)
RESTAURANT = Habits(
    a_day=(18, 18, 20, 24, 34, 38, 28),
    hours={12: 5, 13: 9, 14: 5, 18: 7, 19: 12, 20: 12, 21: 7, 22: 3},
    lengths={"TABLE": [1, 1.5, 1.5, 2, 2, 2.5, 3]},
)


@dataclass(frozen=True)
class Visit:
    """What somebody requests at `at`, and when they change their mind."""

    at: datetime
    place: Place
    member: User
    period: Period
    party_size: int
    cancelled_at: datetime | None = None
    moved_at: datetime | None = None


def of_demo_member(member: User, coworking: Space, restaurant: Space, now: datetime) -> list[Visit]:
    """Return a short story: past visits, one cancelled and one moved, and three upcoming ones."""

    def visit(
        space: Space, number: int, days: int, hour: int, hours: int, people: int = 1
    ) -> Visit:
        day = now.astimezone(space.zone).date() + days * DAY
        starts_at = instant(day, time(hour), space.zone)
        at = min(starts_at - 2 * DAY, now - 5 * HOUR)
        place = space.places.get(number=number)
        return Visit(at, place, member, Period(starts_at, starts_at + hours * HOUR), people)

    moved, cancelled = visit(coworking, 2, -3, 14, 3), visit(coworking, 4, -2, 10, 2)
    return [
        visit(coworking, 12, -6, 10, 4),
        visit(restaurant, 4, -5, 19, 2, people=3),
        replace(moved, moved_at=moved.at + 5 * HOUR),
        replace(cancelled, cancelled_at=cancelled.at + 20 * HOUR),
        visit(coworking, 12, 1, 10, 4),
        visit(restaurant, 10, 2, 19, 2, people=2),
        visit(coworking, 35, 4, 14, 2, people=4),
    ]


class Planner:
    """Makes up requests for one space, mostly for places that are still free in the plan."""

    def __init__(
        self,
        space: Space,
        habits: Habits,
        people: list[User],
        chance: random.Random,
        *,
        now: datetime,
        planned: list[Visit],
    ) -> None:
        self.habits, self.people, self.chance, self.now = habits, people, chance, now
        self.venue = setups.current(space.pk).venue((), now)
        self.zone = space.zone
        self.places = list(space.places.by_number())
        self.taken = {cell for visit in planned for cell in self._cells(visit.place, visit.period)}

    def visits(self, days: int, scale: int) -> list[Visit]:
        today = self.venue.today(self.now)
        made = (
            self._visit(today + n * DAY)
            for n in range(-days, days + 1)
            for _ in range(self.habits.a_day[(today + n * DAY).weekday()] * scale)
        )
        return [visit for visit in made if visit is not None]

    def _visit(self, day: date) -> Visit | None:
        """Return one request for a day; None when it hasn't been made yet."""
        chance = self.chance
        starts_at = self._start(day)
        ahead = min(chance.expovariate(1 / 90) * HOUR + HOUR / 3, LONGEST_AHEAD)
        at = (starts_at - ahead).replace(microsecond=0)
        if at > self.now:
            return None
        place, party, period = self._choice(starts_at)
        self.taken |= self._cells(place, period)
        cancelled_at = None
        if chance.random() < 0.09:
            cancelled_at = at + chance.random() * ahead
        return Visit(at, place, chance.choice(self.people), period, party, cancelled_at)

    def _start(self, day: date) -> datetime:
        """Return a time of day at which an hour is still free, popular ones more often."""
        kind = self.places[0].kind
        last = self.venue.openings(day)[-1].ends_at - HOUR
        starts = [at for at in self.venue.starts(day, self.venue.limits(kind).step) if at <= last]
        likes = [self.habits.hours.get(at.astimezone(self.zone).hour, 1) for at in starts]
        return self.chance.choices(starts, likes)[0]

    def _choice(self, starts_at: datetime) -> tuple[Place, int, Period]:
        """Look for a free one among a few places; now and then don't look."""
        looks = 1 if self.chance.random() < 0.15 else 6
        for _ in range(looks):
            place = self.chance.choice(self.places)
            fewest = max(place.min_party, place.capacity // 2)
            party = self.chance.randint(fewest, place.capacity)
            length = self.chance.choice(self.habits.lengths[place.kind]) * HOUR
            length = self.venue.turn(place.kind, starts_at, party) or length
            period = Period(starts_at, starts_at + length)
            if not self.venue.is_open(place.pk, period):
                period = Period(starts_at, starts_at + HOUR)
            if not self.taken & self._cells(place, period):
                break
        return place, party, period

    def _cells(self, place: Place, period: Period) -> set[tuple[int, datetime]]:
        return {(leaf, slot) for leaf in self.venue.leaves(place.pk) for slot in slots(period)}


def live_through(
    visits: list[Visit],
    house: Iterable[Act] = (),
    *,
    host: User,
    now: datetime,
    chance: random.Random,
) -> None:
    """Let everything happen in order, each at its own time; with what happens in the house."""
    timeline: list[Act] = [act for act in house if act[0] <= now]
    booked: dict[int, Booking] = {}
    for n, visit in enumerate(visits):
        change = partial(_change, n, visit, booked, host=host, chance=chance)
        moments = (
            (visit.at, partial(_book, n, visit, booked)),
            (visit.moved_at, partial(change, "move")),
            (visit.cancelled_at, partial(change, "cancel")),
        )
        timeline += [(at, do) for at, do in moments if at is not None and at <= now]
    timeline += [(now - n * HOUR, _complete) for n in {*_over(visits, now)}]
    coming = {n: (visit.place, visit.period) for n, visit in enumerate(visits)}
    timeline += came_and_went(booked, coming, host=host, now=now, chance=chance)
    for at, do in sorted(timeline, key=itemgetter(0)):
        with suppress(BookingError):  # a quota; or somebody was faster, cancelled, or left
            do(at)


def _complete(at: datetime) -> None:
    while services.complete_past(now=at):
        pass


def _over(visits: list[Visit], now: datetime) -> Iterator[int]:
    """Yield how many whole hours ago each was over, as planned or an hour later when it moved."""
    for visit in visits:
        for ends_at in (visit.period.ends_at, visit.period.ends_at + HOUR):
            if ends_at <= now:
                yield int((now - ends_at) / HOUR)


def _book(n: int, visit: Visit, booked: dict[int, Booking], at: datetime) -> None:
    wish = Wish(
        place=visit.place,
        member=visit.member,
        starts_at=visit.period.starts_at,
        ends_at=visit.period.ends_at,
        party_size=visit.party_size,
        request_key=f"demo-{n}",
    )
    booking = services.book(wish, by=visit.member, now=at)
    if booking.occupies:
        booked[n] = booking


def _change(
    n: int,
    visit: Visit,
    booked: dict[int, Booking],
    verb: str,
    at: datetime,
    *,
    host: User,
    chance: random.Random,
) -> None:
    if n not in booked:
        return
    booking = booked[n]
    if verb == "move":
        later = Period(visit.period.starts_at + HOUR, visit.period.ends_at + HOUR)
        services.reschedule(
            booking,
            place=visit.place,
            starts_at=later.starts_at,
            ends_at=later.ends_at,
            by=visit.member,
            now=at,
        )
    elif at < visit.period.starts_at - 2 * HOUR and chance.random() < 0.7:
        services.cancel(booking, by=visit.member, now=at)
    else:
        services.cancel(booking, by=host, now=at, reason=chance.choice(STAFF_REASONS))
