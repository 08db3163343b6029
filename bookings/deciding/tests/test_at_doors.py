"""What may be done at a door, and by which screen."""

from datetime import time, timedelta
from threading import Thread
from uuid import uuid4

import pytest
from django.db import connection

from bookings.deciding import at_doors, door_keys, services, visits
from bookings.deciding.errors import NotStaff, Refused, SlotTaken, WrongState
from bookings.deciding.invariants import violations
from bookings.doors import DoorView
from bookings.finding.at_doors import screen
from bookings.models import BookedSlot, Booking
from bookings.states import State
from bookings.tests.acts import TEN, book, codes, hours
from spaces import setups
from spaces.factories import ClosureFactory, PolicyFactory, ShiftFactory, open_space
from spaces.slots import floor

MINUTE = timedelta(minutes=1)
#: Seven past ten, on the day of `now`.
THEN = TEN + 7 * MINUTE
KINDS = ["CONFIRMED", "CHECKED_IN"]


def make(space, now, *places, **may):
    allowed = {"shows_names": True, "may_check_in": True, "may_walk_in": True, **may}
    return door_keys.make(
        space, name="Room 1", places=list(places), language="en", code=uuid4(), now=now, **allowed
    )


@pytest.fixture
def door(space, desk, now):
    return make(space, now, desk)[0]


def use(place, door, now=THEN, minutes=30, key=None):
    return at_doors.use_now(
        place,
        ends_at=floor(now) + minutes * MINUTE,
        door=door,
        request_key=key or uuid4(),
        now=now,
    )


def events(booking):
    found = booking.events.order_by("sequence")
    return list(found.values_list("kind", "actor", "reason"))


# --- Checking in


def test_check_in_at_the_door_is_one_event_that_names_the_screen(desk, alice, door, now):
    booking = book(desk, alice, now)
    for _ in range(2):  # a second press changes nothing
        found = at_doors.check_in(booking, door=door, now=THEN)
        assert (found.state, found.checked_in_at) == (State.CHECKED_IN, THEN)
    assert events(booking)[1:] == [("CHECKED_IN", None, "Room 1")]
    assert not [*violations(now=THEN)]


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (-16, "Check-in opens on Wed 25 Nov, 9:45"),
        (-15, None),
        (0, None),
        (119, None),
        (120, "over"),
    ],
)
def test_from_a_quarter_hour_before_until_the_end(desk, alice, door, now, minutes, words):
    booking, at = book(desk, alice, now), TEN + minutes * MINUTE
    if words is None:
        at_doors.check_in(booking, door=door, now=at)
    else:
        with pytest.raises(WrongState, match=words):
            at_doors.check_in(booking, door=door, now=at)
    booking.refresh_from_db()
    assert (booking.state == State.CHECKED_IN) == (words is None)


@pytest.mark.parametrize(
    ("opens", "minutes", "may"), [(60, -60, True), (60, -61, False), (5, -6, False)]
)
def test_where_a_rule_says_when_check_in_opens_it_does_so_at_the_door(
    space, desk, alice, door, now, opens, minutes, may
):
    PolicyFactory(space=space, check_in_opens_minutes=opens)
    booking, at = book(desk, alice, now), TEN + minutes * MINUTE
    [line] = screen(door, setups.current(space.pk), now=at).lines
    assert [visit.can_check_in for visit in line.next] == [may]
    if may:
        assert at_doors.check_in(booking, door=door, now=at).state == State.CHECKED_IN
    else:
        with pytest.raises(WrongState, match="Check-in opens"):
            at_doors.check_in(booking, door=door, now=at)


def test_nobody_checks_in_to_what_was_cancelled(desk, alice, door, now):
    booking = book(desk, alice, now)
    services.cancel(booking, by=alice, now=now)
    with pytest.raises(WrongState, match="already cancelled"):
        at_doors.check_in(booking, door=door, now=THEN)


def test_no_screen_checks_in_next_door(space, alice, door, now):
    booking = book(space.places.get(number=2), alice, now)
    with pytest.raises(NotStaff, match="another place"):
        at_doors.check_in(booking, door=door, now=THEN)


def test_a_part_shows_and_checks_in_the_whole(space, desk, alice, door, now):
    hall = space.places.create(number=9, kind="ROOM", capacity=9)
    hall.parts.set([desk, space.places.get(number=2)])
    booking = book(hall, alice, now)
    assert at_doors.check_in(booking, door=door, now=THEN).state == State.CHECKED_IN


# --- Taking a free place


def test_a_free_place_is_taken_for_half_an_hour(desk, door):
    booking = use(desk, door)
    assert (booking.starts_at, booking.ends_at) == (TEN, TEN + 30 * MINUTE)
    assert (booking.state, booking.channel) == (State.CHECKED_IN, "WALK_IN")
    assert booking.seated_at == booking.checked_in_at == THEN
    assert events(booking) == [("CONFIRMED", None, "Room 1"), ("SEATED", None, "Room 1")]
    assert BookedSlot.objects.filter(place=desk).count() == 2
    assert not [*violations(now=THEN)]


def test_walk_ins_at_doors_and_the_staff_s_are_numbered_together(space, desk, host, now):
    second, third = space.places.get(number=2), space.places.get(number=3)
    screens = make(space, now, desk, third)[0]
    assert use(desk, screens).guest_name == "Walk-in 1"
    seated = visits.walk_in(second, party_size=1, ends_at=TEN + hours(1), by=host, now=THEN)
    assert seated.guest_name == "Walk-in 2"
    assert use(third, screens).guest_name == "Walk-in 3"


