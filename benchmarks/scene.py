"""Sets the scene in a database: people, places, bookings; prints what the benchmarks need of it.

It runs in the checkout that is measured, which may be an older one: `python scene.py PEOPLE`.
"""

import json
import os
import random
import sys
from datetime import date, datetime, time, timedelta
from http.cookies import SimpleCookie
from importlib import import_module
from itertools import product
from typing import Any

SLUG = "tverskaya"
PLACES = 50  # that its board shows
TOKEN = "benchmark0benchmark0benchmark000"  # a CSRF token is in the cookie and in the form
NEAR = 14  # days that people look at: half of them busy ones of the demo data
FAR = range(16, 110)  # days whose hours are booked while nobody looks at them
OPEN = range(10, 20)  # hours at which it is open every day
TAKEN = 60  # hours that everybody wants and somebody has
HISTORIES, HISTORY = 5, 35  # people who have been here before, and how many bookings each made
CHANGING = 14  # bookings a day that come and go: two to the power of that many different boards
HOUR = timedelta(hours=1)


def set_the_scene(people: int) -> dict[str, Any]:
    """Make places, people with sessions, and bookings on top of the demo data."""
    from django.db import transaction
    from django.utils import timezone

    from spaces.models import Policy, Space

    now = timezone.now()
    space = Space.objects.get(slug=SLUG)
    # Quotas are still counted for each booking; they just aren't reached.
    Policy.objects.update(max_upcoming=1000, max_days_ahead=120)
    add_places(space)
    members = add_people(people)
    today = now.astimezone(space.zone).date()
    near = [today + timedelta(days=n) for n in range(1, NEAR + 1)]
    far = [today + timedelta(days=n) for n in FAR]
    free, busy = free_hours(space, far), free_hours(space, near)
    taken = [free.pop() for _ in range(TAKEN)]
    for place, starts_at in taken:
        book(place, starts_at, by=members["somebody"], now=now)
    changing = []
    for number, day in enumerate(near):
        todays = [hour for hour in busy if hour[1].date() == day][:CHANGING]
        for hour in todays:
            busy.remove(hour)
            changing.append((number, book(*hour, by=members["somebody"], now=now)))
    prepare_changes(changing)
    for n in range(HISTORIES):
        remember(members[f"history{n}"], [free.pop() for _ in range(HISTORY)], now=now)
    with transaction.atomic():
        cookies = {login: cookie_of(member) for login, member in members.items()}
    return {
        "slug": SLUG,
        "places": PLACES,
        "token": TOKEN,
        "cookies": cookies,
        "days": [str(day) for day in near],
        "near": [written(*hour) for hour in busy],
        "far": [written(*hour) for hour in free],
        "taken": [written(*hour) for hour in taken],
    }


