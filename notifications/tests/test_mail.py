"""Mail: what members are told about their bookings, in text, HTML and for the calendar."""

import re
from datetime import datetime, timedelta

import pytest

from accounts.factories import UserFactory
from accounts.services import change
from bookings.deciding import services
from bookings.deciding.leaving import leave
from bookings.deciding.queueing import decide_next
from bookings.tests.acts import ask, book, hours, local, move
from notifications.models import Delivery
from notifications.relay import resend
from notifications.tests.inbox import calendars, html, sent, text
from spaces.factories import PlaceFactory, PolicyFactory, open_space
from spaces.models import Space

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database,
    pytest.mark.usefixtures("site"),
]


@pytest.fixture
def boss(db):
    return UserFactory.create(username="boss", is_superuser=True)


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", "error"))


# --- Confirmed ------------------------------------------------------------------------------------


def test_a_confirmed_booking_is_described_in_text(desk_12, anna, now):
    booking = book(desk_12, anna, now, note="By the window")
    [message] = sent(now)
    assert message["To"] == "anna@example.org"
    assert message["From"] == "Mesto <mesto@mesto.example>"
    assert message["Subject"] == "Desk 12 is yours: Wed 25 Nov, 13:00–15:00"
    assert text(message) == (
        "Desk 12 is yours.\n"
        "\n"
        "Place: Desk 12\n"
        "When: Wed 25 Nov, 13:00–15:00 (Moscow time)\n"
        "Where: Tverskaya Coworking (Tverskaya 1)\n"
        "People: 1\n"
        "Note: By the window\n"
        "\n"
        "You can move or cancel it until Wed 25 Nov, 13:00.\n"
        "\n"
        f"Open the booking: https://mesto.example/bookings/{booking.code}/\n"
        "\n"
        "-- \n"
        "Mesto writes to you about your bookings at Tverskaya Coworking.\n"
        "What Mesto writes to you: https://mesto.example/accounts/notifications/\n"
    )


def test_in_russian_too(desk_12, rita, now):
    booking = book(desk_12, rita, now)
    [message] = sent(now)
    assert message["Subject"] == "Стол 12 — за вами: ср, 25 ноября, 13:00–15:00"
    assert text(message).startswith(
        "Стол 12 — за вами.\n"
        "\n"
        "Место: Стол 12\n"
        "Когда: ср, 25 ноября, 13:00–15:00 (московское время)\n"
        "Где: Tverskaya Coworking (Tverskaya 1)\n"
        "Человек: 1\n"
        "\n"
        "Перенести или отменить можно до ср, 25 ноября, 13:00.\n"
        "\n"
        f"Открыть бронь: https://mesto.example/bookings/{booking.code}/\n"
    )


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_html_says_the_same_and_loads_nothing_from_other_servers(desk_12, anna, now, language):
    change(anna, language=language)
    booking = book(desk_12, anna, now)
    [message] = sent(now)
    page = html(message)
    assert f'<html lang="{language}">' in page
    assert f'href="https://mesto.example/bookings/{booking.code}/"' in page
    zone = {"en": "Moscow time", "ru": "московское время"}[language]
    for said in ("13:00–15:00", zone, "Tverskaya Coworking", "Tverskaya 1"):
        assert said in page
    for told in ("<img", "<script", "<table", "url(", "@import", "<link", "src="):
        assert told not in page


def test_a_booking_by_the_staff_says_so(desk_12, anna, boss, now):
    book(desk_12, anna, now, by=boss)
    [message] = sent(now)
    assert "The staff of Tverskaya Coworking booked it for you." in text(message)


def test_a_deadline_that_has_passed_is_not_named(desk_12, anna, tverskaya, now):
    PolicyFactory.create(space=tverskaya, cancel_deadline_minutes=24 * 60)
    book(desk_12, anna, now)
    [message] = sent(now + timedelta(minutes=6))
    assert "You can" not in text(message)


def test_a_mistake_can_be_undone_until_the_minute_that_is_named(desk_12, anna, tverskaya, now):
    PolicyFactory.create(space=tverskaya, cancel_deadline_minutes=24 * 60)
    book(desk_12, anna, now)
    [message] = sent(now + timedelta(minutes=1))
    assert "A mistake? You can undo or move it until Wed 25 Nov, 9:35." in text(message)


