"""Years of bookings: no page reads more rows for them, and nobody counts a table.

The pages come from the URLconf, so a new one is tried too. What PostgreSQL reads is counted, not
timed; SQLite doesn't count, but says when it reads a whole table. Writing the years takes longer
than looking at most pages, so each test looks at many.
"""

import re
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain, product

import pytest
from django.contrib import admin
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.factories import UserFactory
from accounts.long_lists import MOST_PAGES, LongList
from benchmarks.plans import read
from bookings.deciding.services import complete_past
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.tests.acts import book, hours
from bookings.words.representation import booking_data
from config.management.commands.worker import LANES
from config.tests.walk import at_every_address, rows, sessions  # noqa: F401 - fixtures
from notifications.relay import fan_out
from spaces.codes import new_code
from spaces.factories import PlaceFactory
from spaces.slots import slots

pytestmark = pytest.mark.django_db

#: Bookings of one member in each of two places: more than any page shows.
YEARS = 700
#: What a page may read, however long the history is.
FEW = 500

#: Asked rarely and by staff only: whoever deletes a place is told how many bookings keep it.
COUNT_ONE_PLACE = {"admin:spaces_place_delete", "admin:spaces_space_delete"}
#: What a member takes along is everything of theirs.
TAKE_ALONG = {"my_data", "my_data_calendar"}

OURS = re.compile(r'"(bookings_booking|bookings_bookedslot|bookings_bookingevent)"')
WHOLE_TABLE = re.compile(r"SCAN bookings_\w+(;|$)")


def write_years(member, place, other):
    """Write old bookings, half of them of one member; no worker has completed half of them."""
    people = UserFactory.create_batch(8)
    first = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=60)
    made = Booking.objects.bulk_create(
        Booking(
            code=new_code(),
            member=member if n % 4 < 2 else people[n % 8],
            place=at,
            starts_at=first - n * hours(4),
            ends_at=first - n * hours(4) + hours(2),
            state="CONFIRMED" if n % 2 else "CANCELLED",
            created_at=first - n * hours(4) - hours(24),
            decided_at=first - n * hours(4) - hours(24),
        )
        for at in (place, other)
        for n in range(YEARS)
    )
    BookedSlot.objects.bulk_create(
        BookedSlot(booking=booking, place=booking.place, slot=slot)
        for booking in made
        if booking.occupies
        for slot in slots(booking.period)
    )
    BookingEvent.objects.bulk_create(
        BookingEvent(
            booking=booking,
            sequence=1,
            kind="CONFIRMED",
            actor=booking.member,
            at=booking.created_at,
            data=booking_data(booking),
            position=n,
        )
        for n, booking in enumerate(made, 1_000)
    )
    if connection.vendor == "postgresql":  # autovacuum does it there; nobody does on SQLite
        with connection.cursor() as cursor:
            # What earlier tests have rolled back is still in the files, and lets other plans win.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for model in (Booking, BookedSlot, BookingEvent):
                table = model._meta.db_table
                cursor.execute(f"CLUSTER {table} USING {table}_pkey")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute("ANALYZE")


class Reading:
    """Notes which statements read much. Each is explained once: most come with every page."""

    def __init__(self, known):
        self.known = known
        self.wholes = []
        self.is_asking = False

    def __call__(self, execute, sql, params, many, context):
        reads = sql.lstrip("( ").startswith(("SELECT", "WITH")) and OURS.search(sql)
        if reads and not self.is_asking and sql not in self.known:
            self.known.add(sql)
            self.is_asking = True
            try:
                self.explain(sql, params)
            finally:
                self.is_asking = False
        return execute(sql, params, many, context)

    def explain(self, sql, params):
        is_postgresql = connection.vendor == "postgresql"
        how = "(ANALYZE, BUFFERS, FORMAT JSON)" if is_postgresql else "QUERY PLAN"
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {how} {sql}", params)
            found = cursor.fetchall()
        if is_postgresql:
            explained = read(sql, found[0][0][0])
            if explained.rows > FEW:
                self.wholes.append(f"{explained.rows} rows: {explained.how}: {sql}")
        else:
            plan = "; ".join(line[3] for line in found)
            is_first_rows = "LIMIT" in sql and "TEMP B-TREE" not in plan  # by the primary key
            if WHOLE_TABLE.search(plan) and not is_first_rows:
                self.wholes.append(f"{plan}: {sql}")


@contextmanager
def reading(known=None):
    """Yield what the block reads, with a planner that takes its tables for large ones."""
    found = Reading(set() if known is None else known)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL jit = off")  # it would compile what seems so dear
    with connection.execute_wrapper(found):
        yield found


@pytest.fixture
def years(rows, alice, space, desk):  # noqa: F811 - the fixture of the walk
    write_years(alice, desk, space.places.get(number=2))


