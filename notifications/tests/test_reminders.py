"""A reminder before the start: once, at its time, and only if it still holds."""

from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.utils import timezone

from accounts.factories import UserFactory
from accounts.services import change
from bookings.deciding import services
from bookings.deciding.leaving import leave
from bookings.states import State
from bookings.tests.acts import ask, book, hours, local, move
from bookings.tests.crowd import at_once
from config.tests.processes import PATIENCE
from notifications import reminders as under_test
from notifications.mail.post import Post
from notifications.mail.sending import deliver_mail
from notifications.models import Delivery, Endpoint
from notifications.outcomes import Delivered
from notifications.preferences import choose_reminders
from notifications.relay import fan_out
from notifications.reminders import remind
from notifications.tests.inbox import calendars, html, sent, text
from notifications.tests.smtp import receiving
from spaces.factories import PolicyFactory, open_space
from spaces.models import Space

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

MINUTE = timedelta(minutes=1)


@pytest.fixture
def starts_at(tverskaya):
    """Saturday at one in Moscow; `now` is Wednesday."""
    return local(tverskaya, "2026-11-28T13:00")


@pytest.fixture
def booking(desk_12, anna, now, starts_at):
    """Made, and confirmed by mail, days ahead."""
    found = book(desk_12, anna, now, starts_at)
    sent(now)
    return found


def reminders():
    return Delivery.objects.filter(purpose="REMINDER")


# --- What it says ---------------------------------------------------------------------------------


def test_a_reminder_says_when_where_and_until_when_it_can_be_cancelled(booking, starts_at, now):
    PolicyFactory.create(space=booking.place.space, cancel_deadline_minutes=120)
    [message] = sent(starts_at - hours(24))
    assert message["To"] == "anna@example.org"
    assert message["Subject"] == "Tomorrow 13:00–15:00 · Desk 12"
    told, unsubscribe = text(message).split("Don’t remind me any more: ")
    assert told == (
        "Tomorrow 13:00–15:00 · Desk 12\n"
        "\n"
        "Place: Desk 12\n"
        "When: Sat 28 Nov, 13:00–15:00 (Moscow time)\n"
        "Where: Tverskaya Coworking (Tverskaya 1)\n"
        "People: 1\n"
        "\n"
        "If you can’t come, cancel it: somebody else may need the place.\n"
        "You can move or cancel it until Sat 28 Nov, 11:00.\n"
        "\n"
        f"Open the booking: https://mesto.example/bookings/{booking.code}/\n"
        "\n"
        "-- \n"
        "Mesto writes to you about your bookings at Tverskaya Coworking.\n"
    )
    assert unsubscribe.startswith("https://mesto.example/mail/unsubscribe/")
    assert calendars(message) == []  # the booking is in the calendar already


def test_a_reminder_in_russian(booking, anna, starts_at):
    change(anna, language="ru")
    [message] = sent(starts_at - hours(24))
    assert message["Subject"] == "Завтра 13:00–15:00 · Стол 12"
    assert "Если не сможете прийти, отмените бронь" in text(message)
    assert "Больше не напоминать: https://mesto.example/mail/unsubscribe/" in text(message)
    assert '<html lang="ru">' in html(message)


def test_mail_programs_find_how_to_unsubscribe(booking, starts_at):
    [message] = sent(starts_at - hours(24))
    link = message["List-Unsubscribe"]
    assert link.startswith("<https://mesto.example/mail/unsubscribe/")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.strip("<>") in text(message)


def test_the_day_is_in_the_spaces_zone(anna, now):
    """Late on Saturday in UTC is already Sunday in Auckland."""
    space = open_space(time_zone="Pacific/Auckland", reminder_hours=2, places=1)
    starts_at = local(space, "2026-11-29T09:00")
    book(space.places.get(), anna, now, starts_at)
    sent(now)
    [message] = sent(starts_at - hours(2))
    assert message["Subject"] == "Today 9:00–11:00 · Desk 1"
    assert "When: Sun 29 Nov, 9:00–11:00 (Auckland time)" in text(message)


# --- When -----------------------------------------------------------------------------------------


def test_it_is_sent_on_time_and_once(booking, starts_at):
    due_at = starts_at - hours(24)
    assert sent(due_at - MINUTE) == []
    assert len(sent(due_at)) == 1
    assert sent(due_at + MINUTE) == []
    assert sent(starts_at - MINUTE) == []


@pytest.mark.parametrize("before", [1, 2, 48, 168])
def test_each_space_has_its_own_time(anna, now, before):
    space = open_space(slug="other", places=1, reminder_hours=before)
    starts_at = local(space, "2026-12-12T12:00")
    book(space.places.get(), anna, now, starts_at)
    sent(now)
    assert sent(starts_at - hours(before) - MINUTE) == []
    assert len(sent(starts_at - hours(before))) == 1


