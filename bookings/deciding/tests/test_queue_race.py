"""The queue under several workers: threads or processes, one of them killed."""

import signal
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from subprocess import Popen

import pytest
from django.db import connections, transaction

from accounts.factories import UserFactory
from accounts.models import User
from bookings.deciding import services
from bookings.deciding.invariants import violations
from bookings.deciding.queueing import decide_next
from bookings.deciding.wish import Wish
from bookings.models import Booking
from bookings.states import State
from bookings.tests.crowd import at_once
from config.models import WorkerHeartbeat
from config.tests.processes import PATIENCE, wait_for
from spaces.factories import PlaceFactory, open_space
from spaces.models import Place

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)


def ask(member: User, place: Place, starts_at: datetime = NOON) -> Booking:
    return services.request(
        Wish(
            place=place, member=member, starts_at=starts_at, ends_at=starts_at + HOUR, party_size=1
        ),
        by=member,
        now=datetime.now(UTC),
    )


def crowd_asks(
    members: list[User], places: list[Place], each: int, send: Callable[[User, Place], object]
) -> None:
    """Let every member request `each` places, all at once, covering every place."""
    wishes = [
        [places[(n * each + k) % len(places)] for k in range(each)] for n in range(len(members))
    ]

    def all_of(member: User, wanted: list[Place]) -> None:
        try:
            for place in wanted:
                send(member, place)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(members)) as pool:
        list(pool.map(all_of, members, wishes))


def wrong() -> list[object]:
    return list(violations(now=datetime.now(UTC)))


def burst() -> list[Booking]:
    """Leave 60 requests for the same hour of 10 places, by 20 members; in order of arrival."""
    house = open_space(places=10)
    members = [UserFactory.create(username=f"crowd{n}") for n in range(20)]
    crowd_asks(members, list(house.places.by_number()), 3, ask)
    return list(Booking.objects.order_by("pk"))


@pytest.mark.one_database("postgresql")
def test_a_burst_is_decided_by_three_workers_one_of_them_killed(manage):
    # Longer than a decision takes on any machine: one that is tried too often is refused.
    workers = [manage("worker", DECISION_LEASE_SECONDS="5") for _ in range(3)]
    wait_for(lambda: WorkerHeartbeat.objects.count() == 3)

    def kill_one() -> None:
        wait_for(Booking.objects.exclude(decided_at=None).exists)
        workers[0].kill()

    asked, killed = at_once(burst, kill_one)
    assert isinstance(asked, list)
    assert killed is None
    wait_for(lambda: not Booking.objects.undecided().exists())
    assert WorkerHeartbeat.objects.count() == 3  # a killed one leaves its own behind

    assert Counter(Booking.objects.values_list("state", flat=True)) == {
        State.CONFIRMED: 10,
        State.REJECTED: 50,
    }
    first_of_each = {booking.place_id: booking.pk for booking in reversed(asked)}
    winners = Booking.objects.filter(state=State.CONFIRMED).values_list("place", "pk")
    assert dict(winners) == first_of_each
    refused = Booking.objects.filter(state=State.REJECTED).values_list("problems", flat=True)
    assert set(map(tuple, refused)) == {("slot_taken",)}
    assert wrong() == []


def test_a_worker_told_to_stop_finishes_its_booking_and_no_more(manage):
    asked = burst()
    for _ in range(5):
        left = states_left_when_told_to_stop(manage)
        if left:
            break
        ask_again(asked)  # we were held up: everything was decided before it was told
    assert left == {State.CREATED}
    assert wrong() == []


def states_left_when_told_to_stop(manage: Callable[..., Popen[str]]) -> set[str]:
    """Stop a worker at its work; return the states of bookings that it didn't decide."""
    waiting = Booking.objects.undecided().count()
    worker = manage("worker")
    wait_for(lambda: Booking.objects.undecided().count() < waiting)
    worker.send_signal(signal.SIGTERM)
    _, log = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 0
    assert "worker stopped" in log.rstrip().splitlines()[-1]
    return set(Booking.objects.undecided().values_list("state", flat=True))


def ask_again(asked: list[Booking]) -> None:
    for booking in asked:
        assert booking.member is not None
        ask(booking.member, booking.place)


def test_a_booking_is_decided_once_even_if_every_lease_has_run_out(settings):
    """Four workers claim the same booking one after the other and decide it at once."""
    settings.DECISION_LEASE_SECONDS = -1
    desk = open_space(places=1).places.get()
    alice = UserFactory.create(username="alice")
    for day in range(8):
        booking = ask(alice, desk, NOON + timedelta(days=day))
        answers = at_once(*[lambda: decide_next(now=datetime.now(UTC))] * 4)
        assert set(answers) <= {0, 1}, answers
        kinds = Counter(booking.events.values_list("kind", flat=True))
        assert (kinds["CREATED"], kinds["CONFIRMED"]) == (1, 1)
        assert booking.booked_slots.count() == 4
    assert wrong() == []


def test_parts_and_wholes_are_decided_in_order_of_arrival():
    house = open_space(places=2)
    pair = PlaceFactory.create(space=house, number=10, capacity=2)
    pair.parts.set(house.places.filter(number__in=[1, 2]))
    one, two = house.places.filter(number__in=[1, 2])
    alice, bob = (UserFactory.create(username=name) for name in ("alice", "bob"))

    def decide_all() -> None:
        while Booking.objects.undecided().exists():
            decide_next(now=datetime.now(UTC))

    for n in range(5):
        at = NOON + n * HOUR
        first, whole, last = ask(alice, one, at), ask(bob, pair, at), ask(alice, two, at)
        at_once(*[decide_all] * 3)
        states = [Booking.objects.get(pk=b.pk).state for b in (first, whole, last)]
        assert states == [State.CONFIRMED, State.REJECTED, State.CONFIRMED]
    assert wrong() == []


def test_a_request_waits_for_the_one_before_it_at_the_same_place():
    """So keys are in commit order, and nobody is decided before whoever was first."""
    desk = open_space(places=1).places.get()
    alice = UserFactory.create(username="alice")

    def send() -> Booking:
        try:
            return ask(alice, desk)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Place.objects.select_for_update(no_key=True).get(pk=desk.pk)
            sent = pool.submit(send)
            with pytest.raises(TimeoutError):
                sent.result(timeout=0.5)
        assert sent.result(timeout=PATIENCE).state == State.CREATED