def test_a_door_lets_no_more_in_than_may_arrive(space, desk, door, now):
    ShiftFactory(space=space, first_seating=time(8), last_seating=time(20), covers_in_house=0)
    [line] = screen(door, setups.current(space.pk), now=THEN).lines
    assert line.use_until is None
    with pytest.raises(Refused) as refused:
        use(desk, door)
    assert codes(refused) == ["pacing_full"]


def test_half_an_hour_is_whole(desk):
    assert at_doors.latest_end(THEN) == TEN + 45 * MINUTE
    assert at_doors.latest_end(TEN) == TEN + 30 * MINUTE


def test_no_longer_than_that(desk, door):
    with pytest.raises(Refused) as refused:
        use(desk, door, minutes=60)
    assert codes(refused) == ["too_long"]


def test_two_presses_take_it_once(desk, door):
    key = uuid4()
    assert use(desk, door, key=key).pk == use(desk, door, key=key).pk
    assert Booking.objects.count() == 1


def test_the_same_key_at_another_screen_is_another_wish(space, desk, door, now):
    key, second = uuid4(), space.places.get(number=2)
    other = make(space, now, second)[0]
    assert use(desk, door, key=key).pk != use(second, other, key=key).pk


def test_somebody_else_has_it(desk, alice, door, now):
    book(desk, alice, now)
    with pytest.raises(SlotTaken):
        use(desk, door)
    assert Booking.objects.count() == 1


def test_not_into_the_next_booking(desk, alice, door, now):
    book(desk, alice, now, TEN + 15 * MINUTE * 4)
    assert use(desk, door, TEN + 46 * MINUTE, minutes=15).ends_at == TEN + hours(1)
    with pytest.raises(SlotTaken):
        use(desk, door, TEN + 46 * MINUTE, minutes=30)


def test_closed_is_closed_at_the_door_too(space, desk, door):
    ClosureFactory.create(space=space, starts_at=TEN, ends_at=TEN + hours(1))
    with pytest.raises(Refused) as refused:
        use(desk, door)
    assert codes(refused) == ["closed"]


def test_not_another_place(space, door, now):
    with pytest.raises(NotStaff, match="other places"):
        use(space.places.get(number=2), door)
    elsewhere = open_space(slug="elsewhere", places=1).places.get()
    everywhere = make(space, now)[0]
    with pytest.raises(NotStaff, match="other places"):
        use(elsewhere, everywhere)


# --- What a screen may


def test_a_screen_does_what_it_may_and_nothing_else(space, desk, alice, now):
    booking = book(desk, alice, now)
    looks = make(space, now, desk, may_check_in=False, may_walk_in=False)[0]
    with pytest.raises(NotStaff):
        at_doors.check_in(booking, door=looks, now=THEN)
    with pytest.raises(NotStaff):
        use(desk, looks, TEN + hours(3))
    checks_in = make(space, now, desk, may_walk_in=False)[0]
    with pytest.raises(NotStaff):
        use(desk, checks_in, TEN + hours(3))
    takes = make(space, now, desk, may_check_in=False)[0]
    with pytest.raises(NotStaff):
        at_doors.check_in(booking, door=takes, now=THEN)


def test_what_was_revoked_while_somebody_pressed_may_nothing(desk, alice, door, now):
    booking = book(desk, alice, now)
    door_keys.revoke(DoorView.objects.get(pk=door.pk))
    with pytest.raises(NotStaff):
        at_doors.check_in(booking, door=door, now=THEN)
    with pytest.raises(NotStaff):
        use(desk, door, TEN + hours(3))


def test_a_hidden_space_has_no_screens(space, desk, door, now):
    type(space).objects.update(is_active=False)
    with pytest.raises(NotStaff):
        use(desk, door)


def test_a_place_that_is_gone_does_not_make_it_a_screen_of_all(space, desk, door):
    assert door.shows(desk)
    door.places = []
    assert not any(map(door.shows, space.places.all()))


# --- Keys


def test_only_the_hash_of_a_key_is_stored(space, now):
    made, key = make(space, now)
    assert door_keys.find(key) == made
    assert len(key) >= 43  # 256 bits
    assert key not in str(list(DoorView.objects.values()))
    assert door_keys.find(key[:-1]) is None
    assert door_keys.find("") is None
    door_keys.revoke(made)
    assert door_keys.find(key) is None


def test_asking_twice_makes_one(space, now):
    code = uuid4()
    given = {"name": "A", "places": [], "language": "en", "code": code, "now": now}
    may = {"shows_names": False, "may_check_in": False, "may_walk_in": False}
    door_keys.make(space, **given, **may)
    with pytest.raises(door_keys.AlreadyMade):
        door_keys.make(space, **given, **may)


def test_a_space_has_a_limited_number(space, now, monkeypatch):
    monkeypatch.setattr(door_keys, "MOST", 1)
    make(space, now)
    with pytest.raises(door_keys.TooManyDoors, match="1 screens"):
        make(space, now)


@pytest.mark.django_db(transaction=True)
def test_of_many_screens_one_gets_the_place(space, desk, now):
    """All press at once: one visit, and slots for no other."""
    doors = [make(space, now, desk)[0] for _ in range(6)]
    found = []

    def press(door):
        try:
            found.append(use(desk, door).pk)
        except SlotTaken:
            found.append(None)
        finally:
            connection.close()

    presses = [Thread(target=press, args=[door]) for door in doors]
    for each in presses:
        each.start()
    for each in presses:
        each.join()
    assert len(found) == 6
    assert sorted(map(bool, found)) == [False] * 5 + [True]
    assert Booking.objects.count() == 1
    assert not [*violations(now=THEN)]
