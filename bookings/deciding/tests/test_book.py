"""Booking: the service first, then the page."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction

from bookings.deciding import services
from bookings.deciding.errors import Refused, RequestKeyReused
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.states import State
from bookings.tests.acts import TEN, book, codes, hours
from spaces.factories import ClosureFactory, PlaceFactory, PolicyFactory


@pytest.mark.django_db
class TestService:
    def test_a_free_place_is_confirmed_with_its_slots_and_one_event(self, desk, alice, now):
        booking = book(desk, alice, now)

        assert booking.state == State.CONFIRMED
        assert booking.decided_at == now
        assert list(booking.booked_slots.order_by("slot").values_list("place", "slot")) == [
            (desk.pk, TEN + timedelta(minutes=15 * n)) for n in range(8)
        ]
        event = booking.events.get()
        assert (event.sequence, event.kind, event.actor, event.at) == (1, "CONFIRMED", alice, now)
        assert event.data == {
            "code": str(booking.code),
            "state": "CONFIRMED",
            "place": {"code": str(desk.code), "name": "Desk 1", "space": "loft"},
            "starts_at": "2026-11-25T10:00:00+00:00",
            "ends_at": "2026-11-25T12:00:00+00:00",
            "party_size": 1,
            "note": "",
            "created_at": "2026-11-25T06:30:00+00:00",
            "decided_at": "2026-11-25T06:30:00+00:00",
            "checked_in_at": None,
            "seated_at": None,
            "problems": [],
        }

    def test_a_taken_place_is_rejected_and_kept_as_history(self, desk, alice, bob, now):
        book(desk, alice, now)

        booking = book(desk, bob, now, starts_at=TEN + hours(1))

        assert booking.state == State.REJECTED
        assert booking.booked_slots.count() == 0
        assert booking.events.get().kind == "REJECTED"

    def test_bookings_may_touch(self, desk, alice, bob, now):
        book(desk, alice, now)
        assert book(desk, bob, now, starts_at=TEN + hours(2)).state == State.CONFIRMED

    def test_a_composite_takes_its_leaves(self, space, desk, alice, bob, now):
        pair = PlaceFactory.create(space=space, number=10, capacity=2)
        pair.parts.set(space.places.filter(number__in=[1, 2]))
        hall = PlaceFactory.create(space=space, number=11, capacity=3)
        hall.parts.set([pair, space.places.get(number=3)])

        booking = book(hall, alice, now)

        taken = booking.booked_slots.order_by("place__number").values_list("place__number")
        assert set(taken) == {(1,), (2,), (3,)}
        assert book(desk, bob, now).state == State.REJECTED
        assert book(pair, bob, now).state == State.REJECTED

    def test_a_part_that_is_taken_takes_the_composite(self, space, desk, alice, bob, now):
        pair = PlaceFactory.create(space=space, number=10)
        pair.parts.set(space.places.filter(number__in=[1, 2]))
        book(desk, alice, now)
        assert book(pair, bob, now, starts_at=TEN + hours(1)).state == State.REJECTED

    def test_the_same_key_returns_the_same_booking(self, desk, alice, now):
        first = book(desk, alice, now, request_key="k")
        assert book(desk, alice, now + hours(1), request_key="k") == first
        assert Booking.objects.count() == 1

    def test_the_same_key_still_answers_after_the_booking_moved(self, desk, alice, now):
        first = book(desk, alice, now, request_key="k")
        services.reschedule(
            first, place=desk, starts_at=TEN + hours(4), ends_at=TEN + hours(6), by=alice, now=now
        )
        assert book(desk, alice, now, request_key="k") == first

    def test_the_same_key_with_other_content_is_an_error(self, desk, alice, now):
        book(desk, alice, now, request_key="k")
        with pytest.raises(RequestKeyReused):
            book(desk, alice, now, starts_at=TEN + hours(4), request_key="k")

    def test_two_members_may_use_the_same_key(self, desk, alice, bob, now):
        book(desk, alice, now, request_key="k")
        other = book(desk, bob, now, starts_at=TEN + hours(2), request_key="k")
        assert other.member == bob

    def test_all_broken_rules_are_reported_at_once_and_nothing_is_written(self, desk, alice, now):
        with pytest.raises(Refused) as error:
            book(desk, alice, now, starts_at=TEN + timedelta(minutes=15), length=13, party_size=2)
        assert codes(error) == ["party_too_large", "closed"]
        assert not Booking.objects.exists()
        assert not BookingEvent.objects.exists()

    @pytest.mark.parametrize(
        ("starts_at", "length", "code"),
        [
            (TEN, 0, "ends_before_start"),
            (TEN, -2, "ends_before_start"),
            (TEN + timedelta(minutes=7), 1, "off_grid"),
            (TEN + timedelta(seconds=1), 1, "off_grid"),
            (TEN + timedelta(minutes=15), 1, "off_step"),
            (TEN, 1.5, "off_step"),
            (TEN, 0.25, "too_short"),
            (TEN, 25, "too_long"),
            (TEN - hours(8), 1, "in_the_past"),
            (TEN - timedelta(days=400), 1, "in_the_past"),
            (TEN + timedelta(days=91), 1, "too_far_ahead"),
            (TEN + timedelta(days=91_000), 1, "too_far_ahead"),
            (TEN - hours(3), 1, "closed"),
            (TEN + hours(11), 2, "closed"),
        ],
    )
    def test_a_time_that_breaks_a_rule_is_refused(self, desk, alice, now, starts_at, length, code):
        with pytest.raises(Refused) as error:
            book(desk, alice, now, starts_at=starts_at, length=length)
        assert code in codes(error)
        assert not Booking.objects.exists()

    def test_policies_limit_and_the_strictest_wins(self, space, desk, alice, now):
        PolicyFactory.create(space=space, max_minutes=240, min_notice_minutes=60)
        PolicyFactory.create(space=space, kind="DESK", max_minutes=120, min_notice_minutes=30)
        PolicyFactory.create(space=space, kind="ROOM", max_minutes=60)
        with pytest.raises(Refused) as error:
            book(desk, alice, TEN - timedelta(minutes=45), length=3)
        assert codes(error) == ["too_soon", "too_long"]
        assert book(desk, alice, TEN - hours(1), length=2).state == State.CONFIRMED

    def test_a_groups_policy_binds_only_its_members(self, space, desk, alice, bob, now):
        trial = Group.objects.create(name="trial")
        alice.groups.add(trial)
        PolicyFactory.create(space=space, group=trial, max_minutes=60)
        with pytest.raises(Refused):
            book(desk, alice, now)
        assert book(desk, bob, now).state == State.CONFIRMED

    def test_a_quota_counts_upcoming_bookings(self, space, desk, alice, now):
        PolicyFactory.create(space=space, max_upcoming=2)
        first = book(desk, alice, now, length=1)
        book(desk, alice, now, starts_at=TEN + hours(1), length=1)
        with pytest.raises(Refused) as error:
            book(desk, alice, now, starts_at=TEN + hours(2), length=1)
        assert codes(error) == ["too_many_upcoming"]
        services.cancel(first, by=alice, now=now)
        assert book(desk, alice, now, starts_at=TEN + hours(2), length=1).state == "CONFIRMED"

    def test_a_closed_place_is_refused(self, space, desk, alice, now):
        ClosureFactory.create(space=space, place=desk, starts_at=TEN + hours(1))
        with pytest.raises(Refused) as error:
            book(desk, alice, now)
        assert codes(error) == ["closed"]
        assert book(space.places.get(number=2), alice, now).state == State.CONFIRMED

    def test_a_withdrawn_place_is_refused(self, desk, alice, now):
        desk.is_bookable = False
        desk.save()
        with pytest.raises(Refused) as error:
            book(desk, alice, now)
        assert codes(error) == ["not_bookable"]

    def test_a_guest_is_booked_by_staff(self, desk, host, now):
        booking = book(desk, None, now, by=host, guest_name="Ivan")
        assert (booking.member, booking.guest_name, booking.events.get().actor) == (
            None,
            "Ivan",
            host,
        )

    def test_the_constraint_holds_for_a_direct_insert(self, desk, alice, now):
        booking = book(desk, alice, now)
        with pytest.raises(IntegrityError), transaction.atomic():
            BookedSlot.objects.create(booking=booking, place=desk, slot=TEN)

    def test_staff_seat_a_walk_in_in_the_running_step(self, desk, alice, host, now):
        at = TEN + timedelta(minutes=5)
        assert book(desk, alice, at, by=host).state == State.CONFIRMED

    def test_a_member_can_not_book_a_step_that_has_started(self, desk, alice, now):
        with pytest.raises(Refused) as error:
            book(desk, alice, TEN + timedelta(minutes=5))
        assert codes(error) == ["in_the_past"]

    def test_a_walk_in_can_not_have_a_step_that_is_over(self, desk, alice, host):
        with pytest.raises(Refused) as error:
            book(desk, alice, TEN + hours(1), by=host)
        assert codes(error) == ["in_the_past"]

    def test_a_walk_in_needs_no_notice(self, space, desk, alice, host):
        PolicyFactory.create(space=space, min_notice_minutes=120)
        assert book(desk, alice, TEN, by=host).state == State.CONFIRMED
