"""The day itself: arrived, seated, left, no-show, extended, walked in; the services first."""

from datetime import timedelta

import pytest

from accounts.factories import StaffRoleFactory
from bookings.deciding import services, visits
from bookings.deciding.errors import NotStaff, Refused, SlotTaken, WrongState
from bookings.deciding.invariants import violations
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, ask, book, codes, hours
from spaces.factories import PlaceFactory, PolicyFactory

pytestmark = pytest.mark.django_db

TWELVE = TEN + hours(2)


def minutes(n):
    return timedelta(minutes=n)


@pytest.fixture
def booking(desk, alice, now):
    """Alice, desk 1, 10–12."""
    return book(desk, alice, now)


def told(booking):
    events = booking.events.order_by("sequence")
    return [(event.kind, event.data["state"]) for event in events]


def check(booking, now):
    """Return the booking as it is stored; all invariants hold."""
    assert list(violations(now=now)) == []
    return Booking.objects.get(pk=booking.pk)


def test_who_arrives_is_checked_in_and_keeps_the_place(booking, host):
    visits.arrive(booking, by=host, now=TEN - minutes(5))
    stored = check(booking, TEN)
    assert (stored.state, stored.checked_in_at) == (State.CHECKED_IN, TEN - minutes(5))
    assert stored.booked_slots.count() == 8
    assert told(booking) == [("CONFIRMED", "CONFIRMED"), ("CHECKED_IN", "CHECKED_IN")]
    assert booking.events.get(sequence=2).actor == host


def test_who_is_seated_has_arrived_too(booking, host):
    visits.seat(booking, by=host, now=TEN)
    stored = check(booking, TEN)
    assert stored.state == State.CHECKED_IN
    assert stored.checked_in_at == stored.seated_at == TEN
    assert told(booking)[1:] == [("SEATED", "CHECKED_IN")]


def test_arriving_and_being_seated_are_two_moments(booking, host):
    visits.seat(visits.arrive(booking, by=host, now=TEN), by=host, now=TEN + minutes(5))
    stored = check(booking, TEN)
    assert (stored.checked_in_at, stored.seated_at) == (TEN, TEN + minutes(5))


@pytest.mark.parametrize(
    ("left", "ends_at"),
    [
        (minutes(-10), minutes(15)),  # before it even began: a booking lasts one quarter at least
        (minutes(0), minutes(15)),
        (minutes(3), minutes(15)),
        (minutes(15), minutes(15)),
        (minutes(46), minutes(60)),
        (minutes(119), minutes(120)),
        (minutes(130), minutes(120)),  # no worker has completed it yet
    ],
)
def test_who_leaves_gives_back_the_rest(booking, desk, host, left, ends_at):
    visits.arrive(booking, by=host, now=TEN - minutes(15))
    visits.leave(booking, by=host, now=TEN + left)
    stored = check(booking, TEN)
    assert (stored.state, stored.ends_at) == (State.COMPLETED, TEN + ends_at)
    assert stored.booked_slots.count() == 0
    assert told(booking)[-1] == ("COMPLETED", "COMPLETED")


def test_the_quarter_hour_that_is_running_is_free_too(booking, desk, host):
    visits.seat(booking, by=host, now=TEN)
    visits.leave(booking, by=host, now=TEN + minutes(31))
    next_one = visits.walk_in(desk, party_size=1, ends_at=TWELVE, by=host, now=TEN + minutes(32))
    assert next_one.starts_at == TEN + minutes(30)
    check(next_one, TEN)


def test_who_never_was_marked_as_arrived_can_leave(booking, host):
    with pytest.raises(WrongState, match="hasn’t begun"):
        visits.leave(booking, by=host, now=TEN - minutes(1))
    visits.leave(booking, by=host, now=TEN + minutes(20))
    assert check(booking, TEN).state == State.COMPLETED


def test_a_no_show_gives_the_place_back_that_second(booking, desk, bob, host):
    with pytest.raises(WrongState, match="hasn’t begun"):
        visits.no_show(booking, by=host, now=TEN - minutes(1))
    visits.no_show(booking, by=host, now=TEN)
    stored = check(booking, TEN)
    assert (stored.state, stored.ends_at) == (State.NO_SHOW, TWELVE)
    assert book(desk, bob, TEN, TEN).state == State.CONFIRMED


