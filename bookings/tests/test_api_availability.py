"""`GET /spaces/{slug}/availability`: what it says is free can be booked, the rest can't."""

import random
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.deciding.errors import Refused
from bookings.finding.availability import Availability
from bookings.finding.board import Search, build, span_of
from bookings.models import Booking
from bookings.states import State
from bookings.tests import acts
from bookings.tests.acts import hours, undone
from bookings.tests.programs import codes, fields, kind, program
from spaces import setups
from spaces.factories import ClosureFactory, PlaceFactory, PolicyFactory, open_space
from spaces.models import Place
from spaces.slots import Period

pytestmark = pytest.mark.django_db


@pytest.fixture
def anyone():
    return program(None)


def book(place, member, at, length=1, **kwargs):
    return acts.book(place, member, timezone.now(), at, length, **kwargs)


def look(asking, at, length=1, slug="loft", **query):
    end = at + hours(length)
    query = {"starts_at": at.isoformat(), "ends_at": end.isoformat(), **query}
    return asking.get(f"/spaces/{slug}/availability", query)


def free(answer):
    assert answer.status_code == 200, answer.content
    return [place["number"] for place in answer.json()["free_places"]]


class TestFree:
    def test_an_empty_space(self, anyone, space, desk, soon):
        assert look(anyone, soon, 2).json() == {
            "space": "loft",
            "starts_at": f"{soon:%Y-%m-%dT10:00:00}+00:00",
            "ends_at": f"{soon:%Y-%m-%dT12:00:00}+00:00",
            "party_size": 1,
            "free_places": [
                {
                    "code": str(place.code),
                    "number": place.number,
                    "name": f"Desk {place.number}",
                    "kind": "DESK",
                    "capacity": 1,
                    "min_party": 1,
                    "area": "",
                    "features": [],
                    "free_until": f"{soon:%Y-%m-%dT22:00:00}+00:00",
                }
                for place in space.places.by_number()
            ],
            "problems": [],
            "next_free": None,
        }

    def test_a_place_taken_for_part_of_the_time_is_not_free(self, anyone, desk, alice, soon):
        book(desk, alice, soon + hours(1))
        assert free(look(anyone, soon, 2)) == [2, 3]
        assert free(look(anyone, soon, 1)) == [1, 2, 3]
        assert free(look(anyone, soon + hours(2), 1)) == [1, 2, 3]

    def test_it_stays_free_until_the_next_booking(self, anyone, desk, alice, soon):
        book(desk, alice, soon + hours(3))
        first = look(anyone, soon).json()["free_places"][0]
        assert datetime.fromisoformat(first["free_until"]) == soon + hours(3)

    def test_in_a_space_that_never_closes_the_next_day_counts_too(self, anyone, alice, soon):
        open_all = {"opens_at": time(0), "closes_at": time(0)}
        desk = open_space(slug="always", places=1, **open_all).places.get()
        midnight = soon.replace(hour=0) + timedelta(days=1)
        book(desk, alice, midnight)
        answer = look(anyone, midnight - hours(2), slug="always")
        assert datetime.fromisoformat(answer.json()["free_places"][0]["free_until"]) == midnight

    def test_the_best_fit_comes_first(self, anyone, space, soon):
        PlaceFactory.create(space=space, number=4, capacity=8, features=["monitor"])
        PlaceFactory.create(space=space, number=5, capacity=4, features=["monitor", "quiet"])
        PlaceFactory.create(space=space, number=6, capacity=4, is_bookable=False)
        assert free(look(anyone, soon, party_size=3)) == [5, 4]
        assert free(look(anyone, soon, feature="monitor")) == [5, 4]
        assert free(look(anyone, soon, feature=["monitor", "quiet"])) == [5]

    def test_instants_have_the_spaces_offset(self, anyone, soon):
        open_space(slug="east", time_zone="Asia/Kathmandu", places=1)
        answer = look(anyone, soon - hours(4) + timedelta(minutes=15), slug="east").json()
        assert answer["starts_at"] == f"{soon:%Y-%m-%d}T12:00:00+05:45"

    def test_each_persons_own_policies_count(self, anyone, alice, bob, space, soon):
        group = Group.objects.create(name="short")
        bob.groups.add(group)
        PolicyFactory.create(space=space, group=group, max_minutes=60)
        assert free(look(anyone, soon, 2)) == free(look(program(alice), soon, 2)) == [1, 2, 3]
        refused = look(program(bob), soon, 2)
        assert (free(refused), codes(refused)) == ([], ["too_long"])
        shown = program(bob).get("/spaces/loft").json()["rules"]
        assert [rule["max_minutes"] for rule in shown] == [60]


