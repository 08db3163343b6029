"""Fills a database with years of bookings, faster than services could: PostgreSQL only.

The rows are those that services would have left: each booking has its events, in the log's order,
and slots exist only where a booking holds a place. `check_bookings` finds nothing wrong.

The first space is the one that is looked at. History never changes what its board shows, so what
it costs to show can be compared.
"""

import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cache
from typing import Any

MEMBERS = 1_000
CHUNK = 20_000  # bookings a statement
YEARS = 5  # back
HOURS = (8, 22)
FREE_AFTER = 100  # days, after which nothing is booked

type Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Scene:
    """The parts of the data that are looked at."""

    slug: str = "growth-1"
    member: str = "growth-1"
    staff: str = "growth-staff"  # runs the first space's day
    root: str = "growth-root"


def bar(title: str) -> Progress:
    """Return what draws a progress bar on a terminal, and a line at the end anywhere else."""

    def draw(done: int, of: int) -> None:
        share = done / of if of else 1.0
        if sys.stderr.isatty():
            blocks = "█" * round(30 * share)
            print(f"\r{title} {blocks:░<30} {done:,} of {of:,}", end="", file=sys.stderr)
            if done >= of:
                print(file=sys.stderr)
        elif done >= of:
            print(f"{title}: {done:,}", file=sys.stderr)

    return draw


def present() -> datetime:
    from django.utils import timezone

    return timezone.now()


def midnight(now: datetime | None = None) -> datetime:
    return (now or present()).replace(hour=0, minute=0, second=0, microsecond=0)


def busy() -> datetime:
    """Return the day whose board is looked at."""
    return midnight() + timedelta(days=1)


def begin(*, spaces: int, places: int = 50) -> datetime:
    """Make what is looked at: a busy day, and a member with a page of bookings; return now."""
    now = present()
    more_spaces(spaces, places=places)
    people()
    busy_day(Scene.slug, busy())
    _insert(OWN, {"midnight": midnight(now), "member": Scene.member, "slug": Scene.slug})
    return now


def large_space(places: int) -> str:
    """Bring another space to so many places, all of them with bookings on the busy day."""
    from spaces.models import Space

    slug = "growth-large"
    if not Space.objects.filter(slug=slug).exists():
        _open([Space(slug=slug, name="Zz")])
    more_places(slug, places)
    busy_day(slug, busy())
    settle()
    return slug


