"""check_bookings: silent after normal use, and loud about everything broken on purpose."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.factories import UserFactory
from bookings.deciding import closing, leaving, services
from bookings.deciding.invariants import violations
from bookings.deciding.stranding import Choice
from bookings.deciding.wish import Wish
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.states import State
from spaces.factories import PlaceFactory, PolicyFactory
from spaces.models import Policy

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 11, 25, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)


def at(hour):
    return TEN.replace(hour=hour)


def book(place, member, now, starts_at=TEN, ends_at=None, **kwargs):
    return services.book(
        Wish(
            place=place,
            member=member,
            starts_at=starts_at,
            ends_at=ends_at or starts_at + 2 * HOUR,
            party_size=1,
            **kwargs,
        ),
        by=member,
        now=now,
    )


def smuggle(place, member, now, starts_at=TEN, ends_at=None, state=State.CONFIRMED):
    """Write a booking's row behind the services' back: no slots, no events."""
    return Booking.objects.create(
        place=place,
        member=member,
        starts_at=starts_at,
        ends_at=ends_at or starts_at + 2 * HOUR,
        state=state,
        created_at=now,
        decided_at=now,
        checked_in_at=now if state == State.CHECKED_IN else None,
    )


def problems(invariant, now):
    found = [v for v in violations(now=now) if v.invariant == invariant]
    return sorted((violation.subject, violation.problem) for violation in found)


@pytest.fixture
def booking(desk, alice, now):
    """Alice, desk 1, 10–12."""
    return book(desk, alice, now)


@pytest.fixture
def hall(space):
    """Desks 1 and 2 together."""
    hall = PlaceFactory.create(space=space, number=10, capacity=2)
    hall.parts.set(space.places.filter(number__in=[1, 2]))
    return hall


def test_nothing_is_wrong_before_the_first_booking(space, now):
    assert list(violations(now=now)) == []


def test_nothing_is_wrong_after_all_that_services_do(space, desk, hall, alice, bob, host, now):
    PolicyFactory.create(space=space, max_upcoming=3)
    other = space.places.get(number=3)
    book(hall, alice, now)
    assert book(desk, bob, now).state == State.REJECTED
    moved = book(other, bob, now)
    services.reschedule(
        moved, place=hall, starts_at=at(14), ends_at=at(17), party_size=2, by=bob, now=now
    )
    services.cancel(book(other, bob, now), by=bob, now=now)
    book(other, bob, now, starts_at=at(12), request_key="key")
    services.complete_past(now=at(13))
    book(desk, alice, at(13), starts_at=at(20))
    closing.close(
        space,
        place=desk,
        starts_at=at(20),
        ends_at=at(21),
        reason="Repairs",
        choice=Choice.CANCEL,
        by=host,
        now=at(13),
    )
    leaving.leave(bob, by=bob, now=at(13))

    assert set(Booking.objects.values_list("state", flat=True)) == {
        State.COMPLETED,
        State.REJECTED,
        State.CANCELLED,
    }
    assert list(violations(now=at(13))) == []


class TestDoubled:
    def test_two_bookings_of_one_place_at_one_time(self, desk, booking, bob, now):
        second = smuggle(desk, bob, now, starts_at=at(11))
        assert problems("doubled", now) == [
            (str(second.code), f"shares a place and a time with {booking.code}")
        ]

    def test_a_composite_and_its_part(self, hall, booking, bob, now):
        whole = smuggle(hall, bob, now, starts_at=at(11))
        assert problems("doubled", now) == [
            (str(whole.code), f"shares a place and a time with {booking.code}")
        ]

    def test_a_long_booking_is_not_hidden_by_a_short_one(self, desk, alice, bob, now):
        long = book(desk, alice, now, starts_at=at(8), ends_at=at(20))
        smuggle(desk, bob, now, starts_at=at(9), ends_at=at(10))
        late = smuggle(desk, bob, now, starts_at=at(15), ends_at=at(16))
        assert (str(late.code), f"shares a place and a time with {long.code}") in problems(
            "doubled", now
        )

    def test_bookings_may_touch_and_cancelled_ones_don_t_count(self, desk, booking, bob, now):
        smuggle(desk, bob, now, starts_at=at(12))
        smuggle(desk, bob, now, starts_at=at(10), state=State.CANCELLED)
        assert problems("doubled", now) == []


class TestSlots:
    def test_a_missing_slot(self, desk, booking, now):
        booking.booked_slots.get(slot=at(11)).delete()
        assert problems("slots", now) == [
            (
                str(booking.code),
                f"1 missing, the first of place {desk.pk} at 2026-11-25T11:00:00+00:00",
            )
        ]

    def test_all_slots_missing(self, booking, now):
        booking.booked_slots.all().delete()
        assert problems("slots", now)[0][1].startswith("8 missing")

    def test_a_slot_of_another_time(self, desk, booking, now):
        BookedSlot.objects.create(booking=booking, place=desk, slot=at(12))
        assert problems("slots", now) == [
            (
                str(booking.code),
                f"1 foreign, the first of place {desk.pk} at 2026-11-25T12:00:00+00:00",
            )
        ]

    def test_a_slot_of_another_place(self, space, booking, now):
        booking.booked_slots.filter(slot=TEN).update(place=space.places.get(number=2))
        assert [problem.split(",")[0] for _, problem in problems("slots", now)] == [
            "1 foreign",
            "1 missing",
        ]

    def test_a_composite_without_one_of_its_leaves(self, space, hall, alice, now):
        whole = book(hall, alice, now)
        whole.booked_slots.filter(place__number=2).delete()
        assert problems("slots", now)[0][1].startswith("8 missing")

    @pytest.mark.parametrize("state", [State.CANCELLED, State.REJECTED, State.COMPLETED])
    def test_slots_left_over(self, booking, now, state):
        Booking.objects.update(state=state)
        assert problems("slots", now) == [
            (str(booking.code), f"8 left over although it is {state}")
        ]


class TestEvents:
    @pytest.fixture
    def events(self, desk, booking, alice, now):
        """Booked, moved to 14–16, cancelled."""
        moved = services.reschedule(
            booking, place=desk, starts_at=at(14), ends_at=at(16), by=alice, now=now
        )
        services.cancel(moved, by=alice, now=now)
        return booking.events

    def found(self, now):
        return [problem for _, problem in problems("events", now)]

    def rewrite(self, event, **values):
        event.data.update(values)
        event.save()

    def test_a_booking_without_any(self, desk, alice, now):
        smuggle(desk, alice, now)
        assert self.found(now) == ["none"]

    def test_a_gap(self, events, now):
        events.filter(sequence=2).delete()
        assert self.found(now) == ["numbered [1, 3]"]

    def test_a_missing_first_event(self, events, now):
        events.filter(sequence=1).delete()
        assert self.found(now)[:2] == ["begins with MOVED, CONFIRMED", "numbered [2, 3]"]

    def test_a_state_in_which_no_booking_starts(self, booking, now):
        self.rewrite(booking.events.get(), state="COMPLETED")
        booking.events.update(kind="COMPLETED")
        assert "begins with COMPLETED, COMPLETED" in self.found(now)

    def test_a_state_that_can_t_follow(self, events, booking, now):
        last = BookingEvent.objects.get(booking=booking, sequence=3)
        last.pk, last.sequence, last.kind = None, 4, "CONFIRMED"
        self.rewrite(last, state="CONFIRMED")
        assert "CONFIRMED, CONFIRMED after CANCELLED" in self.found(now)

    def test_a_decision_recorded_twice(self, booking, now):
        again = booking.events.get()
        again.pk, again.sequence = None, 2
        again.save()
        assert self.found(now) == ["CONFIRMED, CONFIRMED after CONFIRMED"]

    def test_a_kind_that_does_not_match_what_happened(self, events, now):
        events.filter(sequence=3).update(kind="COMPLETED")
        assert self.found(now) == ["COMPLETED says CANCELLED"]

    def test_a_state_without_an_event(self, booking, now):
        Booking.objects.update(state=State.CANCELLED)
        assert "the last says CONFIRMED" in self.found(now)[0]

    @pytest.mark.parametrize("field", ["starts_at", "ends_at"])
    def test_a_time_without_an_event(self, booking, now, field):
        Booking.objects.update(**{field: getattr(booking, field) + timedelta(minutes=15)})
        assert "the last says" in self.found(now)[0]

    def test_a_place_without_an_event(self, space, booking, now):
        Booking.objects.update(place=space.places.get(number=2))
        assert "the last says" in self.found(now)[0]

    def test_a_party_size_without_an_event(self, booking, now):
        Booking.objects.update(party_size=2)
        assert "the last says" in self.found(now)[0]

    @pytest.mark.parametrize("data", [{}, [], {"state": "LOST"}])
    def test_an_unreadable_event(self, booking, now, data):
        booking.events.update(data=data)
        assert self.found(now)[0].startswith("unreadable")


@pytest.fixture
def requests_may_repeat(transactional_db, monkeypatch):
    """Drop the constraint that makes this impossible."""
    constraints = Booking._meta.constraints
    (once,) = [c for c in constraints if c.name == "booking_request_key_once"]
    with monkeypatch.context() as patch, connection.schema_editor() as editor:
        # SQLite rebuilds the table from the model.
        patch.setattr(Booking._meta, "constraints", [c for c in constraints if c is not once])
        editor.remove_constraint(Booking, once)
    yield
    Booking.objects.update(request_key=None)
    with connection.schema_editor() as editor:
        editor.add_constraint(Booking, once)


def test_two_bookings_of_one_request(requests_may_repeat, desk, booking, alice, now):
    book(desk, alice, now, starts_at=at(14))
    Booking.objects.update(request_key="key")
    assert problems("request", now) == [(f"member {alice.pk}", "2 bookings of the key 'key'")]


class TestQuota:
    @pytest.fixture
    def policy(self, space, now):
        policy = PolicyFactory.create(space=space, max_upcoming=2)
        self.set_at(now - HOUR)
        return policy

    def set_at(self, moment):
        Policy.objects.update(changed_at=moment)

    def smuggle_three(self, desk, member, now):
        for hour in (10, 12, 14):
            smuggle(desk, member, now, starts_at=at(hour))

    def test_more_than_allowed(self, policy, desk, alice, now):
        self.smuggle_three(desk, alice, now)
        assert problems("quota", now) == [
            (f"member {alice.pk}", f"3 upcoming bookings, and policy {policy.pk} allows 2")
        ]

    def test_each_member_counts_alone_and_so_does_each_space(self, policy, desk, alice, now):
        book(desk, alice, now)
        book(desk, alice, now, starts_at=at(12))
        smuggle(desk, UserFactory.create(), now, starts_at=at(14))
        smuggle(PlaceFactory.create(), alice, now, starts_at=at(16))
        assert problems("quota", now) == []

    def test_past_bookings_don_t_count(self, policy, desk, alice, now):
        self.smuggle_three(desk, alice, now)
        assert problems("quota", at(12)) == []

    def test_bookings_made_before_the_limit_don_t_count(self, policy, desk, alice, now):
        self.smuggle_three(desk, alice, now)
        self.set_at(now + HOUR)
        assert problems("quota", now) == []

    def test_a_limit_for_one_kind_of_place_counts_that_kind(self, space, desk, alice, now):
        policy = PolicyFactory.create(space=space, kind="DESK", max_upcoming=2)
        PolicyFactory.create(space=space, kind="ROOM", max_upcoming=0)
        self.set_at(now - HOUR)
        self.smuggle_three(desk, alice, now)
        assert problems("quota", now) == [
            (f"member {alice.pk}", f"3 upcoming bookings, and policy {policy.pk} allows 2")
        ]

    def test_a_groups_limit_is_left_out(self, space, desk, alice, now):
        group = Group.objects.create(name="trial")
        PolicyFactory.create(space=space, group=group, max_upcoming=1)
        self.set_at(now - HOUR)
        self.smuggle_three(desk, alice, now)
        assert problems("quota", now) == []


class TestCommand:
    def test_it_counts_what_it_checked(self, booking):
        output = StringIO()
        call_command("check_bookings", stdout=output)
        assert output.getvalue() == "1 bookings checked, no violations\n"

    def test_it_prints_a_line_for_each_violation_and_fails(self, booking):
        booking.booked_slots.all().delete()
        booking.events.all().delete()
        output = StringIO()
        with pytest.raises(CommandError, match="1 bookings checked, violations: 2"):
            call_command("check_bookings", stdout=output)
        assert [line.split(": ")[:2] for line in output.getvalue().splitlines()] == [
            ["slots", str(booking.code)],
            ["events", str(booking.code)],
        ]

    def test_queries_don_t_grow_with_bookings(
        self, desk, booking, alice, now, django_assert_num_queries
    ):
        def check():
            call_command("check_bookings", stdout=StringIO())

        with django_assert_num_queries(20):
            check()
        for hour in (8, 12, 14, 16, 18, 20):
            book(desk, alice, now, starts_at=at(hour))
        with django_assert_num_queries(20):
            check()


class TestNotices:
    """What the current set-up would not allow is reported, but isn't a violation."""

    def told(self):
        out = StringIO()
        call_command("check_bookings", stdout=out)
        return out.getvalue().splitlines()

    def test_a_booking_that_fits_no_longer_is_noticed(self, space, desk, alice, soon):
        booking = book(desk, alice, soon - 20 * HOUR, soon)
        space.opening_hours.update(closes_at="11:00")
        alice.is_active = False
        alice.save()
        assert self.told() == [
            f"notice: {booking.code}: closed, account_closed under the current set-up",
            "1 bookings checked, no violations",
        ]

    def test_past_and_cancelled_ones_are_not(self, space, desk, alice, soon, now):
        services.cancel(book(desk, alice, soon - 20 * HOUR, soon), by=alice, now=now)
        book(desk, alice, soon - 200 * HOUR, soon - 168 * HOUR)
        space.opening_hours.all().delete()
        assert self.told() == ["2 bookings checked, no violations"]

    def test_nothing_is_noticed_where_all_fit(self, desk, alice, soon):
        book(desk, alice, soon - 20 * HOUR, soon)
        assert self.told() == ["1 bookings checked, no violations"]