# --- Times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        ("UTC", "2026-11-25T22:00", "Wed 25 Nov, 22:00 – Thu 26 Nov, 2:00 (UTC)"),
        ("UTC", "2026-11-25T20:00", "Wed 25 Nov, 20:00–0:00 (UTC)"),
        # The clocks go back: 2:00 comes twice, and four hours end at 4:00.
        ("Europe/Berlin", "2026-10-25T01:00", "Sun 25 Oct, 1:00–4:00 (Berlin time)"),
        (
            "Europe/Berlin",
            "2026-10-25T02:00+01:00",
            "Sun 25 Oct, 2:00 (CET)–6:00 (Berlin time)",
        ),
        # The clocks go forward: four hours from 1:00 end at 6:00.
        ("Europe/Berlin", "2027-03-28T01:00", "Sun 28 Mar, 1:00–6:00 (Berlin time)"),
        ("Asia/Kathmandu", "2026-11-26T09:00", "Thu 26 Nov, 9:00–13:00 (Kathmandu time)"),
        ("America/New_York", "2026-11-25T20:00", "Wed 25 Nov, 20:00–0:00 (New York time)"),
    ],
)
def test_times_are_those_of_the_space_and_the_zone_is_named(anna, zone, start, expected):
    midnight = datetime.min.time()
    space = open_space(time_zone=zone, opens_at=midnight, closes_at=midnight, places=1)
    PolicyFactory.create(space=space, step_minutes=15)
    starts_at = local(space, start)
    before = starts_at - timedelta(days=3)
    book(space.places.get(), anna, before, starts_at, length=4)
    [message] = sent(before)
    assert f"When: {expected}\n" in text(message)


# --- Moved ----------------------------------------------------------------------------------------


def test_a_reader_elsewhere_finds_the_zone_in_every_line_with_a_time(desk_12, anna, now):
    change(anna, time_zone="Asia/Yerevan")
    booking = book(desk_12, anna, now, now + timedelta(days=2, minutes=30))
    [message] = sent(now)
    assert message["Subject"] == "Desk 12 is yours: Fri 27 Nov, 10:00–12:00 (Moscow time)"
    timed = [line for line in text(message).splitlines() if re.search(r"\d:\d\d", line)]
    assert len(timed) == 2
    assert all("Moscow time" in line for line in timed)
    services.cancel(booking, by=anna, now=now)
    [message] = sent(now)
    assert message["Subject"] == "Cancelled: Desk 12, Fri 27 Nov, 10:00–12:00 (Moscow time)"


def test_a_date_in_another_year_includes_the_year_everywhere(desk_12, anna, now):
    PolicyFactory.create(space=desk_12.space, max_days_ahead=400)
    booking = book(desk_12, anna, now, now + timedelta(days=60, minutes=30))
    [message] = sent(now)
    assert message["Subject"] == "Desk 12 is yours: Sun 24 Jan 2027, 10:00–12:00"
    assert text(message).count("24 Jan 2027") == text(message).count("24 Jan") == 2
    move(booking, now, now + timedelta(days=3, minutes=30))
    [message] = sent(now)
    assert message["Subject"] == "Moved: Desk 12, Sat 28 Nov, 10:00–12:00"
    assert "Before: Desk 12, Sun 24 Jan 2027, 10:00–12:00" in text(message)


def test_a_moved_booking_names_the_old_and_the_new(desk_12, anna, now):
    booking = book(desk_12, anna, now)
    sent(now)
    other = desk_12.space.places.get(number=3)
    move(booking, now, local(desk_12.space, "2026-11-26T15:00"), place=other)
    [message] = sent(now)
    assert message["Subject"] == "Moved: Desk 3, Thu 26 Nov, 15:00–17:00"
    told = text(message)
    assert told.startswith("Your booking is moved.\nYou moved it.\n\nPlace: Desk 3\n")
    assert "When: Thu 26 Nov, 15:00–17:00 (Moscow time)\n" in told
    assert "Before: Desk 12, Wed 25 Nov, 13:00–15:00 (Moscow time)\n" in told