class TestNothingFree:
    def test_the_earliest_other_time_is_given(self, anyone, space, alice, soon):
        for place in space.places.all():
            book(place, alice, soon, 3)
        answer = look(anyone, soon, 2)
        assert (free(answer), codes(answer)) == ([], [])
        found = answer.json()["next_free"]
        assert found["place"]["name"] == "Desk 1"
        assert datetime.fromisoformat(found["starts_at"]) == soon + hours(3)
        assert datetime.fromisoformat(found["ends_at"]) == soon + hours(5)

    def test_a_full_fortnight_has_none(self, anyone, space, soon):
        ClosureFactory.create(
            space=space, starts_at=soon - timedelta(days=1), ends_at=soon + timedelta(days=20)
        )
        answer = look(anyone, soon)
        assert (codes(answer), answer.json()["next_free"]) == (["closed"], None)

    @pytest.mark.parametrize(
        ("at", "length", "code"),
        [
            (hours(-5), 1, "closed"),
            (hours(11), 2, "closed"),
            (hours(0), 0, "ends_before_start"),
            (hours(0), -2, "ends_before_start"),
            (timedelta(minutes=1), 1, "off_grid"),
            (timedelta(minutes=15), 1, "off_step"),
            (hours(0), 0.5, "too_short"),
            (timedelta(days=-7), 1, "in_the_past"),
            (timedelta(days=200), 1, "too_far_ahead"),
            (hours(0), 1000, "too_long"),
        ],
    )
    def test_a_time_that_can_not_be_booked_says_why(self, anyone, space, soon, at, length, code):
        answer = look(anyone, soon + at, length)
        assert free(answer) == []
        assert code in codes(answer)

    def test_too_many_people_for_every_place_is_a_reason(self, anyone, space, soon):
        answer = look(anyone, soon, party_size=2)
        assert (codes(answer), answer.json()["next_free"]) == (["party_too_large"], None)

    def test_a_space_without_places_has_nothing(self, anyone, soon):
        open_space(slug="empty", places=0)
        answer = look(anyone, soon, slug="empty")
        assert (free(answer), answer.json()["next_free"]) == ([], None)


class TestRefused:
    @pytest.mark.parametrize("slug", ["hidden", "nowhere", "%00", "LOFT"])
    def test_a_hidden_space_is_not_found(self, anyone, space, soon, slug):
        open_space(slug="hidden", is_active=False)
        assert kind(look(anyone, soon, slug=slug)) == (404, "not_found")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("starts_at", "2026-11-25T10:00:00"),
            ("starts_at", "2026-11-25T10:00:00 03:00"),  # a plus that was not escaped
            ("starts_at", "1700000000"),
            ("ends_at", "9999-12-31T23:59:59-14:00"),
            ("ends_at", "\x00"),
            ("party_size", "0"),
            ("party_size", "9" * 5000),
            ("party_size", "1e3"),
            ("feature", "sauna"),
        ],
    )
    def test_a_wrong_value_is_named(self, anyone, space, soon, name, value):
        answer = look(anyone, soon, **{name: value})
        assert kind(answer) == (422, "invalid")
        assert fields(answer)[0].startswith(f"query.{name}")

    def test_both_ends_are_needed(self, anyone, space):
        answer = anyone.get("/spaces/loft/availability")
        assert fields(answer) == ["query.starts_at", "query.ends_at"]