@pytest.mark.parametrize("before", [None, 0])
def test_a_space_without_reminders_sends_none(booking, starts_at, before):
    """Forms don't accept 0, but a row may have it."""
    Space.objects.update(reminder_hours=before)
    for at in (starts_at - hours(24), starts_at - hours(1), starts_at):
        assert sent(at) == []


@pytest.mark.parametrize(
    ("zone", "starts", "due"),
    [
        # The clocks go back at 3:00 and forward at 2:00: 24 hours are 24 hours, not a day's date.
        ("Europe/Berlin", "2026-10-25T12:00", "2026-10-24T13:00"),
        ("Europe/Berlin", "2027-03-28T12:00", "2027-03-27T11:00"),
        ("America/New_York", "2026-11-01T10:00", "2026-10-31T11:00"),
        ("Asia/Kathmandu", "2026-10-25T00:00", "2026-10-24T00:00"),
    ],
)
def test_hours_before_are_hours_whatever_the_clocks_do(anna, zone, starts, due):
    midnight = datetime.min.time()
    space = open_space(time_zone=zone, opens_at=midnight, closes_at=midnight, places=1)
    starts_at, due_at = local(space, starts), local(space, due)
    book(space.places.get(), anna, due_at - hours(24), starts_at)
    sent(due_at - hours(24))
    assert sent(due_at - MINUTE) == []
    [message] = sent(due_at)
    assert message["Subject"].startswith("Tomorrow ")


def test_a_late_reminder_is_still_sent(booking, starts_at):
    """No worker ran for a day."""
    [message] = sent(starts_at - hours(1))
    assert message["Subject"] == "Today 13:00–15:00 · Desk 12"


def test_after_the_start_there_is_nothing_to_remind_of(booking, starts_at):
    assert sent(starts_at) == []
    assert not reminders().exists()


def test_a_reminder_that_waited_too_long_is_left_out(booking, starts_at):
    remind(now=starts_at - hours(1))
    assert sent(starts_at) == []
    assert reminders().get().error == "The booking has started."


# --- About what------------------------------------------------------------------------------------


def test_a_booking_made_after_the_reminder_time_gets_none(desk_12, anna, starts_at):
    late = starts_at - hours(23)
    book(desk_12, anna, late, starts_at)
    [confirmed] = sent(late)
    assert "is yours" in confirmed["Subject"]
    assert sent(starts_at - hours(1)) == []


def test_a_moved_booking_gets_a_reminder_of_its_new_time_only(booking, now, starts_at):
    move(booking, now, starts_at + hours(48))
    sent(now)
    assert sent(starts_at - hours(24)) == []
    [message] = sent(starts_at + hours(24))
    assert "When: Mon 30 Nov, 13:00–15:00" in text(message)
    assert sent(starts_at + hours(47)) == []


def test_moving_a_booking_after_its_reminder_brings_a_new_one(booking, starts_at):
    due_at = starts_at - hours(24)
    sent(due_at)
    move(booking, due_at, starts_at + hours(48))
    sent(due_at)
    assert len(sent(starts_at + hours(24))) == 1
    assert reminders().count() == 2


def test_moving_a_booking_after_the_reminder_time_brings_none(booking, starts_at):
    late = starts_at - hours(25)
    move(booking, late, starts_at - hours(2))
    sent(late)
    assert sent(starts_at - hours(3)) == []


def test_a_waiting_reminder_of_a_moved_booking_is_not_sent(booking, starts_at):
    due_at = starts_at - hours(24)
    remind(now=due_at)
    move(booking, due_at, starts_at + hours(48))
    assert [message["Subject"].split(":")[0] for message in sent(due_at)] == ["Moved"]
    assert reminders().get().error == "The booking has changed since."


def test_a_cancelled_booking_gets_no_reminder(booking, anna, now, starts_at):
    services.cancel(booking, by=anna, now=now)
    sent(now)
    assert sent(starts_at - hours(24)) == []


def test_a_waiting_reminder_of_a_cancelled_booking_is_not_sent(booking, anna, starts_at):
    due_at = starts_at - hours(24)
    remind(now=due_at)
    services.cancel(booking, by=anna, now=due_at)
    assert [message["Subject"].split(":")[0] for message in sent(due_at)] == ["Cancelled"]


def test_an_undecided_booking_gets_no_reminder(desk_12, anna, now, starts_at):
    assert ask(desk_12, anna, now, starts_at).state == State.CREATED
    assert sent(starts_at - hours(24)) == []


# --- Whom -----------------------------------------------------------------------------------------


