"""Races: real threads, real transactions, real requests. The database decides, and decides once."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from accounts.factories import UserFactory
from bookings.deciding import closing, services
from bookings.deciding.errors import BookingError, Refused, RequestKeyReused, SlotTaken, WrongState
from bookings.deciding.invariants import violations
from bookings.deciding.stranding import Choice
from bookings.deciding.wish import Wish
from bookings.models import Booking
from bookings.states import State
from bookings.tests.crowd import Crowd, Together, at_once, wish
from spaces.factories import PlaceFactory, PolicyFactory, open_space

pytestmark = pytest.mark.django_db(transaction=True)

# Without the constraint or lock that it is about, each race here is lost in its first round or two.
ROUNDS = 10
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
HOUR = timedelta(hours=1)
TAKEN, BOOKED = 409, 302


@pytest.fixture
def house():
    """Open every day 8–22 with a quarter-hour step, so that times can overlap in many ways."""
    space = open_space(slug="loft", name="Loft", places=3)
    PolicyFactory.create(space=space, step_minutes=15)
    return space


@pytest.fixture
def crowd(live_server):
    crowd = Crowd(live_server.url, ByForm.people)
    yield crowd
    crowd.close()


class ByForm:
    """Everybody posts the form over a connection of their own; who is late reads that it is so."""

    rounds, people = 3, 16

    def __init__(self, crowd):
        self.crowd = crowd

    def book(self, wishes):
        """Book (place, start, end) for one member each, all at once; tell who got theirs."""
        forms = [
            wish(place, f"{starts_at:%Y-%m-%dT%H:%M}", f"{ends_at:%Y-%m-%dT%H:%M}")
            for place, starts_at, ends_at in wishes
        ]
        statuses = [answer.status_code for answer in self.crowd.book(forms)]
        assert set(statuses) <= {BOOKED, TAKEN}
        return [status == BOOKED for status in statuses]


class ByService:
    """The same without pages, which take longer than what is raced for: so there is more of it."""

    rounds, people = ROUNDS, 8

    def __init__(self):
        self.members = [UserFactory.create() for _ in range(self.people)]
        self.threads = Together(self.people)

    def book(self, wishes):
        booked = self.threads.at_once(
            *[
                partial(book, place, member, starts_at, ends_at - starts_at)
                for member, (place, starts_at, ends_at) in zip(self.members, wishes, strict=True)
            ]
        )
        states = [booking.state for booking in booked]
        assert set(states) <= {State.CONFIRMED, State.REJECTED}
        return [state == State.CONFIRMED for state in states]


@pytest.fixture
def by_form(crowd):
    return ByForm(crowd)


@pytest.fixture
def by_service():
    door = ByService()
    yield door
    door.threads.close()


def wrong():
    """Return what is wrong in the whole database, in words."""
    return [str(violation) for violation in violations(now=datetime.now(UTC))]


def around_noon(place, day, rng):
    """Want a stretch that covers 12:00–12:15, each with different start and end."""
    noon = NOON + timedelta(days=day)
    starts_at = noon - timedelta(minutes=15 * rng.randrange(0, 9))
    ends_at = noon + timedelta(minutes=15 * rng.randrange(1, 9))
    return place, starts_at, ends_at


def book(place, member, starts_at=NOON, length=HOUR, **kwargs):
    by = kwargs.pop("by", member)
    return services.book(
        Wish(
            place=place,
            member=member,
            starts_at=starts_at,
            ends_at=starts_at + length,
            party_size=1,
            **kwargs,
        ),
        by=by,
        now=datetime.now(UTC),
    )


@pytest.mark.parametrize("door", ["by_form", "by_service"])
def test_overlapping_requests_for_one_place_have_one_winner(house, door, request):
    door = request.getfixturevalue(door)
    desk = house.places.get(number=1)
    rng = random.Random(1)
    for day in range(door.rounds):
        won = door.book([around_noon(desk, day, rng) for _ in range(door.people)])
        assert won.count(True) == 1
    assert Booking.objects.occupying().count() == door.rounds
    assert Booking.objects.filter(state=State.REJECTED).count() == door.rounds * (door.people - 1)
    assert wrong() == []


def test_a_composite_and_its_parts_are_never_taken_together(house, by_service):
    left, right = house.places.get(number=1), house.places.get(number=2)
    both = PlaceFactory.create(space=house, number=10, capacity=2)
    both.parts.set([left, right])
    rng = random.Random(2)
    for day in range(by_service.rounds):
        places = [left, right, both, both] * (by_service.people // 4)
        rng.shuffle(places)
        won = by_service.book([around_noon(place, day, rng) for place in places])
        winners = [place for place, has_won in zip(places, won, strict=True) if has_won]
        assert sorted(winners, key=lambda place: place.number) in ([both], [left, right])
    assert wrong() == []


def test_two_members_who_swap_places_both_keep_theirs(house):
    one, two = house.places.get(number=1), house.places.get(number=2)
    alice, bob = UserFactory.create(username="alice"), UserFactory.create(username="bob")
    for day in range(ROUNDS):
        noon = NOON + timedelta(days=day)
        first, second = book(one, alice, noon), book(two, bob, noon)

        answers = at_once(
            lambda b=first, at=noon: move(b, two, at, alice),
            lambda b=second, at=noon: move(b, one, at, bob),
        )

        assert [type(answer) for answer in answers] == [SlotTaken, SlotTaken]
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.place, second.place) == (one, two)
    assert wrong() == []


def test_moving_into_each_others_time_loses_nothing(house):
    """Each wants the other's time of one place."""
    desk = house.places.get(number=1)
    alice, bob = UserFactory.create(username="alice"), UserFactory.create(username="bob")
    for day in range(ROUNDS):
        noon = NOON + timedelta(days=day)
        first, second = book(desk, alice, noon), book(desk, bob, noon + HOUR)
        answers = at_once(
            lambda b=first, at=noon: move(b, desk, at + HOUR, alice),
            lambda b=second, at=noon: move(b, desk, at, bob),
        )
        assert [type(answer) for answer in answers] == [SlotTaken, SlotTaken]
    assert wrong() == []


