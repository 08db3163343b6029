"""What is refused at once is counted, once it has been rolled back; and never gets in the way."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum

from accounts.factories import UserFactory
from bookings.deciding import (
    at_doors,
    choosing,
    holds,
    services,
    undoing,
    visits,
    waiting_list,
    walk_ins,
)
from bookings.deciding.errors import BookingError, Refused, SlotTaken, TooLate
from bookings.deciding.walk_ins import Seat
from bookings.deciding.wish import PartyWish
from bookings.finding.numbers import numbers
from bookings.finding.stretch import Days
from bookings.models import Booking, RefusalCount
from bookings.tests.acts import TEN, book, hours, move
from bookings.tests.crowd import at_once
from bookings.tests.door import add
from config.tests.walk import screen_at_a_door
from spaces import setups
from spaces.factories import PolicyFactory, ShiftFactory, open_space
from spaces.models import Shift

pytestmark = pytest.mark.django_db


@pytest.fixture
def other_desk(space):
    return space.places.get(number=2)


def counted(space):
    rows = RefusalCount.objects.filter(space=space).order_by("day", "code")
    found = rows.values_list("day", "code").annotate(Sum("count"))
    return {(f"{day}", code): n for day, code, n in found}


def refuse(call, *args, error=Refused, **kwargs):
    with pytest.raises(error):
        call(*args, **kwargs)


def test_each_reason_of_each_refusal_is_counted(space, desk, other_desk, alice, bob, host, now):
    PolicyFactory.create(space=space, max_minutes=120, cancel_deadline_minutes=600, grace_minutes=0)
    for _ in range(3):
        refuse(book, desk, alice, now, TEN, 3)
    refuse(book, desk, alice, now, TEN + timedelta(days=1), 3, party_size=9)
    booking = book(desk, alice, now, TEN, 1)
    theirs = book(other_desk, bob, now, TEN + timedelta(days=1), 1)
    refuse(move, booking, now, TEN, 3, by=host)
    refuse(services.cancel, booking, by=alice, now=TEN, error=TooLate)
    refuse(move, booking, now, theirs.starts_at, 1, place=other_desk, by=host, error=SlotTaken)
    party = PartyWish(space=space, member=bob, starts_at=TEN, ends_at=TEN + hours(3), kind="DESK")
    refuse(choosing.book_party, party, by=bob, now=now)
    assert counted(space) == {
        ("2026-11-25", "too_late"): 1,
        ("2026-11-25", "too_long"): 5,
        ("2026-11-26", "party_too_large"): 1,
        ("2026-11-26", "slot_taken"): 1,
        ("2026-11-26", "too_long"): 1,
    }


def test_the_numbers_have_them_by_the_local_day_with_what_left_a_booking(
    alice, bob, now, client, django_assert_num_queries
):
    space = open_space(slug="tokyo", time_zone="Asia/Tokyo", opens_at=datetime.min.time())
    desk = space.places.first()
    late = datetime(2026, 11, 25, 16, tzinfo=UTC)  # 1:00 the next day
    refuse(book, desk, alice, now, late, 30)
    assert counted(space) == {("2026-11-26", "too_long"): 1}
    book(desk, alice, now, late, 1)
    assert book(desk, bob, now, late, 1).state == "REJECTED"
    setup = setups.current(space.pk)
    for day, expected in ((25, {}), (26, {"slot_taken": 1, "too_long": 1}), (27, {})):
        on = date(2026, 11, day)
        with django_assert_num_queries(5):
            found = numbers(setup, Days(on, on))
        assert found.refusals == expected
    boss = UserFactory.create(is_superuser=True)
    client.force_login(boss)
    days = {"from": "2026-11-26", "to": "2026-11-26"}
    assert "The booking is longer" in client.get("/staff/tokyo/numbers/", days).text
    file = client.get("/staff/tokyo/numbers/refusals.csv", days).content.decode("utf-8-sig")
    assert "The booking is longer than the space allows.,1,1,0,0,0,0\r\n" in file


def by_door(space):
    rows = RefusalCount.objects.filter(space=space).order_by("door", "code")
    return [(str(door), code, n) for door, code, n in rows.values_list("door", "code", "count")]


def test_the_desk_is_counted_too_and_each_door_is_told_apart(
    space, desk, other_desk, alice, host, now, client
):
    full = ShiftFactory.create(space=space, first_seating=time(8), last_seating=time(20))
    Shift.objects.update(covers_in_house=0)
    guest = {"guest_name": "Rossi", "channel": Booking.Channel.STAFF, "by": host}
    refuse(book, desk, None, now, TEN, 1, **guest)
    seats = {"people": 1, "by": host, "now": TEN, "space": space}
    refuse(walk_ins.seat_one_of, [Seat(desk, TEN + hours(1))], **seats)
    refuse(walk_ins.seat_one_of, [], error=SlotTaken, **seats)
    full.delete()
    here = book(desk, alice, now, TEN, 1)
    book(desk, alice, now, TEN + hours(1), 1)
    refuse(visits.extend, here, ends_at=TEN + hours(2), by=host, now=TEN, error=SlotTaken)
    refuse(visits.extend, here, ends_at=TEN, by=host, now=TEN)
    visits.arrive(here, by=host, now=TEN)
    late = TEN + timedelta(minutes=1)
    refuse(undoing.undo, here, event=2, by=host, now=late, error=TooLate)
    refuse(move, here, TEN, TEN + hours(14), 1, by=host)
    refuse(move, here, TEN, TEN + hours(14), 1, error=TooLate)
    assert by_door(space) == [
        ("DESK", "closed", 1),
        ("DESK", "not_longer", 1),
        ("DESK", "slot_taken", 1),
        ("DESK", "too_late", 1),
        ("ONLINE", "too_late", 1),
        ("PHONE", "pacing_full", 1),
        ("WALK_IN", "pacing_full", 1),
        ("WALK_IN", "slot_taken", 1),
    ]
    client.force_login(host)
    days = {"from": "2026-11-25", "to": "2026-11-25"}
    file = client.get("/staff/loft/numbers/refusals.csv", days).content.decode("utf-8-sig")
    head, *lines = file.splitlines()
    doors = "Online,By phone,Without a booking,Changed by the staff,At a screen"
    assert head == f"Why not,Requests,{doors}"
    assert "Too many people arrive at that time already.,2,0,1,1,0,0" in lines


def test_a_screen_at_a_door_is_a_door(space, desk, bob, now):
    door = screen_at_a_door(space, now)
    book(desk, bob, now, TEN, 1)
    wish = {"door": door, "request_key": uuid4(), "now": TEN}
    refuse(at_doors.use_now, desk, ends_at=TEN + hours(0.5), error=SlotTaken, **wish)
    assert by_door(space) == [("SCREEN", "slot_taken", 1)]


def test_the_waiting_list_is_at_the_door(space, desk, bob, host, now):
    book(desk, bob, now, TEN, 1)
    party = add(space, by=host, now=TEN, party_size=1)
    seat = Seat(desk, TEN + hours(1))
    refuse(holds.tell, party, seat, by=host, now=TEN, error=SlotTaken)
    refuse(waiting_list.seat, party, [seat], by=host, now=TEN, error=SlotTaken)
    assert by_door(space) in (
        [("WALK_IN", "slot_taken", 2)],
        [("WALK_IN", "slot_taken", 1), ("WALK_IN", "slot_taken", 1)],
    )


def test_what_older_processes_count_has_no_door(space, client, host):
    row = {"space": space, "day": date(2026, 11, 25), "code": "closed", "part": 0, "count": 3}
    RefusalCount.objects.create(**row)
    client.force_login(host)
    days = {"from": "2026-11-25", "to": "2026-11-25"}
    file = client.get("/staff/loft/numbers/refusals.csv", days).content.decode("utf-8-sig")
    assert ",At a screen,Not known\r\n" in file
    assert ",3,0,0,0,0,0,3\r\n" in file


def test_what_is_no_wish_for_a_day_fills_no_table(space, desk, alice, now):
    refuse(book, desk, alice, now, TEN + timedelta(days=500), 1)
    refuse(book, desk, alice, now, TEN - timedelta(days=500), 1)
    assert counted(space) == {}


def test_a_count_that_fails_changes_no_answer(space, desk, alice, now, caplog):
    def is_down(execute, sql, *args):
        if "refusalcount" in sql:
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, *args)

    with connection.execute_wrapper(is_down):
        refuse(book, desk, alice, now, TEN, 30)
    assert "could not be counted" in caplog.text
    assert counted(space) == {}


@pytest.mark.django_db(transaction=True)
def test_no_refusal_of_a_crowd_is_lost():
    space = open_space(slug="loft", places=2)
    now = datetime.now(UTC)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=2)
    people, place = UserFactory.create_batch(8), space.places.first()
    for _ in range(5):
        answers = at_once(
            *[lambda who=who: book(place, who, now, noon, 30, party_size=9) for who in people]
        )
        assert all(isinstance(answer, BookingError) for answer in answers)
    day = f"{noon:%Y-%m-%d}"
    assert counted(space) == {(day, "party_too_large"): 40, (day, "too_long"): 40}
    assert not Booking.objects.exists()
    assert not transaction.get_connection().in_atomic_block
