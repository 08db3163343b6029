"""How many people may begin in one quarter hour: every door counts, and nothing is given back."""

from datetime import time, timedelta

import pytest

from bookings.deciding import pacing, services, undoing, visits
from bookings.deciding.errors import Refused
from bookings.deciding.invariants import violations
from bookings.deciding.queueing import decide_next
from bookings.deciding.wish import Wish
from bookings.finding.walking_in import spots, too_many
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, book, hours
from spaces import setups
from spaces.factories import PolicyFactory, ShiftFactory
from spaces.models import Place, Shift

pytestmark = pytest.mark.django_db


@pytest.fixture
def shift(space, now):
    """Three people online and two in house may begin in a quarter hour."""
    Place.objects.filter(space=space).update(capacity=4)
    PolicyFactory(space=space, step_minutes=15)
    made = ShiftFactory(
        space=space,
        first_seating=time(8),
        last_seating=time(20),
        covers_online=3,
        covers_in_house=2,
    )
    Shift.objects.update(changed_at=now - timedelta(days=1))
    return made


def table(space, number):
    return space.places.get(number=number)


def why(call):
    with pytest.raises(Refused) as refused:
        call()
    return [problem.code for problem in refused.value.problems]


def test_no_more_than_the_limit_begin_together(shift, space, alice, bob, now):
    book(table(space, 1), alice, now, party_size=2)
    assert why(lambda: book(table(space, 2), bob, now, party_size=2)) == ["pacing_full"]
    book(table(space, 2), bob, now, party_size=1)
    book(table(space, 3), bob, now, starts_at=TEN + hours(0.25), party_size=3)
    assert list(violations(now=now)) == []


@pytest.mark.parametrize("gone", ["cancelled", "moved", "not come"])
def test_who_goes_is_counted_no_more(shift, space, alice, bob, host, now, gone):
    first = book(table(space, 1), alice, now, party_size=3)
    if gone == "cancelled":
        services.cancel(first, by=alice, now=now)
    elif gone == "moved":
        later = {"starts_at": TEN + hours(1), "ends_at": TEN + hours(2)}
        services.reschedule(first, place=first.place, **later, by=alice, now=now)
    else:
        visits.no_show(first, by=host, now=TEN + timedelta(minutes=5))
    assert book(table(space, 2), bob, now, party_size=3).state == State.CONFIRMED


def test_moving_to_a_full_time_is_refused_and_staying_is_not(shift, space, alice, bob, now):
    book(table(space, 1), alice, now, party_size=3)
    later = book(table(space, 2), bob, now, starts_at=TEN + hours(1), party_size=2)
    to_ten = {"starts_at": TEN, "ends_at": TEN + hours(1)}
    move = {"place": table(space, 2), "by": bob, "now": now}
    assert why(lambda: services.reschedule(later, **move, **to_ten)) == ["pacing_full"]
    Shift.objects.update(covers_online=1)  # those who are there stay, at another table too
    stay = {"starts_at": later.starts_at, "ends_at": later.ends_at}
    moved = services.reschedule(later, **{**move, "place": table(space, 3)}, **stay)
    assert moved.place == table(space, 3)
    assert why(lambda: services.reschedule(later, **move, **stay, party_size=3)) == ["pacing_full"]


def test_what_was_asked_for_before_is_decided_by_the_same_count(shift, space, alice, bob, now):
    book(table(space, 1), alice, now, party_size=3)
    place, ends_at = table(space, 2), TEN + hours(1)
    wish = Wish(place=place, member=bob, starts_at=TEN, ends_at=ends_at, party_size=1)
    queued = services.request(wish, by=bob, now=now)
    decide_next(now=now)
    queued.refresh_from_db()
    assert (queued.state, queued.problems) == (State.REJECTED, ["pacing_full"])


def test_the_house_has_a_limit_of_its_own(shift, space, alice, host, now):
    book(table(space, 1), alice, now, party_size=3)
    staff = {"by": host, "guest_name": "Ivan", "channel": Booking.Channel.STAFF}
    book(table(space, 2), None, now, party_size=2, **staff)
    assert why(lambda: book(table(space, 3), None, now, party_size=1, **staff)) == ["pacing_full"]


AT = TEN + timedelta(minutes=3)


def walk_in(place, host, people, **kwargs):
    return visits.walk_in(
        place, party_size=people, ends_at=TEN + hours(1), by=host, now=AT, **kwargs
    )


def test_walk_ins_count_and_the_staff_are_warned(shift, space, host, now):
    setup = setups.current(space.pk)
    assert too_many(setup, people=2, now=AT) == ""
    walk_in(table(space, 1), host, 2)
    assert too_many(setup, people=1, now=AT) == "Too many people arrive at 10:00 already."
    assert len(spots(setup, people=1, now=AT)) == 2  # they may be seated all the same
    assert why(lambda: walk_in(table(space, 2), host, 1)) == ["pacing_full"]


def test_the_staff_may_seat_more_and_the_event_says_so(shift, space, host, now):
    first = walk_in(table(space, 1), host, 2, over_pacing=True)
    more = walk_in(table(space, 2), host, 3, over_pacing=True)
    told = [booking.events.get(sequence=1).data["problems"] for booking in (first, more)]
    assert told == [[], ["pacing_full"]]
    assert list(violations(now=AT)) == []
    # The limit is as it was for everybody else.
    assert why(lambda: walk_in(table(space, 3), host, 1)) == ["pacing_full"]


def test_whom_they_let_in_can_come_back(shift, space, host, now):
    walk_in(table(space, 1), host, 2)
    more = walk_in(table(space, 2), host, 3, over_pacing=True)
    visits.leave(more, by=host, now=AT)
    back = undoing.undo(more, event=3, by=host, now=AT)
    assert back.state == State.CHECKED_IN
    assert list(violations(now=AT)) == []


def test_what_was_written_past_the_services_is_found(shift, space, alice, now):
    book(table(space, 1), alice, now, party_size=3)
    Booking.objects.update(party_size=4)
    found = [each for each in violations(now=now) if each.invariant == "pacing"]
    [problem] = found
    assert problem.problem == f"4 people begin at {TEN.isoformat()} online, and 3 may"


def test_staff_and_walk_ins_are_in_house():
    in_house = {channel for channel in Booking.Channel if pacing.is_in_house(channel)}
    assert in_house == {"STAFF", "WALK_IN"}


def test_a_shift_may_be_stricter_than_the_day(shift, space, alice, now):
    PolicyFactory(space=space, shift=shift, max_minutes=60)
    assert why(lambda: book(table(space, 1), alice, now, length=2)) == ["too_long"]
    Shift.objects.update(first_seating=time(11))
    Shift.objects.update(weekdays="0")  # Wednesday has no shifts any more
    assert book(table(space, 1), alice, now, length=2).state == State.CONFIRMED
