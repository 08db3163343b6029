"""Many parties at once: no table twice, none left empty for which somebody was refused."""

import random
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from accounts.factories import UserFactory
from bookings.deciding import services
from bookings.deciding.choosing import book_party, suits
from bookings.deciding.errors import BookingError, Refused
from bookings.deciding.invariants import violations
from bookings.deciding.queueing import decide_next
from bookings.deciding.wish import PartyWish, Wish
from bookings.models import BookedSlot, Booking
from bookings.states import State
from bookings.tests.crowd import Together
from chaos import parties
from spaces import setups
from spaces.factories import PlaceFactory, PolicyFactory, ShiftFactory, open_space
from spaces.slots import Period

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS, PARTIES = 3, 10
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
HOUR = timedelta(hours=1)


@pytest.fixture
def inn(db):
    """Nine tables for 2, 4 and 8, and three combinations that share some of them."""
    space = open_space(slug="inn", name="Inn", kind="RESTAURANT", places=0)
    PolicyFactory.create(space=space, step_minutes=15)
    sizes = [2, 2, 2, 2, 4, 4, 4, 8, 8]
    tables = [
        PlaceFactory.create(space=space, number=n, kind="TABLE", capacity=size)
        for n, size in enumerate(sizes, 1)
    ]
    for n, parts in enumerate([(0, 1), (1, 4), (5, 6)]):
        seats = sum(tables[part].capacity for part in parts)
        whole = PlaceFactory.create(space=space, number=20 + n, kind="TABLE", capacity=seats + 2)
        whole.parts.set(tables[part] for part in parts)
    return space


@pytest.fixture
def threads():
    made = Together(PARTIES)
    yield made
    made.close()


@pytest.fixture
def members():
    return [UserFactory.create() for _ in range(PARTIES)]


def wrong():
    return [str(violation) for violation in violations(now=datetime.now(UTC))]


def party(space, member, at, people):
    wish = PartyWish(
        space=space, member=member, starts_at=at, ends_at=at + 2 * HOUR, party_size=people
    )
    return book_party(wish, by=member, now=datetime.now(UTC))


def left_for(space, booking):
    """Return the places that are free now and would have suited a refused party."""
    setup = setups.current(space.pk)
    venue = setup.venue((), datetime.now(UTC))
    period = Period(booking.starts_at, booking.ends_at)
    taken = set(
        BookedSlot.objects.filter(slot__gte=period.starts_at, slot__lt=period.ends_at).values_list(
            "place", flat=True
        )
    )
    return [
        place
        for place in setup.bookable
        if suits(place, booking.party_size) and not venue.leaves(place.pk) & taken
    ]


def test_of_many_parties_none_is_refused_while_a_table_is_free(inn, threads, members):
    rng = random.Random(3)
    for round_ in range(ROUNDS):
        at = NOON + timedelta(days=round_)
        sizes = [rng.choice([1, 2, 2, 3, 4, 5, 6, 8, 10]) for _ in members]
        found = threads.at_once(
            *[
                partial(party, inn, member, at + rng.choice([0, 1, 2]) * HOUR / 4, people)
                for member, people in zip(members, sizes, strict=True)
            ]
        )
        assert {booking.state for booking in found} == {State.CONFIRMED, State.REJECTED}
        for refused in found:
            if refused.state == State.REJECTED:
                assert left_for(inn, refused) == []
    assert wrong() == []


def test_the_games_that_are_played_large_find_nothing_wrong():
    """Hundreds of rounds: `python -m chaos parties`, see docs/tables.md."""
    rounds = [*parties.choose(1, parties=PARTIES), *parties.arrive(1, requests=15)]
    assert [each.wrong for each in rounds] == [()] * 2
    assert [each.unanswered for each in rounds] == [0] * 2
    assert rounds[0].refused
    assert rounds[1].people == 24


def test_hand_picked_tables_and_moves_in_between_do_no_harm(inn, threads, members):
    rng = random.Random(5)
    places = list(inn.places.order_by("pk"))
    moved = [party(inn, member, NOON + 4 * HOUR, 2) for member in members[:4]]

    def by_hand(member, place):
        wish = Wish(place=place, member=member, starts_at=NOON, ends_at=NOON + HOUR, party_size=2)
        return services.book(wish, by=member, now=datetime.now(UTC))

    def move(booking):
        try:
            return services.reschedule(
                booking,
                place=rng.choice(places),
                starts_at=NOON,
                ends_at=NOON + HOUR,
                by=booking.member,
                now=datetime.now(UTC),
            )
        except BookingError:
            return None

    calls = [partial(move, booking) for booking in moved]
    calls += [partial(by_hand, member, rng.choice(places)) for member in members[4:8]]
    calls += [partial(party, inn, member, NOON, rng.randrange(1, 9)) for member in members[8:]]
    found = threads.at_once(*calls)
    assert [error for error in found if isinstance(error, Exception)] == []
    assert wrong() == []


def test_pacing_holds_whatever_the_door(inn, threads, members):
    ShiftFactory.create(
        space=inn,
        first_seating=(NOON - HOUR).time(),
        last_seating=(NOON + 6 * HOUR).time(),
        covers_online=7,
    )
    places = [place for place in inn.places.order_by("-capacity") if not place.parts.exists()]
    early = [party(inn, member, NOON + 5 * HOUR, 2) for member in members[:3]]

    def chosen(member):
        try:
            return party(inn, member, NOON, 2)
        except Refused as refused:
            return [problem.code for problem in refused.problems]

    def wish(member, place):
        return Wish(place=place, member=member, starts_at=NOON, ends_at=NOON + HOUR, party_size=2)

    def picked(member, place):
        try:
            return services.book(wish(member, place), by=member, now=datetime.now(UTC))
        except Refused as refused:
            return [problem.code for problem in refused.problems]

    def queued(member, place):
        services.request(wish(member, place), by=member, now=datetime.now(UTC))
        return decide_next(now=datetime.now(UTC))

    def move(booking):
        now = datetime.now(UTC)
        try:
            return services.reschedule(
                booking,
                place=booking.place,
                starts_at=NOON,
                ends_at=NOON + HOUR,
                by=booking.member,
                now=now,
            )
        except BookingError as error:
            return error.code

    calls = [partial(move, booking) for booking in early]
    for n, member in enumerate(members[3:]):
        door = (chosen, partial(picked, place=places[n % 9]), partial(queued, place=places[n % 9]))
        calls.append(partial(door[n % 3], member))
    found = threads.at_once(*calls)
    assert [error for error in found if isinstance(error, Exception)] == []
    while decide_next(now=datetime.now(UTC)):
        pass
    there = Booking.objects.occupying().filter(starts_at=NOON)
    assert sum(booking.party_size for booking in there) == 6
    assert wrong() == []
