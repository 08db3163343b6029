"""What would make a fast way of deciding a wrong one. Each test fails with the naive version."""

import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection, connections, transaction

from accounts.factories import UserFactory
from bookings.deciding import details, services
from bookings.deciding.errors import Refused, SlotTaken
from bookings.deciding.invariants import violations
from bookings.deciding.leaving import leave
from bookings.deciding.queueing import decide_next
from bookings.models import BookedSlot, Booking
from bookings.states import State
from bookings.tests.acts import TEN, ask, book, codes, hours, move
from spaces.factories import ClosureFactory, PlaceFactory, PolicyFactory, open_space
from spaces.models import Place
from spaces.services import lock_places

PATIENCE = 20
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)


def wrong(now):
    return [str(violation) for violation in violations(now=now)]


# --- Waiting for a lock ---------------------------------------------------------------------------


@contextmanager
def while_waiting(act):
    """Start an act in a thread; go on when it waits for a lock that this transaction has.

    The list gets what it returned or raised.
    """
    answers = []

    def run():
        try:
            answers.append(act())
        except Exception as error:  # the test checks it
            answers.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        yield_to = wait_for_a_waiter(thread, answers)
        yield answers, yield_to
    thread.join(PATIENCE)
    assert not thread.is_alive()


def wait_for_a_waiter(thread, answers):
    """Return what starts the thread, and returns once it waits for one of our locks.

    SQLite shows nobody who waits: there a writer waits before it has read anything.
    """

    def start():
        thread.start()
        if connection.vendor != "postgresql":
            return
        until = time.monotonic() + PATIENCE
        with connection.cursor() as cursor:
            while time.monotonic() < until:
                cursor.execute(
                    "SELECT count(*) FROM pg_locks"
                    " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
                )
                if cursor.fetchone()[0]:
                    return
                time.sleep(0.01)
        raise AssertionError(f"nobody waits for us: {answers}")

    return start


@pytest.fixture
def house():
    return open_space(slug="loft", name="Loft", places=2)


def changes():
    """Return what may change the set-up at that moment, and the problem that it causes."""
    return {
        "a closure": (lambda desk: ClosureFactory(space=desk.space, starts_at=NOON), "closed"),
        "closed days": (lambda desk: desk.space.opening_hours.all().delete(), "closed"),
        "a policy": (lambda desk: PolicyFactory(space=desk.space, max_minutes=30), "too_long"),
        "withdrawn": (
            lambda desk: Place.objects.filter(pk=desk.pk).update(is_bookable=False),
            "not_bookable",
        ),
        "hidden": (
            lambda desk: type(desk.space).objects.filter(pk=desk.space_id).update(is_active=False),
            "not_bookable",
        ),
    }


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", changes())
def test_a_set_up_that_changes_during_the_wait_counts(house, change):
    """Naive: the stamp comes with the locked row. Then it is the one from before the wait."""
    act, problem = changes()[change]
    desk = house.places.get(number=1)
    alice = UserFactory()
    now = datetime.now(UTC)
    book(house.places.get(number=2), alice, now, NOON)  # the set-up is in memory

    with while_waiting(lambda: book(desk, alice, now, NOON)) as (answers, start):
        lock_places(house)
        start()
        act(desk)

    assert isinstance(answers[0], Refused)
    assert [found.code for found in answers[0].problems] == [problem]
    assert wrong(now) == []


@pytest.mark.django_db(transaction=True)
def test_parts_that_change_during_the_wait_count(house):
    one, two = house.places.order_by("number")
    whole = PlaceFactory(space=house, number=10)
    alice = UserFactory()
    now = datetime.now(UTC)
    book(one, alice, now, NOON)

    with while_waiting(lambda: book(whole, alice, now, NOON)) as (answers, start):
        lock_places(house)
        start()
        whole.parts.set([one, two])

    assert answers[0].state == State.REJECTED
    assert wrong(now) == []


