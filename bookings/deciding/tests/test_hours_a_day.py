"""Hours a day: a member gets so much of one local day, however many bookings it is made of."""

from datetime import UTC, datetime, time, timedelta

import pytest

from accounts.factories import UserFactory
from bookings.deciding import adopting, choosing, services, undoing, visits
from bookings.deciding.errors import Refused
from bookings.deciding.invariants import violations
from bookings.deciding.queueing import decide_next
from bookings.deciding.wish import PartyWish
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, ask, book, codes, hours, local, move
from bookings.tests.crowd import at_once
from spaces.factories import PlaceFactory, PolicyFactory, open_space
from spaces.models import Policy

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def policy(space):
    return PolicyFactory.create(space=space, max_minutes_per_day=240, step_minutes=30)


@pytest.fixture
def other(space):
    return space.places.get(number=2)


def refusal(*args, **kwargs):
    before = Booking.objects.count()
    with pytest.raises(Refused) as refused:
        book(*args, **kwargs)
    assert Booking.objects.count() == before
    assert codes(refused) == ["too_many_hours"]
    return str(refused.value)


def test_what_is_left_and_when_it_would_fit_is_said(policy, desk, other, alice, now):
    book(desk, alice, now, TEN, 3)
    assert refusal(other, alice, now, TEN + hours(4), 2) == (
        "A member may book up to 4 hours a day here. Left on Wed 25 Nov: 1 hour. "
        "It would fit on Thu 26 Nov."
    )
    assert book(other, alice, now, TEN + hours(4), 1).occupies
    assert "Nothing is left on Wed 25 Nov." in refusal(other, alice, now, TEN + hours(6), 0.5)
    assert list(violations(now=now)) == []


def test_what_never_fits_is_not_promised(policy, desk, alice, now):
    said = refusal(desk, alice, now, TEN, 4.5)
    assert said == "A member may book up to 4 hours a day here. Left on Wed 25 Nov: 4 hours."


def test_a_day_that_is_full_too_is_passed_over(policy, desk, alice, now):
    book(desk, alice, now, TEN, 4)
    book(desk, alice, now, TEN + DAY, 4)
    assert "It would fit on Fri 27 Nov." in refusal(desk, alice, now, TEN + hours(5), 1)


def test_others_other_spaces_and_other_days_do_not_count(policy, desk, alice, bob, now):
    elsewhere = open_space(slug="other").places.first()
    book(desk, bob, now, TEN - hours(2), 2)
    book(elsewhere, alice, now, TEN, 4)
    book(desk, alice, now, TEN + DAY, 4)
    assert book(desk, alice, now, TEN, 4).occupies


def test_of_several_kinds_each_rule_counts_its_own(space, desk, alice, now):
    room = PlaceFactory.create(space=space, number=9, kind="ROOM")
    PolicyFactory.create(space=space, kind="ROOM", max_minutes_per_day=60)
    PolicyFactory.create(space=space, max_minutes_per_day=180)
    book(room, alice, now, TEN, 1)
    assert "(room)" in refusal(room, alice, now, TEN + hours(2), 1)
    book(desk, alice, now, TEN + hours(2), 2)
    refusal(desk, alice, now, TEN + hours(5), 1)


def test_over_midnight_each_day_has_its_part(alice, now):
    """22–2: two hours of each day, and the day is the space's own."""
    space = open_space(
        slug="late", time_zone="Europe/Moscow", opens_at=time(8), closes_at=time(8), places=2
    )
    PolicyFactory.create(space=space, max_minutes_per_day=180)
    desk, other = space.places.order_by("number")
    book(desk, alice, now, local(space, "2026-11-26T22:00"), 4)
    refusal(other, alice, now, local(space, "2026-11-26T18:00"), 2)
    refusal(other, alice, now, local(space, "2026-11-27T10:00"), 2)
    assert book(other, alice, now, local(space, "2026-11-26T18:00"), 1).occupies
    assert book(other, alice, now, local(space, "2026-11-27T10:00"), 1).occupies
    assert list(violations(now=now)) == []


@pytest.mark.parametrize(
    ("date", "length"),
    [("2027-03-28", 23), ("2026-10-25", 25)],
)
def test_a_day_has_as_many_hours_as_it_has(alice, date, length):
    """When the clocks change, real hours are counted: midnight to midnight has 23 or 25."""
    space = open_space(
        slug="berlin", time_zone="Europe/Berlin", opens_at=time(0), closes_at=time(0), places=2
    )
    PolicyFactory.create(space=space, max_minutes_per_day=22 * 60)
    desk, other = space.places.order_by("number")
    midnight = local(space, f"{date}T00:00")
    now = midnight - 3 * DAY
    book(desk, alice, now, midnight, 21)
    refusal(other, alice, now, midnight + hours(21), length - 21)
    assert book(other, alice, now, midnight + hours(21), 1).occupies
    assert book(other, alice, now, midnight + hours(length), 20).occupies