def move(booking, place, starts_at, member):
    return services.reschedule(
        booking,
        place=place,
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        by=member,
        now=datetime.now(UTC),
    )


def test_a_quota_holds_under_parallel_requests_of_one_member(live_server):
    """Ten free places at once: only the member's own row stands between the requests."""
    space = open_space(places=10)
    PolicyFactory.create(space=space, max_upcoming=3)
    crowd = Crowd(live_server.url, 10)
    for each in crowd.browsers:  # one member, ten windows
        each.cookies.set("sessionid", crowd.browsers[0].cookies["sessionid"])
    for day in range(2):
        at = f"{NOON + timedelta(days=day):%Y-%m-%d}"
        wishes = [wish(place, f"{at}T12:00", f"{at}T13:00") for place in space.places.all()]
        answers = crowd.book(wishes)
        assert Counter(answer.status_code for answer in answers) == {BOOKED: 3, 422: 7}
        assert Booking.objects.occupying().count() == 3
        assert Booking.objects.count() == 3 * (day + 1)
        for booking in Booking.objects.occupying():
            services.cancel(booking, by=booking.member, now=datetime.now(UTC))
    crowd.close()
    assert wrong() == []


def test_a_quota_holds_in_the_services(house):
    PolicyFactory.create(space=house, max_upcoming=1)
    alice = UserFactory.create(username="alice")
    for _ in range(ROUNDS):
        answers = at_once(*[lambda p=place: book(p, alice) for place in house.places.all()])
        booked = [answer for answer in answers if isinstance(answer, Booking)]
        assert len(booked) == 1
        assert sum(isinstance(answer, Refused) for answer in answers) == 2
        services.cancel(booked[0], by=alice, now=datetime.now(UTC))
    assert wrong() == []


def test_one_request_sent_many_times_books_once(house):
    desk = house.places.get(number=1)
    alice = UserFactory.create(username="alice")
    for day in range(ROUNDS):
        noon = NOON + timedelta(days=day)
        answers = at_once(
            *[lambda at=noon, k=f"k{day}": book(desk, alice, at, request_key=k) for _ in range(6)]
        )
        assert len({answer.pk for answer in answers}) == 1
    assert Booking.objects.count() == ROUNDS
    assert wrong() == []


def test_one_key_with_two_contents_books_once(house):
    alice = UserFactory.create(username="alice")
    one, two = house.places.get(number=1), house.places.get(number=2)
    for n in range(ROUNDS):
        answers = at_once(
            lambda k=f"k{n}", at=NOON + n * HOUR: book(one, alice, at, request_key=k),
            lambda k=f"k{n}", at=NOON + n * HOUR: book(two, alice, at, request_key=k),
        )
        assert sorted(type(answer).__name__ for answer in answers) == [
            "Booking",
            "RequestKeyReused",
        ]
    assert Booking.objects.count() == ROUNDS