def test_who_is_here_is_no_no_show(booking, host):
    visits.arrive(booking, by=host, now=TEN)
    with pytest.raises(WrongState, match="already checked in"):
        visits.no_show(booking, by=host, now=TEN + minutes(1))


def test_an_extension_takes_the_slots_that_follow(booking, host):
    visits.extend(booking, ends_at=TWELVE + minutes(45), by=host, now=TEN)
    stored = check(booking, TEN)
    assert (stored.state, stored.ends_at) == (State.CONFIRMED, TWELVE + minutes(45))
    assert stored.booked_slots.count() == 11
    assert told(booking)[-1] == ("EXTENDED", "CONFIRMED")


def test_an_extension_into_somebody_elses_time_keeps_the_old_one(booking, desk, bob, host, now):
    book(desk, bob, now, TWELVE + hours(1))
    visits.arrive(booking, by=host, now=TEN)
    with pytest.raises(SlotTaken):
        visits.extend(booking, ends_at=TWELVE + hours(1) + minutes(15), by=host, now=TEN)
    assert check(booking, TEN).ends_at == TWELVE
    visits.extend(booking, ends_at=TWELVE + hours(1), by=host, now=TEN)
    assert check(booking, TEN).state == State.CHECKED_IN


@pytest.mark.parametrize(
    ("ends_at", "code"),
    [
        (TWELVE, "not_longer"),
        (TWELVE - minutes(15), "not_longer"),
        (TWELVE + minutes(7), "off_grid"),
        (TEN + hours(12) + minutes(15), "closed"),
        (TEN + hours(25), "too_long"),
        (TEN.replace(year=9999), "too_far_ahead"),
    ],
)
def test_an_extension_obeys_the_rules_of_the_house(booking, host, ends_at, code):
    with pytest.raises(Refused) as refused:
        visits.extend(booking, ends_at=ends_at, by=host, now=TEN)
    assert codes(refused) == [code]
    assert check(booking, TEN).ends_at == TWELVE


def test_how_long_people_stay_is_for_the_house_to_say(space, booking, host):
    PolicyFactory.create(space=space, max_minutes=120, step_minutes=60)
    assert visits.extend(booking, ends_at=TWELVE + minutes(15), by=host, now=TEN)


def test_a_combination_is_extended_as_a_whole(space, alice, bob, host, now):
    hall = PlaceFactory.create(space=space, number=10, capacity=4)
    hall.parts.set(space.places.filter(number__in=[1, 2]))
    booking = book(hall, alice, now)
    visits.extend(booking, ends_at=TWELVE + minutes(15), by=host, now=TEN)
    assert check(booking, TEN).booked_slots.count() == 18
    book(space.places.get(number=2), bob, now, TWELVE + hours(1))
    with pytest.raises(SlotTaken):
        visits.extend(booking, ends_at=TWELVE + hours(2), by=host, now=TEN)


VERBS = {
    "arrive": visits.arrive,
    "seat": visits.seat,
    "leave": visits.leave,
    "no_show": visits.no_show,
    "extend": lambda booking, **act: visits.extend(booking, ends_at=TWELVE + hours(1), **act),
}


@pytest.mark.parametrize("verb", VERBS)
def test_only_staff_of_the_space_may(booking, alice, bob, verb):
    stranger = StaffRoleFactory.create(role="MANAGER").user
    for person in (alice, bob, stranger):
        with pytest.raises(NotStaff):
            VERBS[verb](booking, by=person, now=TEN)
    assert booking.events.count() == 1


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", ["CREATED", "REJECTED", "CANCELLED", "COMPLETED", "NO_SHOW"])
def test_what_holds_no_place_stays_as_it_is(desk, alice, bob, host, now, verb, state):
    if state == "CREATED":
        booking = ask(desk, alice, now)
    else:
        if state == "REJECTED":
            book(desk, bob, now)
        booking = book(desk, alice, now)
    if state == "CANCELLED":
        services.cancel(booking, by=host, now=now)
    if state == "COMPLETED":
        visits.leave(booking, by=host, now=TEN)
    if state == "NO_SHOW":
        visits.no_show(booking, by=host, now=TEN)
    events = booking.events.count()
    with pytest.raises(WrongState):
        VERBS[verb](booking, by=host, now=TEN + minutes(1))
    assert booking.events.count() == events
    assert check(booking, TEN).state == state


