"""Accepted now, decided next: what is stored, who is next, how it is decided."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from bookings.deciding import closing, leaving, services
from bookings.deciding.errors import Refused, RequestKeyReused, WrongState
from bookings.deciding.invariants import violations
from bookings.deciding.queueing import ATTEMPTS, decide_next
from bookings.deciding.transitions import claim
from bookings.models import BookedSlot, Booking
from bookings.states import State
from bookings.tests.acts import TEN, ask, book, codes, hours, move
from spaces import setups
from spaces.factories import ClosureFactory, PlaceFactory, PolicyFactory, open_space

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=32)  # longer than a decision that failed is put off


def decide_all(now):
    decided = 0
    while decide_next(now=now):
        decided += 1
    return decided


def begin(booking, now, lease=LEASE):
    """Claim a booking and never decide it, like a worker that is killed."""
    seen = Booking.objects.get(pk=booking.pk).lease_expires_at
    return claim(booking.pk, lease=seen, until=now + lease, now=now)


def life(booking):
    return list(booking.events.order_by("sequence").values_list("kind", flat=True))


def outcome(booking):
    booking.refresh_from_db()
    return booking.state, booking.problems


class TestRequest:
    def test_it_is_stored_with_one_event_and_no_slots(self, desk, alice, now):
        booking = ask(desk, alice, now, note="by the window")
        booking.refresh_from_db()
        assert (booking.state, booking.decided_at, booking.problems) == (State.CREATED, None, [])
        assert not BookedSlot.objects.exists()
        event = booking.events.get()
        assert (event.sequence, event.kind, event.actor, event.at) == (1, "CREATED", alice, now)
        assert (event.data["state"], event.data["decided_at"]) == ("CREATED", None)
        assert event.data["created_at"] == "2026-11-25T06:30:00+00:00"

    def test_the_house_may_request(self, desk, now):
        booking = ask(desk, None, now, by=None, guest_name="Ivan")
        assert booking.events.get().actor is None

    @pytest.mark.parametrize(
        ("starts_at", "length", "party_size", "code"),
        [
            (TEN, 0, 1, "ends_before_start"),
            (TEN, -1, 1, "ends_before_start"),
            (TEN + timedelta(minutes=7), 1, 1, "off_grid"),
            (TEN, 1 / 7, 1, "off_grid"),
            (TEN, 1, 0, "party_too_small"),
            (TEN, 1, -5, "party_too_small"),
            (TEN, 1, 40_000, "party_too_large"),
            (datetime(1, 1, 1, tzinfo=UTC), 1, 1, "in_the_past"),
            (datetime(9999, 12, 31, 22, tzinfo=UTC), 1, 1, "too_far_ahead"),
        ],
    )
    def test_what_no_row_can_store_is_refused(
        self, desk, alice, now, starts_at, length, party_size, code
    ):
        with pytest.raises(Refused) as refused:
            ask(desk, alice, now, starts_at, length, party_size=party_size)
        assert codes(refused) == [code]
        assert not Booking.objects.exists()

    def test_what_only_the_rules_forbid_waits_for_a_decision(self, desk, alice, now):
        ask(desk, alice, now, TEN - hours(5), length=30, party_size=9)
        assert Booking.objects.undecided().count() == 1

    def test_a_closed_account_gets_no_row(self, desk, alice, now):
        leaving.leave(alice, by=alice, now=now)
        with pytest.raises(Refused) as refused:
            ask(desk, alice, now, note="my name is Alice")
        assert codes(refused) == ["account_closed"]
        assert not Booking.objects.exists()

    def test_the_same_key_returns_the_same_booking_before_and_after(self, desk, alice, now):
        first = ask(desk, alice, now, request_key="k")
        assert ask(desk, alice, now, request_key="k") == first
        decide_all(now)
        assert ask(desk, alice, now, request_key="k") == first
        assert Booking.objects.count() == 1

    @pytest.mark.parametrize(("first", "second"), [(ask, book), (book, ask)])
    def test_booking_and_requesting_share_keys(self, desk, alice, now, first, second):
        earlier = first(desk, alice, now, request_key="k")
        assert second(desk, alice, now, request_key="k") == earlier
        with pytest.raises(RequestKeyReused):
            second(desk, alice, now, starts_at=TEN + hours(4), request_key="k")
        assert Booking.objects.count() == 1

    def test_a_guests_key_works_too(self, desk, host, now):
        guest = {"by": host, "guest_name": "Ivan", "request_key": "k"}
        assert ask(desk, None, now, **guest) == book(desk, None, now, **guest)

    def test_at_most_eight_statements(self, desk, alice, now, django_assert_max_num_queries):
        with django_assert_max_num_queries(8):
            ask(desk, alice, now, request_key="k")


class TestDecision:
    def test_a_free_place_is_confirmed(self, desk, alice, now):
        booking = ask(desk, alice, now)
        later = now + timedelta(seconds=1)
        assert decide_next(now=later) == 1
        assert outcome(booking) == (State.CONFIRMED, [])
        assert (booking.decided_at, booking.lease_expires_at) == (later, None)
        assert booking.booked_slots.count() == 8
        assert life(booking) == ["CREATED", "CHECKING_AVAILABILITY", "CONFIRMED"]
        assert decide_next(now=later) == 0

    def test_a_taken_place_is_rejected_and_says_why(self, desk, alice, bob, now):
        book(desk, alice, now)
        booking = ask(desk, bob, now, TEN + hours(1))
        decide_all(now)
        assert outcome(booking) == (State.REJECTED, ["slot_taken"])
        assert booking.events.get(sequence=3).data["problems"] == ["slot_taken"]
        assert list(violations(now=now)) == []

    def test_at_once_it_is_rejected_with_the_same_code(self, desk, alice, bob, now):
        book(desk, alice, now)
        assert outcome(book(desk, bob, now)) == (State.REJECTED, ["slot_taken"])

    def test_every_broken_rule_is_recorded(self, desk, alice, now):
        booking = ask(desk, alice, now, length=13, party_size=2)
        decide_all(now)
        assert outcome(booking) == (State.REJECTED, ["party_too_large", "closed"])

    def test_a_request_made_in_time_stays_in_time(self, space, desk, alice, now):
        PolicyFactory.create(space=space, min_notice_minutes=60)
        booking = ask(desk, alice, TEN - hours(1))
        decide_all(TEN + hours(1))
        assert outcome(booking) == (State.CONFIRMED, [])

    def test_a_booking_that_is_over_before_its_decision_is_rejected(self, desk, alice, now):
        booking = ask(desk, alice, now)
        decide_all(TEN + hours(2))
        assert outcome(booking) == (State.REJECTED, ["in_the_past"])

    def test_quotas_count_in_order_of_arrival(self, space, alice, now):
        PolicyFactory.create(space=space, max_upcoming=2)
        bookings = [ask(place, alice, now) for place in space.places.by_number()]
        decide_all(now)
        assert [outcome(booking) for booking in bookings] == [
            (State.CONFIRMED, []),
            (State.CONFIRMED, []),
            (State.REJECTED, ["too_many_upcoming"]),
        ]

    def test_staff_may_seat_a_walk_in(self, desk, alice, host):
        at = TEN + timedelta(minutes=5)
        theirs, own = ask(desk, alice, at, by=host, length=1), ask(desk, alice, at, length=2)
        decide_all(at)
        assert outcome(theirs) == (State.CONFIRMED, [])
        assert outcome(own) == (State.REJECTED, ["in_the_past"])

    def test_a_closure_that_came_meanwhile_counts(self, space, desk, alice, host, now):
        booking = ask(desk, alice, now)
        closing.close(
            space,
            place=None,
            starts_at=TEN,
            ends_at=TEN + hours(1),
            reason="Flood",
            choice=None,
            by=host,
            now=now,
        )
        decide_all(now)
        assert outcome(booking) == (State.REJECTED, ["closed"])

    def test_a_composite_takes_its_leaves(self, space, desk, alice, bob, now):
        pair = PlaceFactory.create(space=space, number=10, capacity=2)
        pair.parts.set(space.places.filter(number__in=[1, 2]))
        whole, part = ask(pair, alice, now), ask(desk, bob, now)
        decide_all(now)
        assert whole.booked_slots.count() == 16
        assert outcome(part) == (State.REJECTED, ["slot_taken"])


class TestOrder:
    def test_each_place_decides_in_order_of_arrival(self, space, alice, bob, now):
        wishes = [ask(p, m, now) for m in (alice, bob) for p in space.places.all()]
        assert decide_all(now) == 6
        assert [outcome(booking)[0] for booking in wishes] == ["CONFIRMED"] * 3 + ["REJECTED"] * 3

    def test_a_place_waits_while_its_first_is_being_decided(self, space, desk, alice, bob, now):
        first, second = ask(desk, alice, now), ask(desk, bob, now)
        elsewhere = ask(space.places.get(number=2), bob, now)
        begin(first, now)
        assert decide_all(now) == 1
        assert outcome(elsewhere)[0] == State.CONFIRMED
        assert outcome(second)[0] == State.CREATED

    def test_composites_wait_for_their_parts_and_parts_for_them(self, space, desk, alice, bob, now):
        two, three = (space.places.get(number=n) for n in (2, 3))
        pair = PlaceFactory.create(space=space, number=10, capacity=2)
        pair.parts.set([desk, two])
        hall = PlaceFactory.create(space=space, number=11, capacity=3)
        hall.parts.set([pair, three])
        first = ask(desk, alice, now)
        whole = ask(hall, bob, now)
        last = ask(three, alice, now)
        begin(first, now)
        assert decide_all(now) == 0
        decide_all(now + LEASE)
        assert [outcome(b) for b in (first, whole, last)] == [
            (State.CONFIRMED, []),
            (State.REJECTED, ["slot_taken"]),
            (State.CONFIRMED, []),
        ]

    def test_a_long_queue_for_one_place_hides_no_other(self, space, desk, alice, bob, now):
        for n in range(40):
            ask(desk, alice, now, TEN + timedelta(days=n))
        elsewhere = ask(space.places.get(number=2), bob, now)
        begin(Booking.objects.in_order_of_arrival().first(), now)
        assert decide_next(now=now) == 1
        assert outcome(elsewhere)[0] == State.CONFIRMED

    @pytest.mark.parametrize("count", [1, 30])
    def test_a_unit_costs_the_same_however_long_the_queue(
        self, alice, bob, now, django_assert_num_queries, count
    ):
        for n in range(count):
            place = open_space(slug=f"s{n}", places=1).places.get()
            ask(place, alice, now)
            ask(place, bob, now)
            setups.current(place.space_id)  # a worker that has run for a while knows it
        with django_assert_num_queries(19):
            assert decide_next(now=now) == 1


class TestLease:
    def test_nobody_else_decides_before_the_lease_runs_out(self, desk, alice, now):
        booking = ask(desk, alice, now)
        begin(booking, now)
        assert decide_next(now=now + LEASE - timedelta(seconds=1)) == 0
        assert decide_next(now=now + LEASE) == 1
        assert outcome(booking) == (State.CONFIRMED, [])
        assert life(booking) == ["CREATED", *["CHECKING_AVAILABILITY"] * 2, "CONFIRMED"]
        assert list(violations(now=now)) == []

    def test_only_one_worker_gets_a_claim(self, desk, alice, now):
        booking = ask(desk, alice, now)
        begin(booking, now)
        for lease in (None, now):
            with pytest.raises(WrongState):
                claim(booking.pk, lease=lease, until=now + LEASE, now=now)
        assert life(booking) == ["CREATED", "CHECKING_AVAILABILITY"]

    def test_the_setting_is_how_long_it_lasts_and_a_failure_four_times_as_long(
        self, settings, desk, alice, now
    ):
        settings.DECISION_LEASE_SECONDS = 7
        assert ask(desk, alice, now)
        break_setup(desk.space)
        with pytest.raises(ValueError, match="infinity"):
            decide_next(now=now)
        assert Booking.objects.get().lease_expires_at == now + 4 * timedelta(seconds=7)


def break_setup(space):
    """Write a closure past every check, as by hand in the database: no decision can read it."""
    closure = ClosureFactory.create(space=space, starts_at=TEN + timedelta(days=9))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE spaces_closure SET ends_at = 'infinity' WHERE id = %s", [closure.pk])


class TestPoison:
    def test_others_carry_on_and_after_a_repair_it_is_decided(self, space, desk, alice, bob, now):
        poisoned = ask(desk, alice, now)
        fine = ask(open_space(slug="other", places=1).places.get(), bob, now)
        break_setup(space)
        with pytest.raises(ValueError, match="infinity"):
            decide_next(now=now)
        assert decide_all(now) == 1
        assert outcome(fine)[0] == State.CONFIRMED
        space.closures.all().delete()
        decide_all(now + LEASE)
        assert outcome(poisoned) == (State.CONFIRMED, [])

    def test_it_is_given_up_after_some_attempts(self, space, desk, alice, now):
        poisoned = ask(desk, alice, now)
        break_setup(space)
        for attempt in range(ATTEMPTS):
            with pytest.raises(ValueError, match="infinity"):
                decide_next(now=now + attempt * LEASE)
        assert decide_next(now=now + ATTEMPTS * LEASE) == 1
        assert outcome(poisoned) == (State.REJECTED, ["undecidable"])
        space.closures.all().delete()
        assert list(violations(now=now)) == []


class TestUndecided:
    @pytest.fixture(params=["received", "being checked"])
    def undecided(self, request, desk, alice, now):
        booking = ask(desk, alice, now, note="for Alice")
        if request.param == "being checked":
            begin(booking, now)
        return booking

    def test_it_can_not_be_cancelled_or_moved_yet(self, undecided, alice, host, now):
        for by in (alice, host):
            with pytest.raises(WrongState, match="not decided yet"):
                services.cancel(undecided, by=by, now=now)
            for starts_at in (TEN, TEN + hours(1)):
                with pytest.raises(WrongState, match="not decided yet"):
                    move(undecided, now, starts_at, by=by)

    def test_a_member_who_leaves_is_not_booked_and_the_note_is_erased(self, undecided, alice, now):
        leaving.leave(alice, by=alice, now=now)
        decide_all(now + LEASE)
        assert outcome(undecided) == (State.REJECTED, ["account_closed"])
        assert undecided.note == ""
        assert "Alice" not in str(list(undecided.events.values("data")))
        assert list(violations(now=now)) == []

    def test_nothing_is_wrong_with_it(self, undecided, now):
        assert list(violations(now=now)) == []

    def test_slots_of_an_undecided_one_are_reported(self, undecided, desk, now):
        BookedSlot.objects.create(booking=undecided, place=desk, slot=TEN)
        undecided.refresh_from_db()
        assert [(v.invariant, v.problem) for v in violations(now=now)] == [
            ("slots", f"1 left over although it is {undecided.state}")
        ]

    def test_a_lease_of_a_decided_one_is_reported(self, undecided, now):
        decide_all(now + LEASE)
        Booking.objects.update(lease_expires_at=now)
        assert [(v.invariant, v.problem) for v in violations(now=now)] == [
            ("leases", "CONFIRMED with a lease until 2026-11-25T06:30:00+00:00")
        ]

    def test_being_checked_by_nobody_is_reported(self, desk, alice, now):
        begin(ask(desk, alice, now), now)
        Booking.objects.update(lease_expires_at=None)
        assert [(v.invariant, v.problem) for v in violations(now=now)] == [
            ("leases", "CHECKING_AVAILABILITY without a lease")
        ]
