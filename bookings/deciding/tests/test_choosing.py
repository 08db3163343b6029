"""The house chooses: a party and a time become a table."""

from datetime import time, timedelta

import pytest

from bookings.deciding import choosing, services
from bookings.deciding.choosing import score
from bookings.deciding.errors import Refused, RequestKeyReused
from bookings.deciding.wish import PartyWish
from bookings.models import Booking
from bookings.states import State
from spaces.factories import PlaceFactory, PolicyFactory, TurnTimeFactory, open_space
from spaces.models import Place

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def table(space, number, capacity, *parts, **its):
    made = PlaceFactory(space=space, number=number, kind="TABLE", capacity=capacity, **its)
    made.parts.set(parts)
    return made


@pytest.fixture
def inn(db):
    """Open 8–22 in steps of 15 minutes: tables for 2, 4 and 8; the first two make one for 6."""
    space = open_space(slug="inn", name="Inn", kind="RESTAURANT", places=0)
    PolicyFactory(space=space, step_minutes=15)
    two, four = table(space, 1, 2), table(space, 2, 4)
    table(space, 3, 8)
    table(space, 12, 6, two, four, min_party=5)
    return space


def wish(space, member, at, people, **its):
    return PartyWish(space=space, member=member, starts_at=at, party_size=people, **its)


def chosen(space, member, at, people, **its):
    its.setdefault("ends_at", at + 2 * HOUR)
    booking = choosing.book_party(wish(space, member, at, people, **its), by=member, now=NOW)
    return booking.place.number if booking.state == State.CONFIRMED else booking.state


NOW = None


@pytest.fixture(autouse=True)
def at_this_moment(now, monkeypatch):
    monkeypatch.setattr(f"{__name__}.NOW", now)


@pytest.fixture
def evening(now):
    return now.replace(hour=18, minute=0)


@pytest.mark.parametrize(
    ("people", "numbers"),
    [
        (1, [1, 2, 3, "REJECTED"]),
        (3, [2, 3, "REJECTED"]),
        (5, [3, 12, "REJECTED"]),
        (8, [3, "REJECTED"]),
    ],
)
def test_the_smallest_table_that_fits_then_a_combination(inn, alice, evening, people, numbers):
    assert [chosen(inn, alice, evening, people) for _ in numbers] == numbers


def test_a_combination_is_not_for_fewer_than_its_minimum(inn, alice, evening):
    chosen(inn, alice, evening, 8)
    assert [chosen(inn, alice, evening, people) for people in (4, 2, 2)] == [2, 1, "REJECTED"]


def test_tables_are_ranked_by_empty_seats_before_what_the_house_prefers():
    small, large = Place(capacity=4, number=9), Place(capacity=6, number=1, priority=5)
    assert score(small, 3) < score(large, 3)
    preferred = Place(capacity=4, number=10, priority=1)
    assert score(preferred, 3) < score(small, 3)


def test_combinations_are_ranked_by_what_the_house_prefers_before_empty_seats():
    tight, preferred = Place(capacity=6, number=1), Place(capacity=8, number=2, priority=1)
    assert score(preferred, 6, [4, 4]) < score(tight, 6, [2, 4])
    assert score(tight, 6, [3, 3]) < score(tight, 6, [2, 4]) < score(tight, 6, [2, 2, 2])
    assert score(Place(capacity=50, number=3), 6) < score(tight, 6, [3, 3])


def test_a_wish_for_a_feature_or_an_area_is_kept(inn, alice, evening):
    Place.objects.filter(number=3).update(features=["window"], area="Terrace")
    assert chosen(inn, alice, evening, 2, features=("window",)) == 3
    assert chosen(inn, alice, evening + 2 * HOUR, 2, area="Terrace") == 3
    with pytest.raises(Refused) as refused:
        chosen(inn, alice, evening, 2, area="Cellar")
    assert [problem.code for problem in refused.value.problems] == ["no_such_place"]


def test_a_party_too_large_for_every_place_is_refused(inn, alice, evening):
    with pytest.raises(Refused) as refused:
        chosen(inn, alice, evening, 9)
    assert str(refused.value) == "The largest place here is for 8 people."
    assert not Booking.objects.exists()


def test_the_turn_time_of_the_party_gives_the_end(inn, alice, evening):
    for people, minutes in ((1, 90), (3, 120), (5, 150)):
        TurnTimeFactory(space=inn, from_party=people, minutes=minutes)
    for people, minutes in ((2, 90), (3, 120), (4, 120), (5, 150), (8, 150)):
        at = evening - timedelta(hours=people)
        booking = choosing.book_party(wish(inn, alice, at, people), by=alice, now=NOW)
        assert booking.ends_at - booking.starts_at == timedelta(minutes=minutes), people


def test_a_turn_ends_with_the_opening_hours(inn, alice, evening):
    TurnTimeFactory(space=inn, from_party=1, minutes=120)
    late = evening + timedelta(hours=2, minutes=30)
    booking = choosing.book_party(wish(inn, alice, late, 2), by=alice, now=NOW)
    assert booking.ends_at.time() == time(22)


def test_the_same_request_again_is_the_same_booking(inn, alice, evening):
    first, again = (
        choosing.book_party(wish(inn, alice, evening, 2, request_key="k"), by=alice, now=NOW)
        for _ in range(2)
    )
    assert first == again
    with pytest.raises(RequestKeyReused):
        choosing.book_party(wish(inn, alice, evening, 3, request_key="k"), by=alice, now=NOW)


def test_one_that_was_cancelled_is_free_for_the_next(inn, alice, evening):
    asked = wish(inn, alice, evening, 8, ends_at=evening + HOUR)
    booking = choosing.book_party(asked, by=alice, now=NOW)
    services.cancel(booking, by=alice, now=NOW)
    assert chosen(inn, alice, evening, 8) == 3