class TestTruth:
    """A space with a composite, closures, two kinds with their own rules, and a busy day."""

    @pytest.fixture
    def house(self, soon):
        space = open_space(slug="hall", time_zone="Europe/Moscow", places=4)
        pair = PlaceFactory.create(space=space, number=10, capacity=4, kind=Place.Kind.ROOM)
        pair.parts.set(space.places.filter(number__in=[1, 2]))
        PlaceFactory.create(space=space, number=11, capacity=2, kind=Place.Kind.ROOM)
        PolicyFactory.create(space=space, step_minutes=30, max_minutes=240)
        PolicyFactory.create(space=space, kind=Place.Kind.ROOM, min_minutes=90)
        ClosureFactory.create(space=space, starts_at=soon + hours(5))
        three = space.places.get(number=3)
        ClosureFactory.create(space=space, place=three, starts_at=soon - hours(2))
        return space

    @pytest.fixture
    def busy(self, house, soon):
        rng = random.Random(1)
        members = [UserFactory.create() for _ in range(4)]
        for _ in range(40):
            place, at, length = self.anything(house, soon, rng)
            with suppress(Refused):
                book(place, rng.choice(members), at, length)
        assert Booking.objects.occupying().count() > 8
        return house

    def anything(self, house, soon, rng):
        at = soon.replace(hour=4) + timedelta(minutes=30 * rng.randrange(32))
        return rng.choice(list(house.places.all())), at, rng.choice([0.5, 1, 1.5, 2, 3])

    def test_what_is_free_can_be_booked_and_nothing_else(self, busy, alice, soon):
        rng, asking = random.Random(0), program(alice)
        for _ in range(20):
            _place, at, length = self.anything(busy, soon, rng)
            size = rng.choice([1, 1, 2, 4])
            said = free(look(asking, at, length, slug="hall", party_size=size))
            found = []
            for place in busy.places.by_number():
                with suppress(Refused), undone():
                    if book(place, alice, at, length, party_size=size).state == State.CONFIRMED:
                        found.append(place.number)
            assert sorted(said) == found

    def test_the_board_says_the_same(self, busy, alice, soon):
        rng, asking, now = random.Random(0), program(alice), timezone.now()
        hall = setups.current(busy.pk)
        for _ in range(20):
            _place, at, length = self.anything(busy, soon, rng)
            day = at.astimezone(ZoneInfo("Europe/Moscow")).date()
            search = Search(day, Period(at, at + hours(length)), party_size=1)
            venue = hall.venue_for(alice, now)
            span = span_of(venue, search)
            known = Availability(hall.space, venue, span, places=hall.bookable)
            board = build(known, search, member=alice, now=now)
            said = look(asking, at, length, slug="hall").json()
            assert [
                (place["number"], datetime.fromisoformat(place["free_until"]))
                for place in said["free_places"]
            ] == [(offer.place.number, offer.free_until) for offer in board.offers]

    def test_the_next_free_time_can_be_booked(self, busy, alice, soon):
        rng, asking = random.Random(0), program(alice)
        told = 0
        while told < 8:
            _place, at, length = self.anything(busy, soon, rng)
            found = look(asking, at, length, slug="hall", party_size=3).json()["next_free"]
            if found:
                told += 1
                body = {**found, "place": found["place"]["code"], "party_size": 3}
                assert asking.post("/bookings", body).status_code == 201


@pytest.mark.parametrize("count", [1, 500])
def test_two_hundred_places_cost_six_queries(alice, soon, count, django_assert_max_num_queries):
    big = open_space(slug="big", places=200)
    places = list(big.places.by_number())
    rows = [
        Booking(
            member=alice,
            place=places[n % 200],
            starts_at=soon + hours(n // 200),
            ends_at=soon + hours(n // 200 + 1),
            state="CONFIRMED",
            created_at=datetime.now(UTC),
            decided_at=datetime.now(UTC),
        )
        for n in range(count)
    ]
    Booking.objects.bulk_create(rows)
    asking = program(alice)
    with django_assert_max_num_queries(6):
        assert len(free(look(asking, soon, slug="big"))) == 200 - min(count, 200)