@pytest.mark.django_db(transaction=True)
def test_groups_that_change_during_the_wait_count(house):
    """Naive: the groups that came with the request decide."""
    slow = Group.objects.create(name="slow")
    PolicyFactory(space=house, group=slow, max_minutes=30)
    alice = UserFactory()
    now = datetime.now(UTC)
    assert alice.group_ids == frozenset()

    desk = house.places.get(number=1)
    with while_waiting(lambda: book(desk, alice, now, NOON)) as (answers, start):
        lock_places(house)
        start()
        alice.groups.add(slow)

    assert [found.code for found in answers[0].problems] == ["too_long"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("quota", [None, 3])
@pytest.mark.parametrize("act", ["book", "ask"])
def test_an_account_that_closes_during_the_wait_does_not_book(house, quota, act):
    """Naive: members are locked only where a quota applies."""
    if quota:
        PolicyFactory(space=house, max_upcoming=quota)
    alice = UserFactory()
    now = datetime.now(UTC)
    desk = house.places.get(number=1)
    do = {"book": book, "ask": ask}[act]

    with while_waiting(lambda: do(desk, alice, now, NOON)) as (answers, start):
        type(alice).objects.select_for_update(no_key=True).get(pk=alice.pk)
        start()
        type(alice).objects.filter(pk=alice.pk).update(is_active=False)

    assert [found.code for found in answers[0].problems] == ["account_closed"]
    assert not Booking.objects.exists()


# --- The set-up's key -----------------------------------------------------------------------------


@pytest.mark.django_db
class TestSetup:
    """Naive: what was laid out for one member, or at one moment, serves everybody."""

    def test_policies_are_those_of_the_members_groups(self, desk, alice, bob, now):
        slow, small = (Group.objects.create(name=name) for name in ("slow", "small"))
        PolicyFactory(space=desk.space, group=slow, max_minutes=60)
        PolicyFactory(space=desk.space, group=small, max_upcoming=1)
        for _again in range(2):
            for group, problem in ((slow, "too_long"), (small, "too_many_upcoming")):
                alice.groups.set([group])
                held = book(desk, alice, now, TEN - hours(1), length=1)
                with pytest.raises(Refused) as refused:
                    book(desk, alice, now)
                assert codes(refused) == [problem]
                services.cancel(held, by=alice, now=now)
            booked = book(desk, bob, now)
            services.cancel(booked, by=bob, now=now)

    def test_a_closure_is_over_for_late_requests_only(self, desk, alice, now):
        ClosureFactory(space=desk.space, starts_at=now, ends_at=TEN + hours(1))
        later = TEN + hours(2)
        for _again in range(2):
            booked = book(desk, alice, later, starts_at=later)
            services.cancel(booked, by=alice, now=later)
            with pytest.raises(Refused) as refused:
                book(desk, alice, now)
            assert codes(refused) == ["closed"]


# --- Slots that are taken in part -----------------------------------------------------------------


def slots_of(*bookings):
    return BookedSlot.objects.filter(booking__in=bookings).count()


@pytest.mark.django_db
class TestPartlyTaken:
    """Naive: ON CONFLICT DO NOTHING keeps the slots that were free."""

    def test_a_lost_booking_keeps_nothing(self, desk, alice, bob, now):
        first = book(desk, alice, now)
        lost = book(desk, bob, now, starts_at=TEN + hours(1))
        assert lost.state == State.REJECTED
        assert (slots_of(first), slots_of(lost)) == (8, 0)
        assert book(desk, bob, now, starts_at=TEN + hours(2)).state == State.CONFIRMED
        assert wrong(now) == []

    def test_a_lost_row_is_as_if_never_confirmed(self, desk, alice, bob, now):
        book(desk, alice, now)
        lost = book(desk, bob, now, starts_at=TEN + hours(1))
        kept = Booking.objects.get(pk=lost.pk)
        for booking in (lost, kept):
            assert (booking.state, booking.problems) == (State.REJECTED, ["slot_taken"])
        assert [event.kind for event in kept.events.all()] == ["REJECTED"]
        assert kept.events.get().data["state"] == "REJECTED"

    def test_a_lost_whole_keeps_no_part(self, desk, alice, bob, now):
        other = PlaceFactory(space=desk.space, number=20)
        whole = PlaceFactory(space=desk.space, number=21)
        whole.parts.set([desk, other])
        book(other, alice, now)
        assert book(whole, bob, now).state == State.REJECTED
        assert book(desk, bob, now).state == State.CONFIRMED
        assert wrong(now) == []

    def test_a_lost_request_keeps_nothing(self, desk, alice, bob, now):
        first = book(desk, alice, now)
        lost = ask(desk, bob, now, starts_at=TEN + hours(1))
        assert decide_next(now=now) == 1
        lost.refresh_from_db()
        assert lost.state == State.REJECTED
        assert (slots_of(first), slots_of(lost)) == (8, 0)
        assert wrong(now) == []

    def test_a_lost_move_keeps_the_old_slots(self, desk, alice, bob, now):
        first = book(desk, alice, now)
        moving = book(desk, bob, now, starts_at=TEN + hours(4))
        with pytest.raises(SlotTaken):
            move(moving, now, TEN + hours(1))
        moving.refresh_from_db()
        assert moving.starts_at == TEN + hours(4)
        assert (slots_of(first), slots_of(moving)) == (8, 8)
        assert wrong(now) == []


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["member", "guest"])
class TestRequestKey:
    """Naive: the conflict of a repeated request's row is taken for a conflict of its slots."""

    def send(self, place, who, alice, now, **kwargs):
        if who == "member":
            return book(place, alice, now, request_key="k", **kwargs)
        return book(place, None, now, by=alice, guest_name="Ivan", request_key="k", **kwargs)

    def test_the_same_request_is_answered_with_its_booking(self, who, desk, alice, now):
        first = self.send(desk, who, alice, now)
        again = self.send(desk, who, alice, now)
        assert (again.pk, again.state) == (first.pk, State.CONFIRMED)
        assert Booking.objects.count() == 1

    def test_a_lost_request_stays_lost(self, who, desk, alice, bob, now):
        winner = book(desk, bob, now)
        first = self.send(desk, who, alice, now)
        services.cancel(winner, by=bob, now=now)
        again = self.send(desk, who, alice, now)
        assert (again.pk, again.state) == (first.pk, State.REJECTED)
        assert slots_of(first) == 0

    def test_a_request_without_a_key_is_new_each_time(self, who, desk, alice, now):
        for n in range(2):
            booking = book(desk, alice, now, starts_at=TEN + hours(2 * n), request_key="")
            assert booking.state == State.CONFIRMED


@pytest.mark.django_db
@pytest.mark.parametrize("quota", [None, 3])
def test_a_closed_account_books_nothing(desk, alice, now, quota):
    """Naive: the member is locked, and looked at, only where a quota applies."""
    if quota:
        PolicyFactory(space=desk.space, max_upcoming=quota)
    booking = book(desk, alice, now)
    leave(alice, by=alice, now=now)
    booking.refresh_from_db()
    for act in (
        lambda: book(desk, alice, now, starts_at=TEN + hours(3)),
        lambda: ask(desk, alice, now, starts_at=TEN + hours(3)),
        lambda: move(booking, now, TEN + hours(3)),
        lambda: details.amend(booking, details.Details(note="x"), by=alice, now=now),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert codes(refused) == ["account_closed"]
