"""A set-up that changes while somebody waits, and changes at the same time."""

import random
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.db.models import F

from accounts.factories import UserFactory
from accounts.models import User
from bookings.deciding import closing
from bookings.deciding.errors import Refused
from bookings.models import Booking
from bookings.tests import acts
from bookings.tests.crowd import Together
from config.tests.processes import PATIENCE, wait_for
from spaces import setups
from spaces.factories import ClosureFactory, PolicyFactory, open_space
from spaces.loading import load
from spaces.models import Closure, OpeningHours, Place, Policy, SetupStamp
from spaces.services import lock_places, set_parts
from spaces.setups import Setup
from spaces.tests.elsewhere import content

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
HOUR = timedelta(hours=1)

#: SQLite has one writer at a time: there nobody waits inside a transaction.
many_writers = pytest.mark.skipif(
    "connection.vendor == 'sqlite'", reason="SQLite has one writer at a time."
)


@pytest.fixture
def house():
    return open_space(slug="loft", name="Loft", places=2)


@pytest.fixture
def desk(house):
    setups.current(house.pk)  # known before anything changes
    return house.places.get(number=1)


@pytest.fixture
def threads():
    threads = Together(8)
    yield threads
    threads.close()


def book(place, member):
    return acts.book(place, member, datetime.now(UTC), NOON, 1)


@contextmanager
def in_the_meantime(call):
    """Run a block in a transaction, and a call in a thread that has to wait for it."""
    threads, answers = Together(1), []
    with transaction.atomic():
        yield answers
        waiting = threading.Thread(target=lambda: answers.extend(threads.at_once(call)))
        waiting.start()
        if connection.vendor == "postgresql":
            wait_for(somebody_waits)
    waiting.join()
    threads.close()


