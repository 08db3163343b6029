"""Rules are read as sentences, changed in people's units, and tell whom they hit beforehand."""

import re

import pytest
from django.test import Client
from django.utils import translation

from bookings.models import BookingEvent
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.words.rules_in_words import length, read_length, sentences
from spaces.factories import PolicyFactory
from spaces.limits import LIMITS
from spaces.models import Policy

pytestmark = pytest.mark.django_db

RULES = "/staff/loft/rules/"


def browser(person):
    client = Client()
    client.force_login(person)
    return client


def seen(page):
    found = re.search('name="seen" value="([^"]+)"', page.text)
    return {"seen": found[1]} if found else {}


def shown(page):
    return {"shown": re.search('name="shown" value="([^"]*)"', page.text)[1]}


def test_a_policy_reads_as_sentences():
    policy = Policy(max_minutes=240, max_days_ahead=30, grace_minutes=0, max_upcoming=1)
    assert sentences(policy) == [
        "Members may book up to 4 h at a time, 30 days ahead.",
        "It can't be undone after booking.",
        "Each has at most 1 upcoming booking.",
    ]
    with translation.override("ru"):
        assert sentences(policy)[0] == (
            "Участники могут бронировать до 4 ч за раз, на 30 дней вперёд."
        )


def test_every_limit_is_said():
    for name in LIMITS:
        column = Policy._meta.get_field(name)
        value = 75 if column.get_internal_type().endswith("IntegerField") else None
        if value is not None:
            assert sentences(Policy(**{name: value})) != ["Nothing is limited."], name


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("4 h", 240),
        ("90min", 90),
        ("1 h 30 min", 90),
        ("1:30", 90),
        ("2 days", 2880),
        ("4 ч", 240),
        ("30 мин.", 30),
        ("1 день", 1440),
        ("0 min", 0),
    ],
)
def test_lengths_are_read_as_people_write_them(text, minutes):
    assert read_length(text) == minutes
    assert read_length(length(minutes)) == minutes


@pytest.mark.parametrize("text", ["4", "h", "four hours", "4 h or so", "-1 h", "٤ h", "1:75"])
def test_what_is_no_length_is_refused(text):
    with pytest.raises(ValueError, match=re.escape(text)):
        read_length(text)


def test_nothing_is_saved_before_whom_it_hits_is_shown(manager, alice, desk, soon):
    booking = book(desk, alice, soon - hours(24), soon, 3)
    desk_of = browser(manager)
    page = desk_of.post(f"{RULES}0/", {"max_minutes": "2 h"})
    assert page.status_code == 200
    for words in ("1 member with upcoming bookings", "1 booking would no longer fit", "up to 2 h"):
        assert words in page.text
    assert not Policy.objects.exists()
    answer = {"max_minutes": "2 h", "choice": "keep", **shown(page)}
    assert desk_of.post(f"{RULES}0/", answer)["Location"] == RULES
    assert Policy.objects.get().max_minutes == 120
    booking.refresh_from_db()
    assert booking.state == State.CONFIRMED
    assert booking.events.filter(kind=BookingEvent.Kind.KEPT).exists()
    assert "up to 2 h at a time" in desk_of.get(RULES).text


def test_cancelling_needs_a_reason(manager, alice, desk, soon):
    booking = book(desk, alice, soon - hours(24), soon, 3)
    desk_of = browser(manager)
    page = desk_of.post(f"{RULES}0/", {"max_minutes": "2 h"})
    answer = {"max_minutes": "2 h", "choice": "cancel", **shown(page)}
    assert desk_of.post(f"{RULES}0/", answer).status_code == 422
    assert not Policy.objects.exists()
    desk_of.post(f"{RULES}0/", answer | {"reason": "Shorter from now on"})
    booking.refresh_from_db()
    assert booking.state == State.CANCELLED


def test_a_booking_made_since_is_shown_too(manager, alice, bob, desk, soon):
    desk_of = browser(manager)
    page = desk_of.post(f"{RULES}0/", {"max_minutes": "2 h"})
    assert "Every booking still fits" in page.text
    book(desk, bob, soon - hours(24), soon, 3)
    again = desk_of.post(f"{RULES}0/", {"max_minutes": "2 h", "choice": "keep", **shown(page)})
    assert "1 booking would no longer fit" in again.text
    assert not Policy.objects.exists()


def test_going_back_keeps_what_was_typed(manager):
    page = browser(manager).post(f"{RULES}0/", {"max_minutes": "2 h", "choice": "back"})
    assert 'value="2 h"' in page.text
    assert not Policy.objects.exists()
    page = browser(manager).post(f"{RULES}0/", {"max_minutes": "2", "max_days_ahead": "30"})
    assert (page.status_code, 'value="30"' in page.text) == (422, True)


def test_a_rule_is_changed_and_removed(manager, space):
    policy = PolicyFactory.create(space=space, max_minutes=240, max_upcoming=3)
    desk_of = browser(manager)
    page = desk_of.get(f"{RULES}1/")
    assert 'value="4 h"' in page.text
    sent = {"max_minutes": "5 h", "choice": "keep", "shown": "", **seen(page)}
    desk_of.post(f"{RULES}1/", sent)
    policy.refresh_from_db()
    assert (policy.max_minutes, policy.max_upcoming) == (300, None)
    stale = desk_of.post(f"{RULES}1/", sent | {"max_minutes": "6 h"}, follow=True)
    assert "meanwhile" in stale.text
    sent = {"remove": "1", "choice": "keep", "shown": "", **seen(desk_of.get(f"{RULES}1/"))}
    desk_of.post(f"{RULES}1/", sent)
    assert not Policy.objects.exists()
