"""People are told by mail what happened to whatever opens their account."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command

from accounts import passwords
from accounts.factors import FactorEvent
from accounts.models import User
from accounts.oidc import services as oidc
from accounts.oidc.provider import Claims
from accounts.second import services
from accounts.tests.second_factor import app_of, code, passkey_of
from notifications.mail.sending import deliver_mail
from notifications.tests.smtp import closed_port, mailers

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(alice, now):
    User.objects.filter(pk=alice.pk).update(email="alice@example.org", email_confirmed_at=now)
    alice.refresh_from_db()
    return alice


def told(now):
    """Send what is due; return the headings of the mails."""
    mail.outbox.clear()
    deliver_mail(now=now)
    assert [each.to for each in mail.outbox] == [["alice@example.org"]] * len(mail.outbox)
    return [each.subject.removeprefix("Your account at Mesto: ") for each in mail.outbox]


def test_each_change_is_told_once(anna, now):
    later = now + timedelta(minutes=5)
    app_of(anna, now=later)
    assert told(now) == ["Authenticator app set up"]
    assert told(later) == []
    services.renew_codes(anna, now=now)
    assert told(now) == ["New recovery codes"]
    passkey = passkey_of(anna, now=now)
    services.remove_passkey(anna, passkey, now=now)
    assert told(now) == ["Passkey removed"]
    passkey = passkey_of(anna, now=now)
    passkey.delete()
    services.add_passkey(anna, passkey, now=now)
    assert told(now) == ["Passkey added"]
    services.remove_app(anna, now=now)
    assert told(now) == ["Authenticator app removed"]
    passwords.change(anna, password="x", by=anna, now=now)
    assert told(now) == ["Password changed"]


def test_a_recovery_code_is_told_too_and_a_code_of_the_app_is_not(anna, now):
    key, _codes = app_of(anna, now=now + timedelta(minutes=5))
    (code_, *_rest) = services.renew_codes(anna, now=now)
    told(now)
    later = now + timedelta(hours=1)
    assert services.accepts(anna, code(key, now=later), now=later)
    assert told(later) == []
    assert services.accepts(anna, code_, now=later)
    assert told(later) == ["Recovery code used"]


def test_a_linked_account_is_told(anna, now):
    oidc.link(anna, Claims("https://id.example", "7", "", "", "", None), now=now)
    assert told(now) == ["Account of the provider linked"]


def test_what_others_did_says_so_in_the_persons_language(anna, now):
    User.objects.filter(pk=anna.pk).update(language="ru")
    app_of(anna)
    FactorEvent.objects.update(due_at=None)
    call_command("reset_second_factor", anna.username)
    deliver_mail(now=FactorEvent.objects.get(kind="RESET").at)
    (letter,) = mail.outbox
    assert letter.subject == "Ваша учётная запись в Mesto: Всё снято администратором сервера"
    assert "не вы, а те, кто управляет сайтом" in letter.body
    assert "/accounts/factors/" in letter.body


def test_nobody_is_told_without_an_address_or_after_leaving(anna, now):
    app_of(anna, now=now)
    User.objects.filter(pk=anna.pk).update(email="")
    assert told(now) == []
    User.objects.filter(pk=anna.pk).update(email="alice@example.org")
    assert told(now + timedelta(hours=1)) == []  # it is settled


def test_a_mail_server_that_is_down_is_tried_again_for_some_hours(anna, now, settings):
    app_of(anna, now=now + timedelta(minutes=5))
    settings.MAILERS = mailers(closed_port())
    deliver_mail(now=now)
    event = FactorEvent.objects.get()
    assert event.due_at == now + timedelta(minutes=1)
    deliver_mail(now=now + timedelta(hours=7))
    event.refresh_from_db()
    assert event.due_at is None