@pytest.mark.parametrize("verb", ["arrive", "seat"])
def test_nobody_arrives_twice_or_on_another_day(booking, host, verb):
    with pytest.raises(WrongState, match="another day"):
        VERBS[verb](booking, by=host, now=TEN - hours(13))
    with pytest.raises(WrongState, match="over"):
        VERBS[verb](booking, by=host, now=TWELVE)
    VERBS[verb](booking, by=host, now=TEN)
    with pytest.raises(WrongState, match="already"):
        VERBS[verb](booking, by=host, now=TEN)


def test_a_worker_completes_who_is_still_there_at_the_end(booking, host):
    visits.seat(booking, by=host, now=TEN)
    assert services.complete_past(now=TWELVE) == 1
    stored = check(booking, TWELVE)
    assert (stored.state, stored.seated_at) == (State.COMPLETED, TEN)


class TestWalkIn:
    def test_it_is_booked_and_seated_at_once(self, desk, host):
        at = TEN + minutes(7)
        visit = visits.walk_in(desk, party_size=1, ends_at=TEN + minutes(45), by=host, now=at)
        stored = check(visit, at)
        assert (stored.state, stored.starts_at, stored.seated_at) == (State.CHECKED_IN, TEN, at)
        assert (stored.guest_name, stored.channel) == ("Walk-in 1", "WALK_IN")
        assert told(visit) == [("CONFIRMED", "CONFIRMED"), ("SEATED", "CHECKED_IN")]

    def test_they_are_numbered_by_the_day(self, space, desk, host):
        other = space.places.get(number=2)
        for place, at in ((desk, TEN), (other, TEN), (desk, TEN + hours(24))):
            visits.walk_in(place, party_size=1, ends_at=at + minutes(30), by=host, now=at)
        names = list(Booking.objects.order_by("pk").values_list("guest_name", flat=True))
        assert names == ["Walk-in 1", "Walk-in 2", "Walk-in 1"]

    def test_a_name_and_a_key_are_kept(self, desk, host):
        sent = {"party_size": 1, "ends_at": TWELVE, "by": host, "request_key": "k"}
        first = visits.walk_in(desk, guest_name=" Mrs Rossi ", now=TEN, **sent)
        again = visits.walk_in(desk, guest_name="Mrs Rossi", now=TEN + minutes(16), **sent)
        assert (first.guest_name, first.code) == ("Mrs Rossi", again.code)

    def test_until_the_next_one_and_not_a_minute_longer(self, desk, alice, host, now):
        book(desk, alice, now, TWELVE)
        sent = {"party_size": 1, "by": host, "now": TEN}
        with pytest.raises(SlotTaken):
            visits.walk_in(desk, ends_at=TWELVE + minutes(15), **sent)
        assert Booking.objects.count() == 1
        visits.walk_in(desk, ends_at=TWELVE, **sent)

    @pytest.mark.parametrize(
        ("sent", "code"),
        [
            ({"party_size": 5}, "party_too_large"),
            ({"ends_at": TEN}, "ends_before_start"),
            ({"ends_at": TEN + hours(13)}, "closed"),
        ],
    )
    def test_the_rules_of_the_house_apply(self, desk, host, sent, code):
        asked = {"party_size": 1, "ends_at": TWELVE, "by": host, "now": TEN} | sent
        with pytest.raises(Refused) as refused:
            visits.walk_in(desk, **asked)
        assert codes(refused) == [code]

    def test_only_staff_seat_them(self, desk, alice):
        with pytest.raises(NotStaff):
            visits.walk_in(desk, party_size=1, ends_at=TWELVE, by=alice, now=TEN)