@pytest.mark.parametrize(
    ("who", "said"), [("anna", "You changed it."), ("boss", "The staff of Tverskaya Coworking")]
)
def test_another_party_is_a_change_and_no_move(request, desk_12, anna, now, who, said):
    room = PlaceFactory.create(space=desk_12.space, number=90, capacity=4)
    booking = book(room, anna, now, party_size=2)
    sent(now)
    move(booking, now, booking.starts_at, by=request.getfixturevalue(who), party_size=4)
    [message] = sent(now)
    assert message["Subject"] == f"Changed: {room}, Wed 25 Nov, 13:00–15:00"
    assert text(message).startswith(f"Your booking is changed.\n{said}")
    assert "People: 4\nBefore: 2 people\n" in text(message)
    assert "moved" not in text(message)


def test_a_move_by_the_staff_in_russian(desk_12, rita, boss, now):
    booking = book(desk_12, rita, now)
    sent(now)
    move(booking, now, local(desk_12.space, "2026-11-26T15:00"), by=boss)
    [message] = sent(now)
    assert message["Subject"] == "Перенесено: Стол 12, чт, 26 ноября, 15:00–17:00"
    assert text(message).startswith(
        "Ваша бронь перенесена.\nЕё перенёс персонал: Tverskaya Coworking.\n"
    )
    assert "Было: Стол 12, ср, 25 ноября, 13:00–15:00 (московское время)\n" in text(message)


def test_a_move_that_changes_how_many_come_says_so(tverskaya, anna, now):
    tverskaya.places.update(capacity=4)
    place = tverskaya.places.get(number=2)
    booking = book(place, anna, now, party_size=2)
    sent(now)
    move(booking, now, booking.starts_at + hours(1), party_size=3)
    [message] = sent(now)
    assert "People: 3\n" in text(message)
    assert "Before: Desk 2, Wed 25 Nov, 13:00–15:00 · 2 people (Moscow time)\n" in text(message)


def test_each_mail_describes_the_booking_as_it_was_then(desk_12, anna, now):
    """Mail was down: the booking, the move and the cancellation are told in this order."""
    booking = book(desk_12, anna, now)
    move(booking, now, local(desk_12.space, "2026-11-26T15:00"))
    services.cancel(booking, by=anna, now=now)
    assert [message["Subject"] for message in sent(now)] == [
        "Desk 12 is yours: Wed 25 Nov, 13:00–15:00",
        "Moved: Desk 12, Thu 26 Nov, 15:00–17:00",
        "Cancelled: Desk 12, Thu 26 Nov, 15:00–17:00",
    ]


def test_an_old_mail_is_not_sent_again_once_it_is_outdated(desk_12, anna, now):
    booking = book(desk_12, anna, now)
    move(booking, now, local(desk_12.space, "2026-11-26T15:00"))
    sent(now)
    first, second = Delivery.objects.order_by("position")
    resend([first], now=now)
    assert sent(now) == []
    assert states()[0] == ("SKIPPED", "A later mail has described the booking as it is now.")
    resend([first, second], now=now)  # as a replay does: in order, so that the last word is true
    assert [message["Subject"] for message in sent(now)] == [
        "Desk 12 is yours: Wed 25 Nov, 13:00–15:00",
        "Moved: Desk 12, Thu 26 Nov, 15:00–17:00",
    ]


# --- Cancelled ------------------------------------------------------------------------------------


def test_a_booking_that_its_member_cancels(desk_12, anna, now):
    booking = book(desk_12, anna, now)
    sent(now)
    services.cancel(booking, by=anna, now=now)
    [message] = sent(now)
    assert message["Subject"] == "Cancelled: Desk 12, Wed 25 Nov, 13:00–15:00"
    assert text(message).startswith("Your booking is cancelled.\nYou cancelled it.\n\nPlace:")
    assert f"Open the booking: https://mesto.example/bookings/{booking.code}/" in text(message)


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            "Your booking is cancelled.\n"
            "The staff of Tverskaya Coworking cancelled it.\n"
            "Reason: Water damage\n",
        ),
        (
            "ru",
            "Ваша бронь отменена.\n"
            "Её отменил персонал: Tverskaya Coworking.\n"
            "Причина: Water damage\n",
        ),
    ],
)
def test_a_booking_that_the_staff_cancel(desk_12, anna, boss, now, language, expected):
    change(anna, language=language)
    booking = book(desk_12, anna, now)
    sent(now)
    services.cancel(booking, by=boss, now=now, reason="Water damage")
    [message] = sent(now)
    assert text(message).startswith(expected)
    assert (
        "https://mesto.example/spaces/tverskaya/?date=2026-11-25&from=13%3A00&to=15%3A00&party=1\n"
        in text(message)
    )