@pytest.fixture
def walked(years, rows, sessions):  # noqa: F811 - the fixtures of the walk
    return rows


def test_no_page_reads_years(walked, sessions, subtests):  # noqa: F811 - the fixture of the walk
    known = set()

    def check(here):
        if here.name in COUNT_ONE_PLACE | TAKE_ALONG:
            return
        with reading(known) as found:
            here.come().get(here.path)
        assert not found.wholes

    at_every_address(check)(walked, sessions, subtests)


LISTS = [
    "/bookings/history/?state=CONFIRMED",
    "/bookings/history/?space=loft",
    "/admin/bookings/booking/?day=today",
    "/admin/bookings/booking/?day=next",
    "/admin/bookings/booking/?o=-8",
    "/admin/bookings/booking/?o=1",
    "/admin/bookings/booking/?p=3",
    "/admin/bookings/booking/?space=loft",
]


def test_no_list_does(client, years, alice, host, admin_user, subtests):
    known = set()
    for who, path in product([alice, host, admin_user], LISTS):
        client.force_login(who)
        with subtests.test(f"{who} {path}"), reading(known) as found:
            assert client.get(path).status_code in (200, 302, 403)
            assert not found.wholes


def test_turning_pages_booking_and_boards_read_no_more(client, years, desk, alice, soon):
    client.force_login(alice)
    page = client.get("/bookings/history/").context["page"]
    with reading() as found:
        for _ in range(3):
            page = client.get(f"/bookings/history/?older={page.older}").context["page"]
            assert page.bookings
        book(desk, alice, soon - hours(24), soon)
        client.get(f"/spaces/loft/?date={timezone.now() - timedelta(days=100):%Y-%m-%d}")
    assert not found.wholes


def test_no_step_of_a_worker_does(years):
    assert complete_past(now=timezone.now())
    while fan_out(now=timezone.now()):  # what is new is read once
        pass
    with reading() as found:
        for step in chain.from_iterable(LANES.values()):
            # SQLite uses no partial index for states that it is told as values.
            if step is not complete_past or connection.vendor == "postgresql":
                step(now=timezone.now())
    assert not found.wholes


class TestLongLists:
    """The admin's lists: a page and a row more, and links that say so."""

    LIST = "/admin/bookings/booking/"

    @pytest.fixture
    def root(self, client, admin_user):
        client.force_login(admin_user)
        return client

    def test_all_lists_of_the_admin_are_such(self, rf, admin_user):
        request = rf.get("/")
        request.user = admin_user
        for model, site_admin in admin.site._registry.items():
            assert issubclass(site_admin.get_changelist(request), LongList), model

    def test_nobody_counts_a_table(self, root, rows, django_assert_max_num_queries):  # noqa: F811 - a fixture
        for model in admin.site._registry:
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
            with django_assert_max_num_queries(30) as queries:
                assert root.get(reverse(name)).status_code == 200
            counts = re.compile(rf'SELECT COUNT.*FROM "{model._meta.db_table}"(?! U)')
            assert [query["sql"] for query in queries if counts.match(query["sql"])] == []

    def test_pages_say_whether_there_is_more(self, root, years):
        page = root.get(self.LIST).text
        assert "more than 50" in page
        assert "?p=2" in page
        assert "Select all, on all pages" in page
        assert "more than 150" in root.get(f"{self.LIST}?p=3").text
        every = Booking.objects.count()
        last = every // 50 + 1
        assert f"{every} in all" in root.get(f"{self.LIST}?p={last}").text
        assert root.get(f"{self.LIST}?all=").text.count('class="action-select"') == 50
        for beyond in (last + 1, MOST_PAGES + 1):
            answer = root.get(f"{self.LIST}?p={beyond}")
            assert (answer.status_code, answer.url) == (302, f"{self.LIST}?e=1")

    def test_clocks_decide_the_order_on_every_page(self, root, years, rows):  # noqa: F811 - a fixture
        rows["space"].time_zone = "Pacific/Kiritimati"
        rows["space"].save()
        shown = [
            booking
            for n in (1, 2, 3)
            for booking in root.get(f"{self.LIST}?p={n}").context["cl"].result_list
        ]
        assert len(shown) == len(set(shown)) == 150
        assert shown == sorted(shown, key=lambda b: (b.starts_at, b.pk), reverse=True)

    def test_one_page_is_the_whole_list(self, root, rows):  # noqa: F811 - the walk's fixture
        page = root.get(self.LIST).text
        assert f"{Booking.objects.count()} in all" in page
        assert "on all pages" not in page

    def test_all_at_once_if_they_are_few(self, root, space, host, desk, soon):
        for number in range(10, 70):
            place = PlaceFactory.create(space=space, number=number)
            book(place, UserFactory.create(), soon - hours(24), soon)
        page = root.get(f"{self.LIST}?all=").text
        assert "60 in all" in page