def test_what_is_over_counts_and_what_was_not_used_does_not(policy, desk, other, alice, host, now):
    over = book(desk, alice, now, TEN, 3)
    visits.arrive(over, by=host, now=TEN)
    visits.leave(over, by=host, now=TEN + hours(1.5))  # the rest is given back
    at = TEN + hours(2)
    assert "Left on Wed 25 Nov: 2 hours 30 minutes." in refusal(other, alice, at, at, 3)
    missed = book(other, alice, at, at, 2.5)
    visits.no_show(missed, by=host, now=at)
    again = book(other, alice, at, at + hours(3), 2.5)
    services.cancel(again, by=alice, now=at)
    assert book(other, alice, at, at + hours(3), 2.5).occupies


def test_moving_counts_and_taking_no_more_is_always_allowed(policy, desk, other, alice, host, now):
    first, second = book(desk, alice, now, TEN, 2), book(other, alice, now, TEN + hours(3), 2)
    for by in (alice, host):
        with pytest.raises(Refused) as refused:
            move(second, now, TEN + hours(3), 3, by=by)
        assert codes(refused) == ["too_many_hours"]
    move(first, now, TEN + DAY, 4)
    moved = move(second, now, TEN + hours(3), 4)
    Policy.objects.update(max_minutes_per_day=60)
    assert move(moved, now, TEN + hours(4), 3.5).occupies
    with pytest.raises(Refused):
        move(moved, now, TEN + DAY + hours(5), 3.5)


def test_every_way_of_booking_obeys(policy, space, desk, other, alice, host, now):
    book(desk, alice, now, TEN, 4)
    refusal(other, alice, now, TEN + hours(5), 1, by=host)
    queued = ask(other, alice, now, TEN + hours(5), 1)
    assert decide_next(now=now) == 1
    queued.refresh_from_db()
    assert (queued.state, queued.problems) == (State.REJECTED, ["too_many_hours"])
    party = PartyWish(
        space=space, member=alice, starts_at=TEN + hours(5), ends_at=TEN + hours(6), kind="DESK"
    )
    with pytest.raises(Refused) as refused:
        choosing.book_party(party, by=alice, now=now)
    assert codes(refused) == ["too_many_hours"]


def test_what_a_guest_has_booked_too_much_stays_a_guests(policy, space, desk, other, alice, now):
    email = "alice@example.org"
    for n, place in enumerate((desk, other)):
        at = TEN + hours(4 * n)
        book(
            place,
            None,
            now,
            at,
            3,
            by=UserFactory(is_superuser=True),
            guest_name="A",
            guest_contact=email,
        )
    assert adopting.adopt(alice, email, now=now) == 1
    assert Booking.objects.of(alice).count() == 1


def test_undoing_gives_nobody_more_than_the_rule(policy, desk, other, alice, host):
    booking = book(desk, alice, TEN, TEN, 4)
    services.cancel(booking, by=host, now=TEN)
    book(other, alice, TEN, TEN, 4)
    with pytest.raises(Refused) as refused:
        undoing.undo(booking, event=booking.events.count(), by=host, now=TEN)
    assert codes(refused) == ["too_many_hours"]


def test_the_staff_may_let_somebody_stay(policy, desk, alice, host):
    booking = book(desk, alice, TEN, TEN, 4)
    visits.extend(booking, ends_at=TEN + hours(5), by=host, now=TEN)
    refusal(desk, alice, TEN, TEN + hours(6), 0.5)
    assert list(violations(now=TEN)) == []


def test_check_bookings_finds_a_day_that_has_too_much(policy, desk, other, alice, now):
    book(desk, alice, now, TEN, 3)
    extra = book(other, alice, now, TEN + DAY, 3)
    Booking.objects.filter(pk=extra.pk).update(starts_at=TEN, ends_at=TEN + hours(3))
    found = [each for each in violations(now=now) if each.invariant == "hours"]
    assert [each.problem for each in found] == [
        f"6:00:00 on 2026-11-25, and policy {policy.pk} allows 4:00:00"
    ]


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_of_one_member_cannot_exceed_it():
    """Ten places are free; one by one or together, a day of four hours stays one."""
    space = open_space(slug="loft", places=10)
    PolicyFactory.create(space=space, max_minutes_per_day=240)
    alice = UserFactory.create()
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + 2 * DAY
    places = list(space.places.all())
    for day in range(5):
        now, at = datetime.now(UTC), noon + day * DAY
        answers = at_once(
            *[lambda p=place, t=at, n=now: book(p, alice, n, t, 1) for place in places]
        )
        assert sum(isinstance(answer, Refused) for answer in answers) == 6
        held = Booking.objects.of(alice).occupying().filter(starts_at=at)
        assert held.count() == 4
        others = at_once(
            *[
                lambda b=booking, t=at, n=now: move(b, n, t, 2)
                for booking in held.select_related("place", "member")
            ]
        )
        assert all(isinstance(answer, Refused) for answer in others)
    assert list(violations(now=datetime.now(UTC))) == []