def somebody_waits():
    """Tell whether another session waits for this one: the server may have others' tests."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks "
            "WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        )
        return cursor.fetchone() is not None


class TestWhileABookingWaitsForThePlace:
    def test_a_closure_is_seen(self, house, desk, alice):
        with in_the_meantime(lambda: book(desk, alice)) as answers:
            lock_places(house)
            ClosureFactory.create(space=house, starts_at=NOON, ends_at=NOON + HOUR)
        [refused] = answers
        assert isinstance(refused, Refused)
        assert [problem.code for problem in refused.problems] == ["closed"]

    @many_writers
    def test_the_statement_that_waits_sees_the_stamp_of_before(self, house, desk):
        """Why the stamp is read by a later one."""
        locking = Place.objects.select_for_update(no_key=True, of=("self",))
        rows = locking.filter(pk=desk.pk).annotate(stamp=F("space__stamps__stamp"))

        @transaction.atomic
        def naive():
            stamp = setups.written(row.stamp for row in rows)
            return stamp, setups.current(house.pk).stamp

        before = setups.current(house.pk).stamp
        with in_the_meantime(naive) as answers:
            lock_places(house)
            ClosureFactory.create(space=house, starts_at=NOON, ends_at=NOON + HOUR)
        [(read_while_locking, read_later)] = answers
        assert read_while_locking == before
        assert read_later == setups.current(house.pk).stamp != before

    def test_a_group_that_the_member_joins_is_seen(self, house, desk, alice):
        group = Group.objects.create(name="students")
        PolicyFactory.create(space=house, group=group, max_minutes=60, step_minutes=15)
        PolicyFactory.create(space=house, group=group, max_upcoming=0)
        alice = User.objects.get(pk=alice.pk)
        assert alice.group_ids == frozenset()  # which a page may have asked, and remembers
        with in_the_meantime(lambda: book(desk, alice)) as answers:
            lock_places(house)
            group.user_set.add(alice)
        [refused] = answers
        assert isinstance(refused, Refused)
        assert [problem.code for problem in refused.problems] == ["too_many_upcoming"]


class TestAtTheSameTime:
    @many_writers
    def test_changes_of_one_space_do_not_wait_for_each_other(self, house, threads):
        """With one stamp to lock, the second would wait, and the first for the second's place."""
        one, two = house.places.by_number()
        first_has_begun, second_is_done = threading.Event(), threading.Event()

        @transaction.atomic
        def first():
            Place.objects.filter(pk=one.pk).update(name="a")
            first_has_begun.set()
            assert second_is_done.wait(PATIENCE)
            Place.objects.filter(pk=two.pk).update(capacity=2)

        @transaction.atomic
        def second():
            assert first_has_begun.wait(PATIENCE)
            Place.objects.filter(pk=two.pk).update(name="b")
            second_is_done.set()

        assert threads.at_once(first, second) == [None, None]
        assert [place.name for place in setups.current(house.pk).places] == ["a", "b"]

    @many_writers
    def test_two_changes_leave_two_stamps_until_the_next(self, house, threads):
        one, two = house.places.by_number()
        with transaction.atomic():
            Place.objects.filter(pk=one.pk).update(name="a")
            threads.at_once(lambda: Place.objects.filter(pk=two.pk).update(name="b"))
        assert SetupStamp.objects.filter(space=house).count() == 2
        assert [place.name for place in setups.current(house.pk).places] == ["a", "b"]
        Place.objects.filter(pk=one.pk).update(name="c")
        assert SetupStamp.objects.filter(space=house).count() == 1
        assert [place.name for place in setups.current(house.pk).places] == ["c", "b"]

    def test_nobody_deadlocks_and_all_see_one_moment(self, house, threads):
        inn = open_space(slug="inn", name="Inn", places=2)
        policy = PolicyFactory.create(space=house, max_upcoming=1000, max_days_ahead=0)
        desk, whole = house.places.by_number()
        host = UserFactory.create(is_superuser=True)
        members = [UserFactory.create() for _ in range(2)]
        rng, rounds = random.Random(0), 12
        Policy.objects.update(max_days_ahead=100)
        Place.objects.filter(pk=desk.pk).update(plan_x=100)

        @transaction.atomic
        def both_at_once():
            # Two tables change together: nobody may see one without the other.
            place = Place.objects.select_for_update().get(pk=desk.pk)
            Place.objects.filter(pk=desk.pk).update(plan_x=place.plan_x + 1)
            Policy.objects.filter(pk=policy.pk).update(max_days_ahead=place.plan_x + 1)

        def everywhere():
            OpeningHours.objects.update(closes_at="21:00")

        def close():
            return closing.close(
                house,
                place=whole,
                starts_at=NOON + rng.randrange(500) * HOUR,
                ends_at=NOON + 600 * HOUR,
                reason="Repairs",
                choice=None,
                by=host,
                now=datetime.now(UTC),
            )

        def look():
            seen = setups.current(house.pk)
            limits = seen.venue((), NOON).limits("DESK")
            assert seen.places[0].plan_x == limits.max_days_ahead
            return seen.places[0].plan_x

        def parts():
            set_parts(inn.places.by_number()[0], list(inn.places.by_number())[1:])
            set_parts(inn.places.by_number()[0], [])

        def take(member):
            return book(desk, member)

        last = 0
        for _ in range(rounds):
            answers = threads.at_once(
                both_at_once,
                both_at_once,
                everywhere,
                close,
                parts,
                look,
                lambda: take(members[0]),
                lambda: take(members[1]),
            )
            looked = answers[5]
            wrong = [
                answer
                for answer in answers
                if isinstance(answer, Exception) and not isinstance(answer, Refused)
            ]
            assert wrong == []
            assert looked >= last
            last = looked
        assert look() == 100 + 2 * rounds
        assert Closure.objects.count() == rounds
        assert Booking.objects.occupying().count() == 1
        for space in (house, inn):
            [stored] = map(Setup, load([space.pk]))
            assert content(setups.current(space.pk)) == content(stored)
