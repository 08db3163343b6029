"""A coworking, a restaurant and the people who came there these days, to try Mesto with.

The set-up is written here; bookings go through the services, each with the clock of its moment.
"""

import random
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import cycle, islice, product

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.models import StaffRole, User
from bookings import services
from bookings.errors import BookingError
from bookings.models import Booking
from spaces.features import Feature
from spaces.models import OpeningHours, Place, Policy, Space
from spaces.services import set_parts
from spaces.slots import Period, instant, slots
from spaces.venue import Venue

PASSWORD = "mesto-demo"  # noqa: S105 - everybody may know it: of people who don't exist
LOGINS = ("member", "host", "manager", "admin")

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DECIDED_AHEAD = 14 * DAY  # nobody here books earlier than that

GIVEN = {
    "": "Anton Boris Vadim Gleb Denis Ivan Kirill Maxim Oleg Pavel Roman Timur".split(),
    "a": "Alisa Vera Daria Elena Zoya Inna Ksenia Marina Nina Polina Sofia Yulia".split(),
}
FAMILY = "Ivanov Smirnov Orlov Sokolov Belov Krylov Gromov Titov Frolov Zuev Panov Volkov".split()

DESKS = [
    [Feature.WINDOW, Feature.SOCKET],
    [Feature.MONITOR, Feature.SOCKET],
    [Feature.QUIET, Feature.SOCKET],
    [Feature.WINDOW, Feature.MONITOR, Feature.SOCKET],
    [Feature.STANDING, Feature.MONITOR],
    [Feature.QUIET, Feature.MONITOR, Feature.SOCKET],
    [Feature.PHONE, Feature.SOCKET],
    [Feature.WINDOW, Feature.QUIET, Feature.ACCESSIBLE],
]
ROOMS = {"Volga": 6, "Neva": 8, "Don": 4, "Oka": 4, "Kama": 6, "Lena": 8}
TABLES = [
    (2, [Feature.WINDOW]),
    (4, [Feature.SOFA]),
    (2, [Feature.BAR]),
    (4, [Feature.WINDOW, Feature.HIGH_CHAIR]),
    (6, [Feature.QUIET, Feature.HIGH_CHAIR]),
    (2, [Feature.TERRACE]),
    (4, [Feature.TERRACE, Feature.ACCESSIBLE]),
    (8, [Feature.SOFA, Feature.ACCESSIBLE]),
]
STAFF_REASONS = ["Called: can't come", "Asked by e-mail", "The heating is being repaired"]


@dataclass(frozen=True)
class Habits:
    """How people come to one space."""

    a_day: tuple[int, int, int, int, int, int, int]  # requests on Monday to Sunday
    hours: dict[int, int]  # how much an hour of the day is liked; others count 1
    lengths: dict[str, list[float]]  # hours, by kind of place


COWORKING = Habits(
    a_day=(34, 38, 38, 36, 28, 12, 10),
    hours={8: 2, 9: 6, 10: 9, 11: 6, 12: 7, 13: 7, 14: 6, 15: 3, 16: 3, 17: 4, 18: 6, 19: 4},
    lengths={"DESK": [1, 2, 2, 3, 3, 4, 4, 8], "ROOM": [1, 1, 1, 2, 2, 3]},
)
RESTAURANT = Habits(
    a_day=(18, 18, 20, 24, 34, 38, 28),
    hours={12: 5, 13: 9, 14: 5, 18: 7, 19: 12, 20: 12, 21: 7, 22: 3},
    lengths={"TABLE": [1, 1.5, 1.5, 2, 2, 2.5, 3]},
)


@dataclass(frozen=True)
class Wish:
    """What somebody asks for at `at`, and when they change their mind."""

    at: datetime
    place: Place
    member: User
    period: Period
    party_size: int
    cancelled_at: datetime | None = None
    moved_at: datetime | None = None


def create(*, now: datetime, days: int = 7, scale: int = 1, seed: int = 1) -> None:
    """Fill an empty database with `days` before and after now, `scale` times the places and people.

    The same arguments make the same data (codes and password hashes aside).
    """
    chance = random.Random(seed)  # noqa: S311 - plays, hides nothing
    opened_at = now - days * DAY - DECIDED_AHEAD - DAY
    with transaction.atomic():
        coworking = _coworking(scale, now)
        restaurant = _restaurant(scale, now)
        Policy.objects.update(changed_at=opened_at)
        people = _people(60 * scale, opened_at, chance)
        member = _staff(people, [coworking, restaurant])
    wishes = _of_demo_member(member, coworking, restaurant, now)
    for space, habits in ((coworking, COWORKING), (restaurant, RESTAURANT)):
        planner = Planner(space, habits, people, chance, now=now, planned=wishes)
        wishes += planner.wishes(days, scale)
    host = User.objects.get(username="host")
    live_through(wishes, host=host, now=now, chance=chance)


# --- The set-up -----------------------------------------------------------------------------------


