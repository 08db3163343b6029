"""Text messages to guests who left a phone: what they say, and how a real HTTP provider answers."""

from base64 import b64encode
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import override_settings
from django.utils import timezone

from accounts.factories import UserFactory
from bookings.deciding import links, services
from bookings.guests import BY_GUEST
from bookings.tests.acts import book, hours, local, move
from notifications.models import Delivery
from notifications.relay import fan_out
from notifications.reminders import remind
from notifications.sms.sending import deliver_sms
from notifications.tests.inbox import sent
from notifications.tests.receiver import Answer
from spaces.factories import PlaceFactory
from spaces.models import Space

pytestmark = [pytest.mark.any_database, pytest.mark.django_db, pytest.mark.usefixtures("site")]

PATH = "/2010-04-01/Accounts/AC1/Messages.json"
PHONE = {"guest_name": "Ann", "guest_contact": "8 (900) 123-45-67"}


@pytest.fixture
def boss(db):
    return UserFactory.create(username="boss", is_superuser=True)


@pytest.fixture
def provider(settings, receiver):
    """Speaks HTTP as Twilio does."""
    settings.SMS = {
        "provider": "twilio",
        "account": "AC1",
        "token": "secret",
        "from": "+442079460018",
        "url": receiver.url.rstrip("/"),
    }
    receiver.answers(Answer(201, b'{"sid": "SM1"}'), to=PATH)
    return receiver


def send(now):
    while fan_out(now=now) or remind(now=now) or deliver_sms(now=now):
        pass


def texts(provider):
    return [parse_qs(each.body.decode()) for each in provider.received]


def states():
    sms = Delivery.objects.filter(endpoint__channel="SMS").order_by("pk")
    return list(sms.values_list("state", "error"))


def test_a_guest_with_a_phone_gets_the_link(desk_12, boss, now, provider):
    booking = book(desk_12, None, now, by=boss, **PHONE)
    send(now)

    [request] = provider.received
    assert (request.method, request.path) == ("POST", PATH)
    assert request.headers["authorization"] == f"Basic {b64encode(b'AC1:secret').decode()}"
    url = f"https://mesto.example{links.path_of(booking.guest_links.get())}"
    [text] = texts(provider)
    assert text == {
        "To": ["+79001234567"],
        "From": ["+442079460018"],
        "Body": [f"Booked: Desk 12, Wed 25 Nov, 13:00–15:00, Tverskaya Coworking. {url}"],
    }
    assert states() == [("DELIVERED", "")]


def test_moves_and_cancellations_are_told(desk_12, boss, now, provider):
    booking = book(desk_12, None, now, by=boss, **PHONE)
    at = {"starts_at": booking.starts_at + hours(2), "ends_at": booking.ends_at + hours(2)}
    services.reschedule(booking, place=desk_12, by=boss, now=now, **at)
    services.cancel(booking, by=BY_GUEST, now=now)
    send(now)

    said = [text["Body"][0].partition(",")[0] for text in texts(provider)]
    assert said == ["Booked: Desk 12", "Moved: Desk 12", "Cancelled: Desk 12"]


def test_another_party_is_a_change_and_no_move(desk_12, boss, now, provider):
    room = PlaceFactory.create(space=desk_12.space, number=90, capacity=4)
    booking = book(room, None, now, by=boss, **PHONE)
    move(booking, now, booking.starts_at, by=boss, party_size=3)
    send(now)

    said = [text["Body"][0].partition(",")[0] for text in texts(provider)]
    assert said == [f"Booked: {room}", f"Changed: {room}"]


def test_with_both_contacts_both_are_written_to(desk_12, boss, now, provider):
    both = PHONE | {"guest_contact": "+7 900 123-45-67, ann@example.org"}
    book(desk_12, None, now, by=boss, **both)

    assert [message["To"] for message in sent(now)] == ["ann@example.org"]
    send(now)
    assert len(texts(provider)) == 1


@pytest.mark.parametrize("contact", ["", "ann@example.org", "table 5", "12345"])
def test_without_a_number_nothing_is_sent(desk_12, boss, now, provider, contact):
    book(desk_12, None, now, by=boss, guest_name="Ann", guest_contact=contact)
    send(now)
    assert not provider.received


def test_members_get_no_text_message(desk_12, anna, now, provider):
    book(desk_12, anna, now)
    send(now)
    assert not provider.received


def test_a_guest_without_e_mail_is_reminded_by_text(tverskaya, desk_12, boss, now, provider):
    Space.objects.filter(pk=tverskaya.pk).update(reminder_hours=24)
    starts_at = local(tverskaya, "2026-11-28T13:00")
    book(desk_12, None, now, starts_at, by=boss, **PHONE)
    send(now)
    send(starts_at - hours(24))
    send(starts_at - hours(23))

    assert [text["Body"][0][:12] for text in texts(provider)] == ["Booked: Desk", "See you soon"]


@pytest.mark.parametrize(
    ("answer", "state", "error"),
    [
        (Answer(400, b'{"code": 21211, "message": "Invalid number"}'), "DEAD", "21211"),
        (Answer(429, headers={"Retry-After": "30"}), "PENDING", "429"),
        (Answer(500), "PENDING", "500"),
        (Answer(401, b'{"code": 20003, "message": "Authenticate"}'), "PENDING", "20003"),
        (Answer(200, b"no json"), "DELIVERED", ""),
        (Answer(302, headers={"Location": "https://example.org/"}), "DEAD", "302"),
    ],
)
def test_what_the_provider_answers_decides(desk_12, boss, now, provider, answer, state, error):
    provider.answers(answer, to=PATH)
    book(desk_12, None, now, by=boss, **PHONE)
    fan_out(now=now)
    deliver_sms(now=now)

    [(found, said)] = states()
    assert found == state
    assert error in said


def test_it_is_sent_again_once_the_provider_is_back(desk_12, boss, soon, provider, settings):
    url, now = settings.SMS["url"], timezone.now()
    settings.SMS = settings.SMS | {"url": "http://127.0.0.1:9"}
    book(desk_12, None, now, soon, by=boss, **PHONE)
    fan_out(now=now)
    deliver_sms(now=now)
    assert [state for state, _error in states()] == ["PENDING"]

    settings.SMS = settings.SMS | {"url": url}
    deliver_sms(now=now + timedelta(hours=1))
    assert states() == [("DELIVERED", "")]


def test_the_console_prints_them(desk_12, boss, now, settings, capsys):
    settings.SMS = settings.SMS | {"provider": "console"}
    book(desk_12, None, now, by=boss, **PHONE)
    send(now)
    assert "SMS to +79001234567: Booked: Desk 12" in capsys.readouterr().out


def test_without_a_provider_none_wait(desk_12, boss, now):
    book(desk_12, None, now, by=boss, **PHONE)
    send(now)
    assert states() == []


def test_wrong_settings_are_said_at_the_start(settings):
    with (
        override_settings(SMS=settings.SMS | {"provider": "twilio", "token": "x"}),
        pytest.raises(SystemCheckError, match="SMS_ACCOUNT, SMS_FROM"),
    ):
        call_command("check")
