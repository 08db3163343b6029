"""What is refused at once is counted, once it has been rolled back; and never gets in the way."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import Sum

from accounts.factories import UserFactory
from bookings.deciding import choosing, services
from bookings.deciding.errors import BookingError, Refused, SlotTaken, TooLate
from bookings.deciding.wish import PartyWish
from bookings.finding.numbers import numbers
from bookings.finding.stretch import Days
from bookings.models import Booking, RefusalCount
from bookings.tests.acts import TEN, book, hours, move
from bookings.tests.crowd import at_once
from spaces import setups
from spaces.factories import PolicyFactory, open_space

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
    assert "The booking is longer than the space allows.,1\r\n" in file


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