def free_hour(n: int) -> tuple[str, datetime]:
    """Return a place's code and an hour that is free, another for each number."""
    codes = _codes()
    day, hour = divmod(n // len(codes), 12)
    at = midnight() + timedelta(days=FREE_AFTER + day, hours=HOURS[0] + hour)
    return codes[n % len(codes)], at


@cache
def _codes() -> list[str]:
    from spaces.models import Place

    places = Place.objects.filter(space__slug=Scene.slug).order_by("number")[:50]
    return [str(place.code) for place in places]


def forget_free_hours() -> None:
    """Delete what was booked there: the member's pages show the same as before."""
    from bookings.models import BookedSlot, Booking, BookingEvent

    booked = Booking.objects.filter(starts_at__gte=midnight() + timedelta(days=FREE_AFTER))
    for model in (BookedSlot, BookingEvent):
        model.objects.filter(booking__in=booked)._raw_delete("default")
    booked._raw_delete("default")


def people() -> None:
    """Create the members and those who work in the first space. Needs it to exist."""
    from accounts.models import StaffRole, User
    from spaces.models import Space

    scene = Scene()
    logins = [f"growth-{n}" for n in range(1, MEMBERS + 1)]
    User.objects.bulk_create(User(username=login, password="!") for login in logins)
    User.objects.create(username=scene.root, password="!", is_superuser=True)
    staff = User.objects.create(username=scene.staff, password="!")
    StaffRole.objects.create(
        user=staff, space=Space.objects.get(slug=scene.slug), role=StaffRole.Role.MANAGER
    )


def more_spaces(count: int, *, places: int) -> None:
    """Bring the number of spaces to `count`, each with so many places."""
    from spaces.models import Space

    known = Space.objects.count()
    _open(
        Space(slug=f"growth-{n}", name=f"Space {n:03}", address=f"{n} High Street")
        for n in range(known + 1, count + 1)
    )
    for space in Space.objects.all():
        more_places(space.slug, places)


def _open(spaces: Iterable[Any]) -> None:
    """Create spaces that are open every day."""
    from spaces.models import OpeningHours, Policy, Space

    new = Space.objects.bulk_create(spaces)
    OpeningHours.objects.bulk_create(
        OpeningHours(space=space, weekday=day, opens_at=time(HOURS[0]), closes_at=time(HOURS[1]))
        for space in new
        for day in range(7)
    )
    Policy.objects.bulk_create(
        Policy(space=space, max_upcoming=1000, max_days_ahead=365) for space in new
    )


def more_places(slug: str, count: int) -> None:
    """Bring the number of places in a space to `count`."""
    from spaces.models import Place, Space

    space = Space.objects.get(slug=slug)
    known = space.places.count()
    Place.objects.bulk_create(
        Place(space=space, number=number, kind="DESK") for number in range(known + 1, count + 1)
    )


def busy_day(slug: str, day: datetime) -> None:
    """Book every place of a space for two hours in the morning and two in the afternoon."""
    _insert(
        # Names from our own models, and numbers: nothing here comes from outside.
        """
        SELECT p.id AS place, m.id AS member, %(day)s + make_interval(hours => h) AS starts_at,
               %(day)s + make_interval(hours => h + 2) AS ends_at, 'CONFIRMED' AS state,
               %(now)s - interval '1 day' AS created_at
        FROM spaces_place p JOIN spaces_space s ON s.id = p.space_id AND s.slug = %(slug)s
        CROSS JOIN (VALUES (10), (15)) AS hours(h)
        JOIN accounts_user m ON m.username = 'growth-' || (2 + (p.number * 7 + h) %% 900)
        WHERE NOT EXISTS (SELECT FROM bookings_booking b WHERE b.place_id = p.id
                          AND b.starts_at = %(day)s + make_interval(hours => h)
                          AND b.state = 'CONFIRMED')
        """,
        {"day": day, "slug": slug, "now": day - timedelta(days=1)},
    )


def history(
    first: int, last: int, *, now: datetime, unfinished: bool = False, draw: Progress | None = None
) -> None:
    """Write bookings number `first` to `last`; `unfinished`: nobody has completed the past ones.

    One in 50 is in the coming weeks, in the other spaces. Where spaces were added meanwhile, the
    few that would get a place that is taken are left out.
    """
    draw = draw or bar("bookings")
    for number in range(first, last, CHUNK):
        _insert(
            HISTORY,
            {
                "first": number,
                "some": min(CHUNK, last - number),
                "now": now,
                "midnight": midnight(now),
                "days": 365 * YEARS,
                "past": "CONFIRMED" if unfinished else "COMPLETED",
            },
        )
        draw(min(number + CHUNK, last) - first, last - first)


#: What the member's own pages show: 100 past bookings and five to come, out of everybody's way.
OWN = """
SELECT p.id AS place, m.id AS member,
       %(midnight)s + make_interval(days => day, hours => 6) AS starts_at,
       %(midnight)s + make_interval(days => day, hours => 7) AS ends_at,
       CASE WHEN day < 0 THEN 'COMPLETED' ELSE 'CONFIRMED' END AS state,
       %(midnight)s - interval '101 days' + make_interval(mins => day) AS created_at
FROM generate_series(-100, 7) AS day
JOIN spaces_space s ON s.slug = %(slug)s JOIN spaces_place p ON p.space_id = s.id AND p.number = 2
JOIN accounts_user m ON m.username = %(member)s
WHERE day < 0 OR day > 2
"""

#: Bookings number `first` to `first + some`. They step through places, hours and days, so no two
#: of those that hold a place overlap; 7919 is a prime, which scatters the days over the years.
HISTORY = """
WITH places AS MATERIALIZED (
         SELECT id, row_number() OVER (ORDER BY number, space_id) - 1 AS n FROM spaces_place),
     others AS MATERIALIZED (
         SELECT p.id, row_number() OVER (ORDER BY p.number, p.space_id) - 1 AS n
         FROM spaces_place p JOIN spaces_space s ON s.id = p.space_id WHERE s.slug <> 'growth-1'),
     totals AS MATERIALIZED (
         SELECT (SELECT count(*) FROM places) AS here, (SELECT count(*) FROM others) AS elsewhere),
     numbers AS MATERIALIZED (
         SELECT i, i %% here AS place, i / here %% 6 * 2 AS step,
                1 + i / here / 6 * 7919 %% %(days)s AS back,
                i / 50 %% elsewhere AS other, i / 50 / elsewhere %% 6 * 2 AS other_step,
                1 + i / 50 / elsewhere / 6 AS later
         FROM generate_series(%(first)s, %(first)s + %(some)s - 1) AS i, totals),
     past AS (SELECT p.id, i, step, back FROM numbers JOIN places p ON p.n = place
              WHERE i %% 50 <> 7),
     ahead AS (SELECT p.id, i, other_step AS step, later FROM numbers JOIN others p ON p.n = other
               WHERE i %% 50 = 7)
SELECT past.id AS place, m.id AS member,
       %(midnight)s + make_interval(days => (-back)::int, hours => (8 + step)::int) AS starts_at,
       %(midnight)s + make_interval(days => (-back)::int, hours => (10 + step)::int) AS ends_at,
       CASE WHEN i %% 20 < 15 THEN %(past)s WHEN i %% 20 < 18 THEN 'CANCELLED' ELSE 'REJECTED' END
           AS state,
       %(midnight)s + make_interval(days => (-2 - back)::int, secs => (i %% 80000)::int)
           AS created_at
FROM past JOIN accounts_user m ON m.username = 'growth-' || (1 + i %% 997)
UNION ALL
SELECT ahead.id, m.id,
       %(midnight)s + make_interval(days => later::int, hours => (8 + step)::int),
       %(midnight)s + make_interval(days => later::int, hours => (10 + step)::int),
       'CONFIRMED', %(now)s - make_interval(secs => (i %% 80000)::int)
FROM ahead JOIN accounts_user m ON m.username = 'growth-' || (2 + i %% 991)
"""

BOOKINGS = """
CREATE TEMP TABLE IF NOT EXISTS filled (LIKE bookings_booking INCLUDING DEFAULTS);
TRUNCATE filled;
INSERT INTO filled (id, code, member_id, guest_name, guest_contact, place_id, starts_at, ends_at,
                    party_size, state, note, request_key, created_at, decided_at, problems)
SELECT nextval(pg_get_serial_sequence('bookings_booking', 'id')),
       (lpad(to_hex((extract(epoch FROM created_at) * 1000)::bigint), 12, '0') || '7'
        || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid,
       member, '', '', place, starts_at, ends_at, 1, state, '',
       substr(md5(random()::text), 1, 24), created_at, created_at,
       CASE WHEN state = 'REJECTED' THEN '["slot_taken"]' ELSE '[]' END::jsonb
FROM ({rows}) AS rows
WHERE state <> 'CONFIRMED' OR NOT EXISTS (
    SELECT FROM bookings_bookedslot s
    WHERE s.place_id = place AND s.slot >= starts_at AND s.slot < ends_at);
INSERT INTO bookings_booking SELECT * FROM filled;
INSERT INTO bookings_bookedslot (booking_id, place_id, slot)
SELECT id, place_id, generate_series(starts_at, ends_at - interval '15 min', interval '15 min')
FROM filled WHERE state = 'CONFIRMED' ORDER BY 2, 3;
INSERT INTO bookings_bookingevent
    (booking_id, sequence, kind, actor_id, at, reason, data, position)
SELECT f.id, e.sequence, e.kind, f.member_id, e.at, '',
       jsonb_build_object(
           'code', f.code, 'state', e.kind, 'note', '', 'party_size', 1, 'problems', f.problems,
           'place', jsonb_build_object('code', p.code, 'name', 'Desk ' || p.number,
                                       'space', s.slug),
           'starts_at', f.starts_at, 'ends_at', f.ends_at,
           'created_at', f.created_at, 'decided_at', f.decided_at),
       (SELECT coalesce(max(position), 0) FROM bookings_bookingevent)
       + row_number() OVER (ORDER BY e.at, f.id, e.sequence)
FROM filled f JOIN spaces_place p ON p.id = f.place_id JOIN spaces_space s ON s.id = p.space_id
CROSS JOIN LATERAL (
    SELECT 1 AS sequence,
           CASE WHEN f.state = 'REJECTED' THEN 'REJECTED' ELSE 'CONFIRMED' END AS kind,
           f.created_at AS at
    UNION ALL
    SELECT 2, f.state, CASE WHEN f.state = 'COMPLETED' THEN f.ends_at ELSE f.created_at END
    WHERE f.state IN ('COMPLETED', 'CANCELLED')) AS e
"""


def _insert(rows: str, values: dict[str, object]) -> None:
    """Insert bookings of these members, places, times and states; their slots and events too."""
    from django.db import connection, transaction

    with transaction.atomic(), closing(connection.cursor()) as cursor:
        # All keys come from joins: looking each up again would double the time.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in BOOKINGS.split(";\n"):
            parts = statement.format(rows=rows) if "{rows}" in statement else statement
            cursor.execute(parts, values if "{rows}" in statement else None)


def settle() -> None:
    """Bring the planner's statistics up to date, as autovacuum does after a while."""
    from django.db import connection

    with closing(connection.cursor()) as cursor:
        cursor.execute("VACUUM ANALYZE")