def _coworking(scale: int, now: datetime) -> Space:
    space = Space.objects.create(
        slug="tverskaya",
        name="Tverskaya Coworking",
        kind=Space.Kind.COWORKING,
        time_zone="Europe/Moscow",
        address="Tverskaya Street 12, Moscow",
        about="Desks by the hour and rooms to meet in, two minutes from the metro.",
    )
    for weekday in OpeningHours.Weekday:
        opens_at, closes_at = (time(10), time(20)) if weekday >= 5 else (time(8), time(22))
        space.opening_hours.create(weekday=weekday, opens_at=opens_at, closes_at=closes_at)
    space.policies.create(cancel_deadline_minutes=60, max_upcoming=5, max_days_ahead=30)
    places = [
        Place(space=space, kind=Place.Kind.DESK, features=[str(f) for f in features])
        for features in islice(cycle(DESKS), 33 * scale)
    ]
    for name, capacity in ROOMS.items():
        screens = [str(Feature.SCREEN), str(Feature.WHITEBOARD)][: 1 + capacity // 6]
        room = Place(space=space, kind=Place.Kind.ROOM, features=screens)
        room.name, room.capacity = name, capacity
        places.append(room)
    hall = Place(space=space, kind=Place.Kind.ROOM, name="Volga + Neva", capacity=14)
    _lay_out([*places, hall])
    set_parts(hall, space.places.filter(name__in=["Volga", "Neva"]), now=now)
    return space


def _restaurant(scale: int, now: datetime) -> Space:
    space = Space.objects.create(
        slug="ararat",
        name="Ararat",
        kind=Space.Kind.RESTAURANT,
        time_zone="Asia/Yerevan",
        address="Abovyan Street 5, Yerevan",
        about="Armenian kitchen, open until two at night.",
    )
    for weekday in OpeningHours.Weekday:
        space.opening_hours.create(weekday=weekday, opens_at=time(12), closes_at=time(2))
    space.policies.create(
        step_minutes=30,
        min_minutes=60,
        max_minutes=180,
        cancel_deadline_minutes=120,
        max_days_ahead=30,
    )
    tables = [
        Place(space=space, kind=Place.Kind.TABLE, capacity=capacity, features=[*map(str, features)])
        for capacity, features in islice(cycle(TABLES), 20 * scale)
    ]
    together = Place(space=space, kind=Place.Kind.TABLE, name="Tables 7 + 8", capacity=12)
    _lay_out([*tables, together])
    set_parts(together, space.places.filter(number__in=[7, 8]), now=now)
    return space


def _lay_out(places: list[Place]) -> None:
    """Number places from 1, ten in a row of the plan."""
    for number, place in enumerate(places, 1):
        place.number = number
        place.plan_y, place.plan_x = divmod(number - 1, 10)
    Place.objects.bulk_create(places)


def _people(count: int, joined_at: datetime, chance: random.Random) -> list[User]:
    names = [
        (given, family + ending)
        for ending, all_given in GIVEN.items()
        for given, family in product(all_given, FAMILY)
    ]
    chance.shuffle(names)
    password = make_password(PASSWORD)  # slow by design, so once for all
    people = []
    for n, (given, family) in enumerate(islice(cycle(names), count)):
        again = n // len(names)
        login = f"{given}.{family}{again or ''}".lower()
        person = User(username=login, name=f"{given} {family}", password=password)
        person.date_joined = joined_at
        people.append(person)
    return User.objects.bulk_create(people)


def _staff(people: list[User], spaces: list[Space]) -> User:
    """Create who can sign in by a known login; return the member."""
    password = people[0].password
    member, host, manager, _ = User.objects.bulk_create(
        User(
            username=login,
            name=f"Demo {login}",
            password=password,
            date_joined=people[0].date_joined,
            is_superuser=login == "admin",
            is_staff=login == "admin",
        )
        for login in LOGINS
    )
    for space in spaces:
        space.staff_roles.create(user=host, role=StaffRole.Role.HOST)
        space.staff_roles.create(user=manager, role=StaffRole.Role.MANAGER)
    return member


# --- What people want -----------------------------------------------------------------------------


def _of_demo_member(member: User, coworking: Space, restaurant: Space, now: datetime) -> list[Wish]:
    """Return a short story: visits, one cancelled and one moved, and three still to come."""

    def wish(space: Space, number: int, days: int, hour: int, hours: int, people: int = 1) -> Wish:
        day = now.astimezone(space.zone).date() + days * DAY
        starts_at = instant(day, time(hour), space.zone)
        at = min(starts_at - 2 * DAY, now - 5 * HOUR)
        place = space.places.get(number=number)
        return Wish(at, place, member, Period(starts_at, starts_at + hours * HOUR), people)

    moved, cancelled = wish(coworking, 2, -3, 14, 3), wish(coworking, 4, -2, 10, 2)
    return [
        wish(coworking, 12, -6, 10, 4),
        wish(restaurant, 4, -5, 19, 2, people=3),
        replace(moved, moved_at=moved.at + 5 * HOUR),
        replace(cancelled, cancelled_at=cancelled.at + 20 * HOUR),
        wish(coworking, 12, 1, 10, 4),
        wish(restaurant, 10, 2, 19, 2, people=2),
        wish(coworking, 35, 4, 14, 2, people=4),
    ]


class Planner:
    """Makes up requests to one space, mostly for places that are free in the plan so far."""

    def __init__(
        self,
        space: Space,
        habits: Habits,
        people: list[User],
        chance: random.Random,
        *,
        now: datetime,
        planned: list[Wish],
    ) -> None:
        self.habits, self.people, self.chance, self.now = habits, people, chance, now
        self.venue = Venue.of(Space.objects.with_setup(since=now, member=None).get(pk=space.pk))
        self.zone = space.zone
        self.places = list(space.places.by_number())
        self.taken = {cell for wish in planned for cell in self._cells(wish.place, wish.period)}

    def wishes(self, days: int, scale: int) -> list[Wish]:
        today = self.venue.today(self.now)
        made = (
            self._wish(today + n * DAY)
            for n in range(-days, days + 1)
            for _ in range(self.habits.a_day[(today + n * DAY).weekday()] * scale)
        )
        return [wish for wish in made if wish is not None]

    def _wish(self, day: date) -> Wish | None:
        """Return one request for a day; None when it hasn't been made yet."""
        chance = self.chance
        starts_at = self._start(day)
        ahead = min(chance.expovariate(1 / 90) * HOUR + HOUR / 3, DECIDED_AHEAD)
        at = (starts_at - ahead).replace(microsecond=0)
        if at > self.now:
            return None
        place, period = self._choice(starts_at)
        self.taken |= self._cells(place, period)
        party = chance.randint(max(1, place.capacity // 2), place.capacity)
        cancelled_at = None
        if chance.random() < 0.09:
            cancelled_at = at + chance.random() * ahead
        return Wish(at, place, chance.choice(self.people), period, party, cancelled_at)

    def _start(self, day: date) -> datetime:
        """Return a time of a day at which an hour can still be had, the liked ones more often."""
        kind = self.places[0].kind
        last = self.venue.openings(day)[-1].ends_at - HOUR
        starts = [at for at in self.venue.starts(day, self.venue.limits(kind).step) if at <= last]
        likes = [self.habits.hours.get(at.astimezone(self.zone).hour, 1) for at in starts]
        return self.chance.choices(starts, likes)[0]

    def _choice(self, starts_at: datetime) -> tuple[Place, Period]:
        """Look at a few places for a free one; now and then don't look."""
        looks = 1 if self.chance.random() < 0.08 else 6
        for _ in range(looks):
            place = self.chance.choice(self.places)
            length = self.chance.choice(self.habits.lengths[place.kind]) * HOUR
            period = Period(starts_at, starts_at + length)
            if not self.venue.is_open(place.pk, period):
                period = Period(starts_at, starts_at + HOUR)
            if not self.taken & self._cells(place, period):
                break
        return place, period

    def _cells(self, place: Place, period: Period) -> set[tuple[int, datetime]]:
        return {(leaf, slot) for leaf in self.venue.leaves(place.pk) for slot in slots(period)}


# --- What came of it ------------------------------------------------------------------------------


def live_through(wishes: list[Wish], *, host: User, now: datetime, chance: random.Random) -> None:
    """Let everything happen in order, each at its own moment."""
    first = min(wish.at for wish in wishes)
    timeline: list[tuple[datetime, str, int]] = []
    for n, wish in enumerate(wishes):
        moments = (("book", wish.at), ("move", wish.moved_at), ("cancel", wish.cancelled_at))
        timeline += [(at, verb, n) for verb, at in moments if at is not None and at <= now]
    hours = int((now - first) / HOUR)
    timeline += [(now - n * HOUR, "complete", 0) for n in range(hours)]
    booked: dict[int, Booking] = {}
    for at, verb, n in sorted(timeline):
        if verb == "complete":
            services.complete_past(now=at)
        elif verb == "book":
            if booking := _book(wishes[n], n):
                booked[n] = booking
        elif n in booked:
            _change(verb, booked[n], wishes[n], host=host, at=at, chance=chance)


def _book(wish: Wish, n: int) -> Booking | None:
    """Return the booking; None when it was refused (a quota) or somebody was faster."""
    try:
        booking = services.book(
            wish.place,
            member=wish.member,
            starts_at=wish.period.starts_at,
            ends_at=wish.period.ends_at,
            party_size=wish.party_size,
            by=wish.member,
            now=wish.at,
            request_key=f"demo-{n}",
        )
    except BookingError:
        return None
    return booking if booking.occupies else None


def _change(
    verb: str, booking: Booking, wish: Wish, *, host: User, at: datetime, chance: random.Random
) -> None:
    if verb == "move":
        later = Period(wish.period.starts_at + HOUR, wish.period.ends_at + HOUR)
        services.reschedule(
            booking,
            place=wish.place,
            starts_at=later.starts_at,
            ends_at=later.ends_at,
            by=wish.member,
            now=at,
        )
    elif at < wish.period.starts_at - 2 * HOUR and chance.random() < 0.7:
        services.cancel(booking, by=wish.member, now=at)
    else:
        services.cancel(booking, by=host, now=at, reason=chance.choice(STAFF_REASONS))
