"""What parties at the door are told, by mail and on the phone, in their language."""

import re
from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.test import override_settings

from accounts.factories import UserFactory
from bookings.deciding import holds, waiting_links, waiting_list
from bookings.guests import BY_GUEST
from bookings.models import WaitingNews
from bookings.tests.door import add, told
from notifications.sms.sending import deliver_sms
from notifications.tests.inbox import sent, text
from notifications.tests.receiver import Answer
from spaces.factories import open_space

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

PATH = "/2010-04-01/Accounts/AC1/Messages.json"
MAIL, PHONE = {"email": "anna@example.org"}, {"phone": "+44 20 7946 0018"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def boss(db):
    return UserFactory.create(username="boss", is_superuser=True)


@pytest.fixture
def noon(now):
    return now.replace(hour=12, minute=0)


@pytest.fixture
def table(db):
    inn = open_space(
        slug="inn",
        name="Ararat",
        kind="RESTAURANT",
        time_zone="Europe/Moscow",
        place={"kind": "TABLE", "capacity": 4},
    )
    return inn.places.by_number()[0]


@pytest.fixture
def provider(settings, receiver):
    """Speaks HTTP as Twilio does."""
    names = {"provider": "twilio", "account": "AC1", "token": "secret", "from": "+442079460018"}
    settings.SMS = names | {"url": receiver.url.rstrip("/")}
    receiver.answers(Answer(201, b'{"sid": "SM1"}'), to=PATH)
    return receiver


def texts(provider):
    return [parse_qs(each.body.decode())["Body"][0] for each in provider.received]


def link_of(party):
    return f"https://mesto.example/w/{waiting_links.token_of(party)}/"


def test_who_is_on_the_list_gets_the_link_by_mail(table, boss, noon):
    party = add(table.space, quoted_minutes=25, by=boss, now=noon, **MAIL)
    [message] = sent(noon)
    assert message["To"] == "anna@example.org"
    assert message["Subject"] == "You are on the list at Ararat"
    assert "It takes about 25 min." in text(message)
    assert link_of(party) in text(message)
    assert sent(noon) == []


def test_ready_says_until_when_and_in_whose_language(table, boss, noon):
    party = told(table, language="ru", by=boss, now=noon, **MAIL)
    [message] = sent(noon)
    assert message["Subject"] == "Готово: Столик 1, Ararat"
    assert "15:10" in text(message)
    assert link_of(party) in text(message)


def test_on_the_phone(table, boss, noon, provider):
    party = add(table.space, quoted_minutes=25, by=boss, now=noon, **PHONE)
    assert deliver_sms(now=noon) == 1
    assert texts(provider) == [f"Ararat: you are on the list, about 25 min: {link_of(party)}"]
    other = told(table, "Boris", by=boss, now=noon)
    holds.tell_too(party, other.booking, by=boss, now=noon)
    deliver_sms(now=noon)
    assert texts(provider)[-1] == (
        f"Ararat: Table 1 is ready, held until 15:10. Yes or no: {link_of(party)}"
    )
    holds.confirm(other, by=BY_GUEST, now=noon)
    deliver_sms(now=noon)
    assert texts(provider)[-1] == (
        f"Ararat: somebody else was quicker. You keep your place in the list: {link_of(party)}"
    )
    assert deliver_sms(now=noon) == 0


def test_what_is_not_true_any_more_is_not_sent(table, boss, noon, provider):
    party = told(table, by=boss, now=noon, **PHONE)
    waiting_list.decline(party, by=BY_GUEST, now=noon)
    assert deliver_sms(now=noon) == 0
    assert provider.received == []


def test_what_was_taken_back_at_once_is_not_sent(table, boss, noon, provider):
    party = told(table, by=boss, now=noon, **PHONE)
    waiting_list.undo(party, by=boss, now=noon)
    deliver_sms(now=noon)
    assert len(provider.received) == 1  # on the list
    assert "you are on the list" in texts(provider)[0]


def test_a_provider_that_is_away_is_asked_again_soon(table, boss, noon, provider):
    provider.answers(Answer(503), to=PATH)
    add(table.space, by=boss, now=noon, **PHONE)
    assert deliver_sms(now=noon) == 1
    assert deliver_sms(now=noon) == 0
    provider.answers(Answer(201, b'{"sid": "SM1"}'), to=PATH)
    assert deliver_sms(now=noon + MINUTE) == 1
    assert deliver_sms(now=noon + 2 * MINUTE) == 0


def test_nobody_is_told_the_day_after(table, boss, noon, provider):
    add(table.space, by=boss, now=noon, **PHONE)
    assert deliver_sms(now=noon + 20 * MINUTE) == 0
    assert not WaitingNews.objects.exclude(text_due_at=None).exists()


def test_no_number_is_no_text(table, boss, noon, provider):
    add(table.space, phone="12", by=boss, now=noon)
    deliver_sms(now=noon)
    assert provider.received == []


@override_settings(SMS={"provider": ""})
def test_without_a_provider_nobody_is_texted(table, boss, noon):
    add(table.space, by=boss, now=noon, **PHONE)
    assert deliver_sms(now=noon) == 0


def test_a_yes_is_not_mailed_again_as_a_booking(table, boss, noon):
    """They stand at the door, and their page says it."""
    party = told(table, by=boss, now=noon, **MAIL)
    assert len(sent(noon)) == 1
    holds.confirm(party, by=BY_GUEST, now=noon)
    waiting_list.seat(party, [], by=boss, now=noon)
    assert sent(noon) == []


def test_links_in_letters_are_those_of_the_list(table, boss, noon):
    add(table.space, by=boss, now=noon, **MAIL)
    [message] = sent(noon)
    assert re.findall(r"https://mesto\.example/\S*", text(message)) == [
        link_of(WaitingNews.objects.get().party)
    ]