def test_a_guests_form_books_once_whatever_it_says(house):
    """No lock separates two forged requests with one key: the constraint does."""
    host = UserFactory.create(is_superuser=True)
    guest = {"by": host, "guest_name": "Ivan"}
    for n in range(ROUNDS):
        answers = at_once(
            *[
                lambda p=place, k=f"k{n}", at=NOON + n * HOUR: book(
                    p, None, at, request_key=k, **guest
                )
                for place in house.places.all()
            ]
        )
        assert sum(isinstance(answer, Booking) for answer in answers) == 1
        assert sum(isinstance(answer, RequestKeyReused) for answer in answers) == 2
    assert wrong() == []


def test_cancelling_and_moving_at_once_leaves_one_of_the_two(house):
    one, two = house.places.get(number=1), house.places.get(number=2)
    alice = UserFactory.create(username="alice")
    for day in range(3 * ROUNDS):  # not lost as soon as the others
        noon = NOON + timedelta(days=day)
        booking = book(one, alice, noon)
        answers = at_once(
            lambda b=booking: services.cancel(b, by=alice, now=datetime.now(UTC)),
            lambda b=booking, at=noon: move(b, two, at, alice),
            lambda b=booking: services.cancel(b, by=alice, now=datetime.now(UTC)),
        )
        assert all(isinstance(answer, Booking | WrongState) for answer in answers), answers
        assert isinstance(answers[0], Booking) or isinstance(answers[2], Booking)
        booking.refresh_from_db()
        assert booking.state == State.CANCELLED
    assert wrong() == []


def test_no_booking_slips_into_a_closure(house):
    """Whichever is first, a closed time has no bookings, and latecomers are told."""
    boss = UserFactory.create(is_superuser=True)
    members = [UserFactory.create() for _ in range(5)]
    desk = house.places.get(number=1)
    for day in range(ROUNDS):
        noon = NOON + timedelta(days=day)
        at_once(
            *[
                lambda m=m, n=n, at=noon: book(desk, m, at + n * HOUR)
                for n, m in enumerate(members)
            ],
            lambda at=noon: closing.close(
                house,
                place=None,
                starts_at=at - 4 * HOUR,
                ends_at=at + 10 * HOUR,
                reason="Flood",
                choice=Choice.CANCEL,
                by=boss,
                now=datetime.now(UTC),
            ),
        )
        assert (
            not Booking.objects.occupying()
            .filter(starts_at__gte=noon - 4 * HOUR, starts_at__lt=noon + 10 * HOUR)
            .exists()
        )
    assert wrong() == []


def test_parts_change_only_while_nobody_holds_the_whole(house):
    from spaces.services import PartsError, set_parts

    whole = PlaceFactory.create(space=house, number=10, capacity=2)
    one, two = house.places.get(number=1), house.places.get(number=2)
    alice = UserFactory.create(username="alice")
    for day in range(ROUNDS):
        set_parts(whole, [])
        booked, reshaped = at_once(
            lambda at=NOON + timedelta(days=day): book(whole, alice, at),
            lambda: set_parts(whole, [one, two]),
        )
        assert isinstance(booked, Booking)
        assert reshaped is None or isinstance(reshaped, PartsError)
        assert wrong() == []
        services.cancel(booked, by=alice, now=datetime.now(UTC))


def test_refusals_are_the_only_errors(house):
    """Everything at once on few places: only the services' own errors come back."""
    rng = random.Random(3)
    members = [UserFactory.create(username=f"m{n}") for n in range(12)]
    places = list(house.places.all())
    pair = PlaceFactory.create(space=house, number=10)
    pair.parts.set(places[:2])
    places.append(pair)

    def something(member):
        held = None
        for _ in range(15):
            at = NOON + timedelta(minutes=15 * rng.randrange(0, 12))
            length = timedelta(minutes=15 * rng.randrange(4, 9))
            try:
                if held is None or rng.random() < 0.4:
                    held = book(rng.choice(places), member, at, length)
                elif rng.random() < 0.5:
                    move(held, rng.choice(places), at, member)
                else:
                    services.cancel(held, by=member, now=datetime.now(UTC))
            except BookingError:
                continue
        return True

    assert at_once(*[lambda m=m: something(m) for m in members]) == [True] * len(members)
    assert wrong() == []
