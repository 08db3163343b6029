"""Letters about an address wait for a mail server, not for ever, and each is sent once."""

import pytest
from django.utils import timezone

from accounts import due
from accounts.factories import PASSWORD
from accounts.models import EmailLetter
from accounts.services import register
from bookings.tests.crowd import at_once
from notifications.mail.sending import deliver_mail
from notifications.tests.smtp import closed_port, mailers, receiving
from notifications.tests.test_email_address import (
    NEW,
    change,  # noqa: F401 - a fixture
    mails,
    member,  # noqa: F401 - a fixture
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site")]


def test_letters_wait_for_a_mail_server_that_is_down(change, settings):  # noqa: F811 - a fixture
    settings.MAILERS = mailers(closed_port())
    change()
    now = timezone.now()
    deliver_mail(now=now)
    with receiving() as server:
        deliver_mail(now=now + due.RETRY)
        deliver_mail(now=now + 3 * due.RETRY)
    assert sorted(server.recipients) == [NEW, "anna@example.org"]


def test_letters_that_failed_for_hours_are_not_sent_any_more(change):  # noqa: F811 - a fixture
    change()
    assert mails(timezone.now() + due.GIVE_UP) == {}
    assert not EmailLetter.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_send_each_letter_once(now):
    for n in range(6):
        register(f"user{n}", password=PASSWORD, email=f"user{n}@example.org", now=now)

    def work():
        while deliver_mail(now=now):
            pass

    with receiving() as server:
        assert at_once(*[work] * 3) == [None] * 3
    assert sorted(server.recipients) == [f"user{n}@example.org" for n in range(6)]
