"""Rules are read as sentences, changed in people's units, and tell whom they hit beforehand."""

import re
from datetime import time

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import translation

from accounts.factories import TierFactory, UserFactory
from accounts.joining import TierMember
from bookings.models import BookingEvent
from bookings.staff.rule_form import RuleForm
from bookings.states import State
from bookings.tests.acts import book, hours
from bookings.words.rules_in_words import length, read_length, sentences, title
from spaces.factories import PolicyFactory, ShiftFactory
from spaces.models import Policy

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

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
        "Each has at most 1 upcoming booking.",
        "A booking can’t be undone once it is made.",
    ]
    with translation.override("ru"):
        assert sentences(policy)[0] == (
            "Участники могут бронировать до 4 ч за раз, на 30 дней вперёд."
        )


#: What no rule says: which one it is, where, and since when.
UNSAID = {"id", "space", "changed_at"}

#: Says nothing without the other.
TOGETHER = {"max_no_shows": {"no_show_days": 30}, "no_show_days": {"max_no_shows": 3}}


@pytest.fixture
def choices(space):
    """One of everything that a rule may be about."""
    return {
        "tier": TierFactory.create(space=space, name="Part-time"),
        "group": Group.objects.create(name="Students"),
        "shift": ShiftFactory.create(space=space, name="Dinner"),
        "kind": "ROOM",
    }


def test_every_column_is_in_a_sentence_and_in_the_form(space, choices):
    """A new limit can't be forgotten: whoever adds a column of `Policy` comes by here."""
    form = RuleForm(space=space, instance=Policy(space=space))
    for column in Policy._meta.concrete_fields:
        if column.name in UNSAID:
            continue
        also = TOGETHER.get(column.name, {})
        policies = [
            Policy(space=space, **{column.name: choices.get(column.name, value)}, **also)
            for value in (45, 75)
        ]
        said = [[title(policy), *sentences(policy)] for policy in policies]
        plain = Policy(space=space, **also)
        assert said[0] != [title(plain), *sentences(plain)], column.name
        assert column.name in choices or said[0] != said[1], column.name
        assert column.name in form.fields
        assert any(form[column.name] in fields for _legend, fields in form.parts)
    assert set(form.fields) == {c.name for c in Policy._meta.concrete_fields} - UNSAID


def test_every_field_of_the_form_is_saved(manager, space, choices):
    choices.pop("group")
    lengths = {"step_minutes": "15 min", "min_minutes": "30 min", "max_minutes": "2 h"}
    lengths |= {"min_notice_minutes": "1 h", "cancel_deadline_minutes": "2 h"}
    lengths |= {"grace_minutes": "10 min", "max_days_ahead": "30"}
    lengths |= {"check_in_opens_minutes": "20 min", "release_after_minutes": "25 min"}
    sent = {name: getattr(value, "pk", value) for name, value in choices.items()} | lengths
    desk_of = browser(manager)
    page = desk_of.post(f"{RULES}0/", sent)
    assert "Only for bookings in the shift “Dinner”." in page.text
    desk_of.post(f"{RULES}0/", sent | {"choice": "keep", **shown(page)})
    policy = Policy.objects.get()
    assert {name: getattr(policy, name) for name in choices} == choices
    for name, text in lengths.items():
        assert getattr(policy, name) == (30 if text == "30" else read_length(text))
    again = desk_of.get(f"{RULES}1/").text
    for text in lengths.values():
        assert f'value="{text}"' in again
    counted = {"max_minutes_per_day": "4 h", "max_upcoming": "3"}
    counted |= {"max_no_shows": "3", "no_show_days": "30"}
    for name, value in counted.items():  # not shift by shift
        answer = desk_of.post(f"{RULES}0/", {"shift": choices["shift"].pk, **counted, name: value})
        assert answer.status_code == 422
    page = desk_of.post(f"{RULES}0/", counted)
    assert "Members may book up to 4 h a day." in page.text
    assert "After 3 no-shows in 30 days a member can’t book" in page.text
    desk_of.post(f"{RULES}0/", counted | {"choice": "keep", **shown(page)})
    assert Policy.objects.filter(max_minutes_per_day=240, max_no_shows=3).count() == 1


def test_a_tiers_rule_says_whom_it_hits(manager, space, alice, bob, desk, soon):
    tier = TierFactory.create(space=space, name="Part-time")
    for person in (alice, UserFactory.create(), UserFactory.create()):
        TierMember.objects.create(tier=tier, user=person)
    book(desk, alice, soon - hours(24), soon, 3)
    book(desk, bob, soon - hours(24), soon + hours(3), 3)
    page = browser(manager).post(f"{RULES}0/", {"tier": tier.pk, "max_minutes": "2 h"})
    assert "Members of “Part-time” may book up to 2 h at a time." in page.text
    assert "“Part-time” has 3 members." in page.text
    assert "1 member with upcoming bookings, and 1 upcoming booking." in page.text
    assert "1 booking would no longer fit" in page.text


def test_a_shifts_rule_counts_the_bookings_in_it(manager, space, alice, desk, soon):
    shift = ShiftFactory.create(space=space, first_seating=time(8), last_seating=time(12))
    ShiftFactory.create(space=space, first_seating=time(13), last_seating=time(20))
    book(desk, alice, soon - hours(24), soon, 2)
    book(desk, alice, soon - hours(24), soon + hours(4), 2)
    page = browser(manager).post(f"{RULES}0/", {"shift": shift.pk, "max_minutes": "4 h"})
    assert "1 upcoming booking." in page.text


def test_another_spaces_tier_is_no_choice(manager):
    foreign = TierFactory.create(name="Theirs")
    page = browser(manager).post(f"{RULES}0/", {"tier": foreign.pk, "max_minutes": "2 h"})
    assert (page.status_code, "Theirs" in page.text) == (422, False)


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
    assert "Nobody has a booking ahead" in page.text
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