def test_a_cancellation_is_mailed_even_late(desk_12, anna, now):
    booking = book(desk_12, anna, now)
    sent(now)
    services.cancel(booking, by=anna, now=now)
    [message] = sent(now + hours(24))
    assert message["Subject"].startswith("Cancelled:")
    assert "Find another place" not in text(message)


# --- Refused --------------------------------------------------------------------------------------


def test_a_later_refusal_is_mailed_with_every_reason(desk_12, anna, bob, now):
    book(desk_12, bob, now)
    ask(desk_12, anna, now)
    decide_next(now=now)
    [message] = sent(now)
    assert message["To"] == "anna@example.org"
    assert message["Subject"] == "Not booked: Desk 12, Wed 25 Nov, 13:00–15:00"
    assert text(message).startswith(
        "Your request could not be met.\n"
        "- Somebody else has the place for part of that time.\n"
        "\n"
        "Place: Desk 12\n"
    )
    assert "Find another place: https://mesto.example/spaces/tverskaya/?" in text(message)
    assert calendars(message) == []


def test_a_refusal_in_russian(desk_12, rita, now):
    ask(desk_12, rita, now, local(desk_12.space, "2026-11-25T21:00"), party_size=2)
    decide_next(now=now)
    [message] = sent(now)
    assert message["Subject"].startswith("Не забронировано: Стол 12, ср, 25 ноября, 21:00–23:00")
    assert "- Столько людей это место не вмещает.\n" in text(message)


def test_an_immediate_refusal_is_not_mailed(desk_12, anna, bob, now):
    book(desk_12, bob, now)
    book(desk_12, anna, now)
    assert sent(now) == []
    assert ("SKIPPED", "The refusal was shown at once.") in states()


def test_if_nobody_can_book_any_more_the_link_leads_to_the_booking(desk_12, anna, bob, now):
    book(desk_12, bob, now)
    booking = ask(desk_12, anna, now)
    decide_next(now=now)
    Space.objects.update(is_active=False)
    [message] = sent(now)
    assert f"https://mesto.example/bookings/{booking.code}/" in text(message)
    assert "/spaces/" not in text(message)


# --- To whom --------------------------------------------------------------------------------------


def test_without_an_address_no_mail_is_sent_and_nothing_fails(desk_12, alice, now):
    book(desk_12, alice, now)
    assert sent(now) == []
    assert states() == [("SKIPPED", "The member has no address.")]


def test_a_person_who_left_gets_no_mail(desk_12, anna, now):
    book(desk_12, anna, now)
    leave(anna, by=anna, now=now)
    assert sent(now) == []
    assert {state for state, _ in states()} == {"SKIPPED"}


def test_a_past_booking_is_not_confirmed_any_more(desk_12, anna, now):
    book(desk_12, anna, now)
    assert sent(now + hours(24)) == []
    assert states() == [("SKIPPED", "The booking's time is over.")]


def test_a_cancellation_is_mailed_until_a_day_after_the_end(desk_12, anna, now):
    """A mail server that was down for hours must not leave somebody on the way here."""
    booking = book(desk_12, anna, now)
    services.cancel(booking, by=anna, now=now)
    [message] = sent(booking.ends_at + hours(23))
    assert message["Subject"].startswith("Cancelled: ")
    resend(Delivery.objects.all(), now=now)
    assert sent(booking.ends_at + hours(24)) == []


@pytest.mark.parametrize(
    "address", ["nobody", "a@b@c", "a b@example.org", "a@x.org\nBcc: b@x.org", "й@example.org"]
)
def test_an_invalid_address_is_given_up(desk_12, anna, rita, now, address):
    change(anna, email=address)
    book(desk_12, anna, now)
    book(desk_12, rita, now, local(desk_12.space, "2026-11-25T16:00"))
    assert [message["To"] for message in sent(now)] == ["rita@example.org"]
    assert states() == [("DEAD", "The member's address is invalid."), ("DELIVERED", "")]


def test_an_address_in_another_script_gets_mail(desk_12, anna, now):
    change(anna, email="anna@почта.рф")
    book(desk_12, anna, now)
    [message] = sent(now)
    assert message["To"] == "anna@xn--80a1acny.xn--p1ai"
