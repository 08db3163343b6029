"""Two spaces and the people who come there."""

import random
from datetime import datetime, time
from itertools import cycle, islice, product
from typing import Any

from django.contrib.auth.hashers import make_password

from accounts.joining import Tier
from accounts.models import StaffRole, User
from spaces.features import Feature
from spaces.models import OpeningHours, Place, Space
from spaces.services import set_parts

PASSWORD = "mesto-demo"  # noqa: S105 - everybody may know it: of people who don't exist
LOGINS = ("member", "host", "manager", "admin")

GIVEN = {
    "": "Anton Boris Vadim Gleb Denis Ivan Kirill Maxim Oleg Pavel Roman Timur".split(),  # noqa: SIM905  # read as a line
    "a": "Alisa Vera Daria Elena Zoya Inna Ksenia Marina Nina Polina Sofia Yulia".split(),  # noqa: SIM905  # read as a line
}
FAMILY = "Ivanov Smirnov Orlov Sokolov Belov Krylov Gromov Titov Frolov Zuev Panov Volkov".split()  # noqa: SIM905  # read as a line

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
#: Parties from so many people on keep their table for so many minutes.
TURNS = {1: 90, 3: 120, 5: 150}
SHIFTS: list[dict[str, Any]] = [
    {
        "name": "Lunch",
        "first_seating": time(12),
        "last_seating": time(15, 30),
        "covers_online": 16,
        "covers_in_house": 10,
    },
    {
        "name": "Dinner",
        "first_seating": time(17),
        "last_seating": time(0),
        "covers_online": 14,
        "covers_in_house": 12,
    },
]


def coworking(scale: int, now: datetime) -> Space:
    space = Space.objects.create(
        slug="tverskaya",
        name="Tverskaya Coworking",
        kind=Space.Kind.COWORKING,
        time_zone="Europe/Moscow",
        country="RU",
        address="Tverskaya Street 12, Moscow",
        phone="+7 495 555-01-23",
        email="desk@tverskaya.example",
        about="Desks by the hour and meeting rooms, two minutes from the metro.",
    )
    for weekday in OpeningHours.Weekday:
        opens_at, closes_at = (time(10), time(20)) if weekday >= 5 else (time(8), time(22))
        space.opening_hours.create(weekday=weekday, opens_at=opens_at, closes_at=closes_at)
    space.policies.create(cancel_deadline_minutes=60, max_upcoming=5, max_days_ahead=30)
    # Rooms are scarce: who doesn't check in loses theirs, and who does so often waits a while.
    space.policies.create(
        kind=Place.Kind.ROOM,
        check_in_opens_minutes=15,
        release_after_minutes=20,
        max_no_shows=3,
        no_show_days=30,
    )
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
    set_parts(hall, space.places.filter(name__in=["Volga", "Neva"]))
    return space


def restaurant(scale: int, now: datetime) -> Space:
    space = Space.objects.create(
        slug="ararat",
        name="Ararat",
        kind=Space.Kind.RESTAURANT,
        time_zone="Asia/Yerevan",
        country="AM",
        address="Abovyan Street 5, Yerevan",
        phone="+374 10 55-01-23",
        email="tables@ararat.example",
        about="Armenian cuisine, open until two in the morning.",
        guests_may_book=True,
    )
    for weekday in OpeningHours.Weekday:
        space.opening_hours.create(weekday=weekday, opens_at=time(12), closes_at=time(2))
    space.policies.create(
        step_minutes=30,
        min_minutes=60,
        max_minutes=180,
        cancel_deadline_minutes=120,
        max_days_ahead=30,
        check_in_opens_minutes=30,
    )
    for from_party, minutes in TURNS.items():
        space.turn_times.create(from_party=from_party, minutes=minutes)
    for shift in SHIFTS:
        space.shifts.create(**shift)
    tables = [
        Place(space=space, kind=Place.Kind.TABLE, capacity=capacity, features=[*map(str, features)])
        for capacity, features in islice(cycle(TABLES), 20 * scale)
    ]
    together = Place(space=space, kind=Place.Kind.TABLE, name="Tables 7 + 8", capacity=12)
    together.min_party, together.priority = 9, 1  # only pushed together for many
    _lay_out([*tables, together])
    set_parts(together, space.places.filter(number__in=[7, 8]))
    return space


def _lay_out(places: list[Place]) -> None:
    """Number places from 1, ten in a row of the plan."""
    for number, place in enumerate(places, 1):
        place.number = number
        place.plan_y, place.plan_x = divmod(number - 1, 10)
    Place.objects.bulk_create(places)


def tier(space: Space, people: list[User]) -> None:
    """Give some of the people, and the member with a known login, a tier with a rule of its own."""
    residents = Tier.objects.create(space=space, name="Residents")
    residents.members.set(people)
    space.policies.create(tier=residents, kind=Place.Kind.ROOM, max_minutes_per_day=240)


def people(count: int, joined_at: datetime, chance: random.Random) -> list[User]:
    names = [
        (given, family + ending)
        for ending, all_given in GIVEN.items()
        for given, family in product(all_given, FAMILY)
    ]
    chance.shuffle(names)
    password = make_password(PASSWORD)  # slow by design, so only once
    people = []
    for n, (given, family) in enumerate(islice(cycle(names), count)):
        again = n // len(names)
        login = f"{given}.{family}{again or ''}".lower()
        person = User(username=login, name=f"{given} {family}", password=password)
        person.date_joined = joined_at
        people.append(person)
    return User.objects.bulk_create(people)


def staff(people: list[User], spaces: list[Space]) -> tuple[User, User]:
    """Create the people with known logins; return the member and the host."""
    password = people[0].password
    member, host, manager, _admin = User.objects.bulk_create(
        User(
            username=login,
            name=f"Demo {login}",
            email=f"{login}@example.org",
            email_confirmed_at=people[0].date_joined,
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
    return member, host