def add_places(space: Any) -> None:
    from spaces.models import Place

    known = space.places.count()
    Place.objects.bulk_create(
        Place(space=space, kind=Place.Kind.DESK, number=n, plan_y=n // 10, plan_x=n % 10)
        for n in range(known + 1, PLACES + 1)
    )


def add_people(count: int) -> dict[str, Any]:
    from accounts.models import User

    names = ["somebody", *(f"history{n}" for n in range(HISTORIES))]
    names += [f"load{n}" for n in range(count)]
    made = User.objects.bulk_create(User(username=name, password="!") for name in names)
    return dict(zip(names, made, strict=True))


def cookie_of(member: Any) -> str:
    """Sign somebody in without hashing a password."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(member.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = member.get_session_auth_hash()
    session.save()
    cookies = SimpleCookie({"sessionid": session.session_key, "csrftoken": TOKEN})
    return "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())


def free_hours(space: Any, days: list[date]) -> list[tuple[Any, datetime]]:
    """Return desks and hours that nobody has booked, in the same random order every time."""
    from bookings.models import BookedSlot

    desks = list(space.places.filter(kind="DESK").order_by("number"))
    taken = set(BookedSlot.objects.filter(place__space=space).values_list("place", "slot"))
    hours = [
        (desk, starts_at)
        for desk, day, hour in product(desks, days, OPEN)
        for starts_at in [datetime.combine(day, time(hour), space.zone)]
        if not any((desk.pk, starts_at + HOUR / 4 * n) in taken for n in range(4))
    ]
    random.Random(1).shuffle(hours)
    return hours


def book(place: Any, starts_at: datetime, *, by: Any, now: datetime) -> Any:
    from bookings.deciding import services
    from bookings.deciding.wish import Wish

    wish = Wish(place=place, member=by, starts_at=starts_at, ends_at=starts_at + HOUR)
    return services.book(wish, by=by, now=now)


def remember(member: Any, hours: list[tuple[Any, datetime]], *, now: datetime) -> None:
    """Give a member a history: every second booking was cancelled."""
    from bookings.deciding import services

    for n, hour in enumerate(hours):
        booking = book(*hour, by=member, now=now)
        if n % 2:
            services.cancel(booking, by=member, now=now)


def written(place: Any, starts_at: datetime) -> tuple[str, str, str]:
    """Write a place and an hour as the forms post them."""
    ends_at = starts_at + HOUR
    return str(place.code), f"{starts_at:%Y-%m-%dT%H:%M}", f"{ends_at:%Y-%m-%dT%H:%M}"


# Call n changes the board of day n modulo `days`: one of its bookings comes back or goes, in the
# order of a Gray code, so that no board is shown twice.
CHANGE = """
CREATE TABLE benchmark_changing (day int, number int, booking_id bigint);
CREATE TABLE benchmark_slots AS SELECT booking_id, place_id, slot FROM bookings_bookedslot LIMIT 0;
CREATE FUNCTION benchmark_flip(chosen bigint) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM bookings_bookedslot WHERE booking_id = chosen;
    IF FOUND THEN
        UPDATE bookings_booking SET state = 'CANCELLED' WHERE id = chosen;
    ELSE
        INSERT INTO bookings_bookedslot (booking_id, place_id, slot)
            SELECT booking_id, place_id, slot FROM benchmark_slots WHERE booking_id = chosen;
        UPDATE bookings_booking SET state = 'CONFIRMED' WHERE id = chosen;
    END IF;
END $$;
CREATE FUNCTION benchmark_change(n bigint, days int) RETURNS void LANGUAGE plpgsql AS $$ DECLARE
    step bigint := n / days + 1;
    bit int := 0;
BEGIN
    WHILE step % 2 = 0 LOOP step := step / 2; bit := bit + 1; END LOOP;
    PERFORM benchmark_flip(booking_id) FROM benchmark_changing
        WHERE day = n % days AND number = bit % (SELECT max(number) + 1 FROM benchmark_changing);
END $$;
CREATE FUNCTION benchmark_restore() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    PERFORM benchmark_flip(booking_id) FROM benchmark_changing AS all_of_them WHERE NOT EXISTS (
        SELECT FROM bookings_bookedslot WHERE booking_id = all_of_them.booking_id
    );
END $$;
"""


def prepare_changes(changing: list[tuple[int, Any]]) -> None:
    """Let somebody outside change a board with one statement; only PostgreSQL can."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(CHANGE)
        cursor.executemany(
            "INSERT INTO benchmark_changing VALUES (%s, %s, %s)",
            [(day, n % CHANGING, booking.pk) for n, (day, booking) in enumerate(changing)],
        )
        cursor.execute(
            "INSERT INTO benchmark_slots SELECT booking_id, place_id, slot FROM bookings_bookedslot"
            " WHERE booking_id IN (SELECT booking_id FROM benchmark_changing)"
        )


if __name__ == "__main__":
    sys.path[0] = os.getcwd()  # the checkout, not this folder
    import django

    django.setup()
    print(json.dumps(set_the_scene(int(sys.argv[1]))))
