"""A program names a party and a time; the house chooses the place."""

from datetime import time, timedelta

import pytest

from bookings.models import Booking
from bookings.tests.programs import codes, program
from spaces.factories import PlaceFactory, PolicyFactory, ShiftFactory, TurnTimeFactory, open_space

pytestmark = pytest.mark.django_db


@pytest.fixture
def inn(db):
    space = open_space(slug="inn", name="Inn", kind="RESTAURANT", places=0)
    PolicyFactory(space=space, step_minutes=15)
    for number, capacity in ((1, 2), (2, 4)):
        PlaceFactory(space=space, number=number, kind="TABLE", capacity=capacity)
    space.places.filter(number=2).update(area="Terrace", features=["window"])
    TurnTimeFactory(space=space, from_party=1, minutes=90)
    early = ShiftFactory(space=space, name="Early", first_seating=time(6), last_seating=time(20))
    PolicyFactory(space=space, shift=early, step_minutes=15)
    return space


@pytest.fixture
def alices(alice):
    return program(alice)


def wish(soon, people, **more):
    return {"space": "inn", "starts_at": soon.isoformat(), "party_size": people, **more}


def test_the_answer_says_which_place_and_until_when(alices, inn, soon):
    answer = alices.post("/bookings", wish(soon, 2))
    assert answer.status_code == 201, answer.json()
    assert answer.json()["place"]["name"] == "Table 1"
    assert answer.json()["ends_at"] == f"{soon:%Y-%m-%dT11:30:00}+00:00"


def test_a_place_without_an_end_gets_the_turn_time_too(alices, inn, soon):
    place = inn.places.get(number=2)
    body = {"place": str(place.code), "starts_at": soon.isoformat(), "party_size": 2}
    assert alices.post("/bookings", body).status_code == 201
    assert Booking.objects.get().ends_at - soon == timedelta(minutes=90)


def test_the_space_says_how_it_seats(alices, inn):
    shown = alices.get("/spaces/inn").json()
    assert shown["turn_times"] == [{"from_party": 1, "minutes": 90}]
    assert shown["shifts"] == [
        {
            "name": "Early",
            "weekdays": [0, 1, 2, 3, 4, 5, 6],
            "first_seating": "06:00:00",
            "last_seating": "20:00:00",
            "covers_online": None,
        }
    ]
    assert [(place["min_party"], place["area"]) for place in shown["places"]] == [
        (1, ""),
        (1, "Terrace"),
    ]


def test_wishes_are_kept(alices, inn, soon):
    answer = alices.post("/bookings", wish(soon, 1, features=["window"], area="Terrace"))
    assert answer.json()["place"]["name"] == "Table 2"


def test_when_all_are_taken_there_are_alternatives(alices, inn, soon):
    for _ in range(2):
        assert alices.post("/bookings", wish(soon, 2)).status_code == 201
    answer = alices.post("/bookings", wish(soon, 2))
    assert (answer.status_code, answer.json()["code"]) == (409, "slot_taken")
    assert answer.json()["alternatives"]


def test_pacing_is_named_and_what_is_offered_instead_works(alices, inn, soon):
    ShiftFactory(space=inn, first_seating=time(8), last_seating=time(20), covers_online=3)
    assert alices.post("/bookings", wish(soon, 2)).status_code == 201
    answer = alices.post("/bookings", wish(soon, 2))
    assert (answer.status_code, codes(answer)) == (422, ["pacing_full"])
    first = answer.json()["alternatives"][0]
    again = {
        "place": first["place"]["code"],
        **{name: first[name] for name in ("starts_at", "ends_at")},
        "party_size": 2,
    }
    assert alices.post("/bookings", again).status_code == 201
    free = alices.get(
        f"/spaces/inn/availability?starts_at={soon:%Y-%m-%dT10:00:00Z}"
        f"&ends_at={soon:%Y-%m-%dT11:00:00Z}&party_size=2"
    ).json()
    assert free["free_places"] == []
    assert [problem["code"] for problem in free["problems"]] == ["pacing_full"]


def test_it_is_decided_at_once_even_in_a_batch(alices, inn, soon):
    answer = alices.post("/bookings", wish(soon, 2), prefer="respond-async")
    assert (answer.status_code, answer.json()["state"]) == (201, "CONFIRMED")
    results = alices.post("/bookings/batch", {"bookings": [wish(soon, 2), wish(soon, 2)]}).json()
    assert [result["status"] for result in results["results"]] == [201, 409]


def test_the_same_key_is_the_same_booking(alices, inn, soon):
    first, again = (
        alices.post("/bookings", wish(soon, 2), idempotency_key="k").json() for _ in range(2)
    )
    assert first["code"] == again["code"]
    assert Booking.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"space": "nowhere"},
        {"space": None},
        {"place": "00000000-0000-0000-0000-000000000000"},
        {"space": ""},
        {"starts_at": "9999-12-31T23:45:00Z"},
        {"starts_at": "0001-01-01T00:00:00Z"},
        {"starts_at": "2026-11-30T10:07:00Z"},
        {"features": ["pool"]},
        {"area": "x" * 41},
    ],
)
def test_nonsense_is_refused(alices, inn, soon, change):
    answer = alices.post("/bookings", wish(soon, 2) | change)
    assert answer.status_code == 422
    assert not Booking.objects.exists()


def test_only_the_staff_book_for_a_guest(alices, host, inn, soon):
    body = wish(soon, 2, guest_name="Ivan", guest_contact="+7 900 123-45-67")
    assert alices.post("/bookings", body).status_code == 403