def test_a_member_who_switched_reminders_off_still_gets_other_mail(booking, anna, starts_at):
    choose_reminders(anna, wanted=False)
    due_at = starts_at - hours(24)
    assert sent(due_at) == []
    assert not reminders().exists()
    services.cancel(booking, by=anna, now=due_at)
    assert len(sent(due_at)) == 1
    choose_reminders(anna, wanted=True)
    assert sent(starts_at - hours(1)) == []


def test_switching_reminders_off_stops_a_waiting_one(booking, anna, starts_at):
    due_at = starts_at - hours(24)
    remind(now=due_at)
    choose_reminders(anna, wanted=False)
    assert sent(due_at) == []
    assert reminders().get().error == "The member doesn't want reminders."


def test_without_an_address_there_is_none_and_nothing_fails(desk_12, alice, now, starts_at):
    book(desk_12, alice, now, starts_at)
    assert sent(starts_at - hours(24)) == []
    assert not reminders().exists()


def test_who_left_or_has_no_address_is_not_reminded(tverskaya, booking, anna, now, starts_at):
    boss = UserFactory.create(username="boss", is_superuser=True)
    guest = {"guest_name": "Ann", "guest_contact": "+44 20 7946 0018"}
    book(tverskaya.places.get(number=1), None, now, starts_at, by=boss, **guest)
    leave(anna, by=anna, now=now)
    assert sent(starts_at - hours(24)) == []
    assert not reminders().exists()


def test_with_mail_switched_off_none_wait(booking, starts_at):
    Endpoint.objects.update(is_active=False)
    assert remind(now=starts_at - hours(24)) == 0


def test_many_are_made_in_small_steps(tverskaya, now, starts_at, monkeypatch):
    monkeypatch.setattr("notifications.reminders.CHUNK", 2)
    for place in tverskaya.places.order_by("number")[:5]:
        book(place, UserFactory.create(email=f"{place.number}@example.org"), now, starts_at)
    done = [remind(now=starts_at - hours(24)) for _ in range(4)]
    assert done == [2, 2, 1, 0]
    assert reminders().count() == 5


def test_finding_due_ones_costs_the_same_for_few_and_many(
    tverskaya, now, starts_at, django_assert_num_queries
):
    remind(now=now)  # creates mail's endpoint
    for place in tverskaya.places.order_by("number")[:6]:
        book(place, UserFactory.create(email=f"{place.number}@example.org"), now, starts_at)
    with django_assert_num_queries(3):  # which hours, mail's endpoint, what is due
        assert remind(now=now) == 0


# --- Several workers ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_send_each_reminder_once(tverskaya, soon):
    now = timezone.now()
    Space.objects.update(reminder_hours=72)
    for place in tverskaya.places.order_by("number"):
        person = UserFactory.create(email=f"{place.number}@example.org")
        book(place, person, now - timedelta(days=4), soon)
    with receiving() as server:
        while fan_out(now=now) or deliver_mail(now=now):
            pass
        server.messages.clear()

        def work():
            while remind(now=now) or deliver_mail(now=timezone.now()):
                pass

        assert at_once(*[work] * 4) == [None] * 4
        while deliver_mail(now=timezone.now()):
            pass
    assert sorted(server.recipients) == sorted(f"{n}@example.org" for n in range(1, 13))
    assert set(reminders().values_list("state", flat=True)) == {"DELIVERED"}


@pytest.mark.django_db(transaction=True)
def test_workers_that_find_the_same_one_at_once_make_it_once(tverskaya, soon, monkeypatch):
    """All have read before the first one writes: the constraint decides."""
    now = timezone.now()
    Space.objects.update(reminder_hours=72)
    for place in tverskaya.places.order_by("number"):
        person = UserFactory.create(email=f"{place.number}@example.org")
        book(place, person, now - timedelta(days=4), soon)
    fan_out(now=now)
    make, everybody = under_test._make, Barrier(4)

    def together(*args, **kwargs):
        everybody.wait(timeout=PATIENCE)
        make(*args, **kwargs)

    monkeypatch.setattr(under_test, "_make", together)
    assert at_once(*[lambda: remind(now=now)] * 4) == [12] * 4
    assert reminders().count() == 12


def test_a_booking_cancelled_while_earlier_mails_go_out_gets_no_reminder(
    booking, rita, starts_at, now, monkeypatch
):
    other = book(booking.place.space.places.get(number=11), rita, now, starts_at)
    sent(now)
    at = starts_at - hours(24)
    reminded = []

    def send(_post, mail):
        reminded.append(mail.to)
        if len(reminded) == 1:
            services.cancel(other, by=rita, now=at)
        return Delivered()

    monkeypatch.setattr(Post, "send", send)
    remind(now=at)
    deliver_mail(now=at)
    assert reminded == [["anna@example.org"]]
