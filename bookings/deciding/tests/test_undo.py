"""Undo: for some minutes after booking, a member may take it back, whatever the deadline."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from bookings.deciding import services
from bookings.deciding.errors import TooLate, WrongState
from bookings.deciding.queueing import decide_next
from bookings.models import Booking
from bookings.states import State
from bookings.tests.acts import TEN, ask, book, hours, move
from notifications.mail.letters import of_event
from notifications.mail.readers import Reader
from spaces.factories import PolicyFactory, open_space

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
LATE = TEN - timedelta(minutes=31)  # the deadline is an hour before


def minutes(n):
    return timedelta(minutes=n)


@pytest.fixture
def strict(space):
    """Anyone who books next is already past the deadline."""
    return PolicyFactory.create(space=space, cancel_deadline_minutes=60)


@pytest.mark.parametrize(
    ("grace", "allowed"), [(None, 5), (1, 1), (20, 20), (40, 40)], ids=str
)  # 40: beyond the start
def test_a_mistake_can_be_undone_for_the_minutes_of_the_policy(strict, desk, alice, grace, allowed):
    strict.grace_minutes = grace
    strict.save()
    end = LATE + minutes(allowed)
    made = book(desk, alice, LATE)
    with pytest.raises(TooLate):
        services.cancel(made, by=alice, now=end + SECOND)
    assert services.cancel(made, by=alice, now=end).state == State.CANCELLED
    assert not made.booked_slots.exists()


def test_without_a_grace_it_is_final_at_once(strict, desk, alice):
    strict.grace_minutes = 0
    strict.save()
    with pytest.raises(TooLate):
        services.cancel(book(desk, alice, LATE), by=alice, now=LATE)


def test_the_shortest_grace_of_several_policies_applies(strict, space, desk, alice):
    PolicyFactory.create(space=space, grace_minutes=10)
    PolicyFactory.create(space=space, kind="DESK", grace_minutes=2)
    made = book(desk, alice, LATE)
    with pytest.raises(TooLate):
        services.cancel(made, by=alice, now=LATE + minutes(3))


def test_it_can_be_moved_within_the_grace_too(strict, desk, alice):
    made = book(desk, alice, LATE)
    assert move(made, LATE + minutes(5), TEN + hours(3)).starts_at == TEN + hours(3)


def test_moving_starts_no_new_grace(strict, desk, space, alice):
    made = book(desk, alice, LATE)
    moved = move(made, LATE + minutes(4), TEN, place=space.places.get(number=2))
    with pytest.raises(TooLate):
        services.cancel(moved, by=alice, now=LATE + minutes(6))


def test_the_grace_never_shortens_the_deadline(strict, desk, alice, now):
    made = book(desk, alice, now)
    assert services.cancel(made, by=alice, now=TEN - hours(1)).state == State.CANCELLED


def test_past_bookings_cannot_be_undone(strict, desk, alice):
    strict.grace_minutes = 24 * 60
    strict.save()
    made = book(desk, alice, LATE)
    with pytest.raises(WrongState):
        services.cancel(made, by=alice, now=made.ends_at)


def test_a_queued_booking_has_its_grace_from_the_decision(strict, desk, alice):
    ask(desk, alice, LATE - minutes(20))
    decide_next(now=LATE)
    made = Booking.objects.get()
    assert made.state == State.CONFIRMED
    assert services.cancel(made, by=alice, now=LATE + minutes(5)).state == State.CANCELLED


def test_the_mail_names_the_same_minute(strict, desk, alice):
    made = book(desk, alice, LATE)
    event = made.events.get()
    said = of_event(event, to=Reader.of_member(made, alice), now=LATE).afterwards
    assert said == ("A mistake? You can undo or move it until Wed 25 Nov, 9:34.",)
    assert of_event(event, to=Reader.of_member(made, alice), now=LATE + minutes(6)).afterwards == ()


# --- Page and API


@pytest.fixture
def late(alice):
    """A desk in a space with a day's deadline, where people can book for the next hour."""
    midnight = timezone.now().min.time()
    space = open_space(
        slug="strict", opens_at=midnight, closes_at=midnight, phone="+1 555 0100", email="a@b.io"
    )
    PolicyFactory.create(space=space, cancel_deadline_minutes=24 * 60)
    return space.places.get(number=1)


