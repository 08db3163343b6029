"""Every mail names the request that caused it, as the logs do: whoever asks “why?” finds out."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone

from accounts import factor_events, watching
from accounts.factories import PASSWORD
from accounts.factors import FactorEvent
from accounts.models import EmailLetter
from bookings.models import WaitingNews
from bookings.tests.acts import book, hours
from bookings.tests.door import add
from notifications.tests.inbox import sent, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]

NEW = "new@example.org"


def signed_in(user):
    client = Client()
    client.force_login(user, backend="config.auth.Backend")
    return client


def mails():
    """Return the request that each mail names, by its reader and subject."""
    return {(each["To"], each["Subject"]): each["X-Request-ID"] for each in sent(timezone.now())}


def asked(answer):
    assert answer.status_code in {200, 302, 303}
    return answer.headers["X-Request-ID"]


def test_a_link_for_a_new_password(anna):
    id_ = asked(Client().post("/accounts/forgotten/", {"who": "anna"}))
    assert mails() == {("anna@example.org", "A new password for Mesto"): id_}


def test_asking_once_more_later_is_another_request(anna, clock):
    asked(Client().post("/accounts/forgotten/", {"who": "anna"}))
    mails()
    clock.now = timezone.now() + timedelta(hours=1)
    id_ = asked(Client().post("/accounts/forgotten/", {"who": "anna"}))
    assert list(mails().values()) == [id_]


def test_letters_about_an_address(anna):
    fields = {"email": NEW, "password": PASSWORD}
    id_ = asked(signed_in(anna).post("/accounts/email/", fields))
    first = sent(timezone.now())
    assert {each["X-Request-ID"] for each in first} == {id_}
    [confirm] = [each for each in first if each["To"] == NEW]
    link = urlsplit(re.search(r"https://\S+", text(confirm))[0]).path
    id_ = asked(Client().post(link))
    last = sent(timezone.now())
    assert [each["X-Request-ID"] for each in last] == [id_]
    assert len(first) + len(last) == len(EmailLetter.About)


def test_an_invitation_and_the_same_once_more(space, manager):
    address = f"/staff/{space.slug}/people/"
    for _time in range(2):
        fields = {"email": "vera@example.org", "role": "HOST"}
        id_ = asked(signed_in(manager).post(address, fields))
        assert mails() == {("vera@example.org", "Join the staff of Loft"): id_}


def test_what_opens_an_account(anna):
    with watching.caused_by("the-request"):
        factor_events.note(anna, FactorEvent.Kind.PASSWORD, by=anna, now=timezone.now())
    assert list(mails().values()) == ["the-request"]


def test_what_happens_to_a_booking_but_no_reminder_which_nobody_asked_for(desk, alice, soon, clock):
    type(alice).objects.filter(pk=alice.pk).update(
        email="alice@example.org", email_confirmed_at=timezone.now()
    )
    with watching.caused_by("the-request"):
        book(desk, alice, timezone.now(), soon + hours(48), by=alice)
    assert list(mails().values()) == ["the-request"]
    clock.now = soon + hours(25)
    assert list(mails().values()) == [None]


def test_what_a_party_at_the_door_is_told(always_open, boss):
    """Each kind of news: on the list, a table is ready, somebody else was quicker."""
    now = timezone.now()
    with watching.caused_by("the-request"):
        party = add(always_open, "Anna", email="anna@example.org", by=boss, now=now)
        for kind in set(WaitingNews.Kind) - {WaitingNews.Kind.ADDED}:
            WaitingNews.objects.create(party=party, kind=kind, created_at=now, mail_due_at=now)
    found = mails()
    assert set(found.values()) == {"the-request"}
    assert found


def test_every_row_that_becomes_a_letter_knows_its_request():
    """A table of letters without it is a kind of mail that nobody walks through here."""
    letters = {
        model.__name__: {each.name for each in model._meta.fields}
        for model in apps.get_models()
        if any(each.name.endswith("due_at") for each in model._meta.fields)
    }
    assert {name for name, found in letters.items() if not found & {"request_id", "event"}} == set()
    assert len(letters) >= 5
