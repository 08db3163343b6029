"""`POST /bookings`, decided at once: what is booked, for whom, and how others are refused."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from accounts.factories import UserFactory
from bookings.deciding.invariants import violations
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import hours
from bookings.tests.crowd import at_once
from bookings.tests.programs import codes, fields, kind, program, remote, wish
from spaces.factories import PlaceFactory, PolicyFactory, open_space
from spaces.models import OpeningHours

pytestmark = pytest.mark.django_db

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def alices(alice):
    return program(alice)


@pytest.fixture
def hosts(host):
    return program(host)


class TestBooked:
    def test_the_answer_is_the_booking_and_says_where_it_is(self, alices, desk, soon):
        answer = alices.post("/bookings", wish(desk, soon, 2, note="By the window"))
        assert answer.status_code == 201
        booking = Booking.objects.get()
        assert answer["Location"] == f"/api/v1/bookings/{booking.code}"
        shown = answer.json()
        assert shown == {
            "code": str(booking.code),
            "state": "CONFIRMED",
            "place": {"code": str(desk.code), "name": "Desk 1", "space": "loft"},
            "starts_at": f"{soon:%Y-%m-%dT10:00:00}+00:00",
            "ends_at": f"{soon:%Y-%m-%dT12:00:00}+00:00",
            "party_size": 1,
            "note": "By the window",
            "created_at": booking.created_at.isoformat(),
            "decided_at": booking.decided_at.isoformat(),
            "problems": [],
            "checked_in_at": None,
            "seated_at": None,
            "member": "alice",
            "guest_name": "",
            "guest_contact": "",
        }
        assert alices.get(f"/bookings/{booking.code}").json() == shown

    def test_no_answer_may_be_cached(self, alices, desk, soon):
        assert alices.post("/bookings", wish(desk, soon))["Cache-Control"] == "no-store"

    def test_a_composite_takes_its_parts(self, alices, space, desk, soon):
        pair = PlaceFactory.create(space=space, number=10, capacity=2)
        pair.parts.set(space.places.filter(number__in=[1, 2]))
        assert alices.post("/bookings", wish(pair, soon, party_size=2)).status_code == 201
        assert kind(alices.post("/bookings", wish(desk, soon))) == (409, "slot_taken")

    def test_a_taken_part_blocks_the_whole(self, alices, space, desk, soon):
        pair = PlaceFactory.create(space=space, number=10, capacity=2)
        pair.parts.set(space.places.filter(number__in=[1, 2]))
        assert alices.post("/bookings", wish(desk, soon)).status_code == 201
        assert kind(alices.post("/bookings", wish(pair, soon))) == (409, "slot_taken")


class TestForWhom:
    def test_staff_book_for_a_member(self, hosts, alices, host, alice, desk, soon):
        answer = hosts.post("/bookings", wish(desk, soon, member="ALICE"))
        assert (answer.status_code, answer.json()["member"]) == (201, "alice")
        booking = Booking.objects.get(member=alice)
        assert booking.events.get().actor == host
        assert alices.get(f"/bookings/{booking.code}").status_code == 200

    def test_staff_book_for_a_guest(self, hosts, desk, soon):
        guest = {"guest_name": "Ivan", "guest_contact": "+7 900"}
        answer = hosts.post("/bookings", wish(desk, soon, **guest))
        assert answer.status_code == 201
        assert {**answer.json(), **guest, "member": None} == answer.json()

    def test_members_book_for_nobody_else(self, alices, bob, desk, soon):
        for other in ({"member": "bob"}, {"guest_name": "Ivan"}, {"member": "nobody"}):
            assert kind(alices.post("/bookings", wish(desk, soon, **other))) == (403, "forbidden")
        assert not Booking.objects.exists()

    def test_a_member_may_name_themselves(self, alices, desk, soon):
        answer = alices.post("/bookings", wish(desk, soon, member="Alice"))
        assert (answer.status_code, answer.json()["member"]) == (201, "alice")

    @pytest.mark.parametrize("login", ["nobody", "", "gone"])
    def test_an_unknown_member_is_named(self, hosts, desk, soon, login):
        UserFactory.create(username="gone", is_active=False)
        answer = hosts.post("/bookings", wish(desk, soon, member=login))
        assert kind(answer) == (422, "invalid")
        assert fields(answer) == ["body.member"]

    @pytest.mark.parametrize(
        "who",
        [
            {"member": "alice", "guest_name": "Ivan"},
            {"guest_contact": "+7 900"},
            {"guest_name": " "},
        ],
    )
    def test_it_is_for_one_person(self, hosts, alice, desk, soon, who):
        assert kind(hosts.post("/bookings", wish(desk, soon, **who))) == (422, "invalid")

    def test_staff_seat_a_walk_in_and_members_plan_ahead(self, hosts, alices, desk):
        OpeningHours.objects.update(opens_at="00:00", closes_at="00:00")
        running = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        answer = alices.post("/bookings", wish(desk, running))
        assert (kind(answer), codes(answer)) == ((422, "refused"), ["in_the_past"])
        answer = hosts.post("/bookings", wish(desk, running, guest_name="Ivan"))
        assert answer.status_code == 201


class TestTaken:
    def test_it_offers_alternatives(self, alices, bob, space, desk, soon):
        program(bob).post("/bookings", wish(desk, soon))
        answer = alices.post("/bookings", wish(desk, soon))
        assert kind(answer) == (409, "slot_taken")
        offers = answer.json()["alternatives"]
        assert [offer["place"]["name"] for offer in offers] == ["Desk 2", "Desk 3", "Desk 1"]
        for offer in offers:
            body = {**offer, "place": offer["place"]["code"]}
            assert alices.post("/bookings", body).status_code == 201

    def test_the_rejected_booking_is_kept(self, alices, bob, desk, soon):
        program(bob).post("/bookings", wish(desk, soon))
        code = alices.post("/bookings", wish(desk, soon)).json()["booking"]
        shown = alices.get(f"/bookings/{code}").json()
        assert (shown["state"], shown["problems"]) == ("REJECTED", ["slot_taken"])


class TestRefused:
    def test_every_broken_rule_is_reported_at_once(self, alices, space, desk, soon):
        PolicyFactory.create(space=space, max_minutes=60, min_notice_minutes=60 * 24 * 7)
        answer = alices.post("/bookings", wish(desk, soon, 13, party_size=3))
        assert kind(answer) == (422, "refused")
        assert codes(answer) == ["party_too_large", "too_soon", "too_long"]
        assert all(problem["message"] for problem in answer.json()["problems"])
        assert answer.json()["alternatives"] == []
        assert not Booking.objects.exists()

    def test_it_offers_what_is_allowed_instead(self, alices, desk, soon):
        answer = alices.post("/bookings", wish(desk, soon.replace(hour=7)))
        assert codes(answer) == ["closed"]
        assert answer.json()["alternatives"][0] == {
            "place": {"code": str(desk.code), "name": "Desk 1", "space": "loft"},
            "starts_at": f"{soon:%Y-%m-%dT08:00:00}+00:00",
            "ends_at": f"{soon:%Y-%m-%dT09:00:00}+00:00",
        }

    def test_no_other_place_helps_against_a_quota(self, alices, space, desk, soon):
        PolicyFactory.create(space=space, max_upcoming=1)
        alices.post("/bookings", wish(desk, soon))
        answer = alices.post("/bookings", wish(desk, soon + hours(2)))
        assert codes(answer) == ["too_many_upcoming"]
        assert answer.json()["alternatives"] == []

    def test_a_hidden_space_is_not_booked(self, alices, space, desk, soon):
        space.is_active = False
        space.save()
        answer = alices.post("/bookings", wish(desk, soon))
        assert (codes(answer), answer.json()["alternatives"]) == (["not_bookable"], [])

    def test_an_unknown_place_is_named(self, alices, desk, soon):
        answer = alices.post("/bookings", {**wish(desk, soon), "place": NOBODY})
        assert (kind(answer), fields(answer)) == ((422, "invalid"), ["body.place"])


class TestInstants:
    @pytest.mark.parametrize("minutes", [0, 7, 345, 840, -570, -720, 1439, -1439])
    def test_any_offset_names_the_same_instant(self, alices, bob, desk, soon, minutes):
        there = soon.astimezone(timezone(timedelta(minutes=minutes)))
        answer = alices.post("/bookings", wish(desk, there))
        assert answer.status_code == 201
        assert datetime.fromisoformat(answer.json()["starts_at"]) == soon
        assert program(bob).post("/bookings", wish(desk, soon)).status_code == 409

    def test_z_is_an_offset(self, alices, desk, soon):
        body = {
            **wish(desk, soon),
            "starts_at": f"{soon:%Y-%m-%dT%H:%M:%S}Z",
            "ends_at": f"{soon:%Y-%m-%d}t11:00:00.000z",
        }
        assert alices.post("/bookings", body).status_code == 201

    @pytest.mark.parametrize(
        "text",
        [
            "{day}T10:00:00",
            "{day}T10:00",
            "{day}",
            "{day}T10:00:00 03:00",
            "{day}T24:00:00Z",
            "2026-02-30T10:00:00Z",
            "1999-12-31T10:00:00Z",
            "2200-01-01T10:00:00Z",
            "9999-12-31T23:59:59-23:59",
            "0001-01-01T00:00:00+14:00",
            "1700000000",
            "tomorrow",
            "",
            1_700_000_000,
            1_700_000_000.5,
            None,
            True,
            [],
        ],
    )
    def test_what_is_not_an_instant_is_refused(self, alices, desk, soon, text):
        given = text.format(day=soon.date()) if isinstance(text, str) else text
        answer = alices.post("/bookings", {**wish(desk, soon), "starts_at": given})
        assert (kind(answer), fields(answer)) == ((422, "invalid"), ["body.starts_at"])

    def test_the_hour_that_repeats_is_two_hours(self, berlin, alices, bob):
        desk, zone = berlin.places.get(number=1), berlin.zone
        change = next_change(zone, timedelta(hours=-1))  # 3:00 becomes 2:00
        first = alices.post("/bookings", wish(desk, change - hours(1)))
        second = program(bob).post("/bookings", wish(desk, change))
        assert (first.status_code, second.status_code) == (201, 201)
        day = change.astimezone(zone).date()
        assert first.json()["starts_at"] == f"{day}T02:00:00+02:00"
        assert second.json()["starts_at"] == f"{day}T02:00:00+01:00"
        assert first.json()["ends_at"] == second.json()["starts_at"]

    def test_the_skipped_hour_takes_no_time(self, berlin, alices):
        change = next_change(berlin.zone, timedelta(hours=1))  # 2:00 becomes 3:00
        answer = alices.post("/bookings", wish(berlin.places.get(number=1), change - hours(1), 2))
        day = change.astimezone(berlin.zone).date()
        assert answer.json()["starts_at"] == f"{day}T01:00:00+01:00"
        assert answer.json()["ends_at"] == f"{day}T04:00:00+02:00"


@pytest.fixture
def berlin(db):
    space = open_space(
        slug="berlin", time_zone="Europe/Berlin", places=1, opens_at="00:00", closes_at="00:00"
    )
    PolicyFactory.create(space=space, max_days_ahead=400)
    return space


def next_change(zone: ZoneInfo, by: timedelta) -> datetime:
    """Return when the clocks next go forward or back by this much."""
    at = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    while offset(at, zone) - offset(at - hours(1), zone) != by:
        at += hours(1)
    return at


def offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset()


class TestQueries:
    """At most sixteen statements, savepoints counted, whatever the request carries.

    The token's first use in that minute is recorded, a quota is counted, the answer is stored.
    """

    MOST = 16

    @pytest.fixture(autouse=True)
    def limited(self, space):
        PolicyFactory.create(space=space, max_upcoming=3)
        assert connection.features.supports_json_field  # SQLite is asked once per process

    @pytest.mark.parametrize("headers", [{}, {"idempotency_key": "k"}])
    def test_a_booking(self, alices, desk, soon, headers, django_assert_max_num_queries):
        with django_assert_max_num_queries(self.MOST):
            assert alices.post("/bookings", wish(desk, soon), **headers).status_code == 201

    @pytest.mark.django_db(transaction=True)
    def test_a_booking_with_begin_and_commit(
        self, alices, desk, soon, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(self.MOST):
            answer = alices.post("/bookings", wish(desk, soon), idempotency_key="k")
        assert answer.status_code == 201

    def test_a_queued_booking(self, alices, desk, soon, django_assert_max_num_queries):
        headers = {"idempotency_key": "k", "prefer": "respond-async"}
        with django_assert_max_num_queries(self.MOST):
            assert alices.post("/bookings", wish(desk, soon), **headers).status_code == 202

    def test_a_taken_place_costs_seven_more_to_find_another(
        self, alices, bob, desk, soon, django_assert_max_num_queries
    ):
        program(bob).post("/bookings", wish(desk, soon))
        with django_assert_max_num_queries(self.MOST + 7):
            answer = alices.post("/bookings", wish(desk, soon), idempotency_key="k")
        assert answer.status_code == 409


@pytest.mark.django_db(transaction=True)
def test_one_of_twenty_at_once_gets_it(live_server, space, desk, soon):
    members = [UserFactory.create(username=f"crowd{n}") for n in range(20)]
    programs = [remote(live_server.url, member) for member in members]
    body = wish(desk, soon)
    answers = at_once(*[lambda p=each: p.post("/bookings", json=body) for each in programs])
    told = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    winner = Booking.objects.get(state=State.CONFIRMED)
    assert told == {(201, str(winner.code)): 1, (409, "slot_taken"): 19}
    assert Booking.objects.filter(state=State.REJECTED).count() == 19
    assert list(violations(now=datetime.now(UTC))) == []
    for each in programs:
        each.close()