@pytest.fixture
def next_hour(clock):
    """Let time stand still: a full hour, or five minutes, may pass during a test."""
    return clock.now.replace(minute=0, second=0, microsecond=0) + hours(1)


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    return client


def wish(place, starts_at):
    return {
        "place": place.code,
        "starts_at": f"{starts_at:%Y-%m-%dT%H:%M}",
        "ends_at": f"{starts_at + hours(1):%Y-%m-%dT%H:%M}",
        "party_size": 1,
    }


def test_one_click_books_and_one_click_undoes(member, late, next_hour):
    ticket = member.post("/bookings/", wish(late, next_hour), follow=True).text
    assert "A mistake? You can undo or move it until" in ticket
    form = re.search(r'<form method="post" action="([^"]+/cancel/)".*?>Undo<', ticket, re.DOTALL)
    cancelled = member.post(form[1], follow=True).text
    assert "Cancelled: Desk 1" in cancelled
    assert Booking.objects.get().state == State.CANCELLED


def test_after_the_grace_the_ticket_says_whom_to_ask(member, late, next_hour):
    member.post("/bookings/", wish(late, next_hour))
    Booking.objects.update(decided_at=timezone.now() - minutes(6))
    made = Booking.objects.get()
    ticket = member.get(made.get_absolute_url()).text
    assert "Undo" not in ticket
    assert "It is too late to move or cancel this booking here." in ticket
    assert 'href="tel:+15550100"' in ticket
    refused = member.post(f"{made.get_absolute_url()}cancel/", follow=True).text
    assert "Please ask the staff: +1 555 0100, a@b.io" in refused
    assert Booking.objects.get().state == State.CONFIRMED


def test_a_moved_booking_is_cancelled_not_undone(member, late, next_hour):
    member.post("/bookings/", wish(late, next_hour))
    made = Booking.objects.get()
    other = late.space.places.get(number=2)
    member.post(f"{made.get_absolute_url()}reschedule/", wish(other, next_hour))
    ticket = member.get(made.get_absolute_url()).text
    assert "You can move or cancel it until" in ticket
    assert f'href="{made.get_absolute_url()}cancel/"' in ticket
    assert ">Undo<" not in ticket


@pytest.mark.parametrize(
    ("grace", "said"),
    [
        (None, "Can’t be cancelled later than 5 minutes after booking"),
        (0, "Can’t be cancelled once booked"),
    ],
)
def test_cards_say_before_the_click_what_is_final(member, late, next_hour, grace, said):
    late.space.policies.update(grace_minutes=grace)
    board = late.space.get_absolute_url()
    chosen = {"date": f"{next_hour:%Y-%m-%d}", "from": f"{next_hour:%H:%M}", "place": late.code}
    until = next_hour + hours(1)
    page = member.get(board, chosen | {"to": f"{until:%H:%M}" if until.hour else "24:00"}).text
    assert page.count(said) == 3  # of three desks
    later = next_hour + hours(48)
    page = member.get(board, {"date": f"{later:%Y-%m-%d}", "from": "12:00", "to": "13:00"}).text
    assert "Cancel until" in page
    assert said not in page


def test_programs_may_within_the_grace_and_are_told_of_it(member, late, next_hour):
    rules = member.get("/api/v1/spaces/strict").json()["rules"]
    assert rules[0]["grace_minutes"] == 5
    member.post("/bookings/", wish(late, next_hour))
    path = f"/api/v1/bookings/{Booking.objects.get().code}"
    Booking.objects.update(decided_at=timezone.now() - minutes(6))
    answer = member.delete(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_late")
    assert "+1 555 0100" in answer.json()["detail"]
    Booking.objects.update(decided_at=timezone.now() - minutes(4))
    assert member.delete(path).json()["state"] == "CANCELLED"
