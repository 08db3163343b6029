"""From a button in the browser to everybody who listens, through a real worker.

Mail over SMTP with its invitation, a signed webhook that its receiver verifies, and a Kafka
consumer: each sees the booking, and then the cancellation.
"""

import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager

import icalendar
import pytest
from django.conf import settings
from playwright.sync_api import expect

from bookings.models import Booking
from config.tests.browser.person import DESKTOP
from config.tests.processes import PATIENCE, start, wait_for
from notifications.factories import WebhookFactory
from notifications.models import Delivery
from notifications.tests import smtp

pytestmark = [
    pytest.mark.browser,
    pytest.mark.both_databases,
    pytest.mark.django_db(transaction=True),
]

TOPIC = "mesto.bookings"


@contextmanager
def program(path, *arguments, **environment):
    """Run one of the examples; yield the lines that it prints."""
    process = subprocess.Popen(
        [sys.executable, settings.BASE_DIR / "examples" / path, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []

    def read():
        lines.extend(line.strip() for line in process.stdout)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield lines
    finally:
        process.kill()
        reader.join()
        process.communicate()


@contextmanager
def worker(**environment):
    process = start("worker", "--interval", "0.1", **environment)
    try:
        yield
    finally:
        process.terminate()
        _out, log = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, log


@pytest.fixture
def webhook(space):
    return WebhookFactory.create(space=space)


@pytest.fixture
def everybody(live_server, broker, webhook, tmp_path):
    """Everyone who listens: a mailbox, the webhook receiver's lines, the Kafka consumer's lines."""
    broker.create(TOPIC)
    with ExitStack() as stack:
        post = stack.enter_context(smtp.receiving())
        calls = stack.enter_context(
            program("webhook_receiver.py", "0", WEBHOOK_SECRET=webhook.secret)
        )
        wait_for(lambda: bool(calls))
        webhook.url = calls.pop(0)
        webhook.save()
        read = stack.enter_context(
            program(
                "kafka_consumer.py",
                *("--servers", broker.address, "--topic", TOPIC),
                *("--database", str(tmp_path / "consumer.sqlite3")),
            )
        )
        stack.enter_context(
            worker(
                EMAIL_URL=f"smtp://127.0.0.1:{post.port}",
                SITE_URL=live_server.url,
                KAFKA_BOOTSTRAP_SERVERS=broker.address,
                WEBHOOK_ALLOW_PRIVATE="true",
            )
        )
        yield post, calls, read


def invitation(message):
    """Return the method of the calendar in a mail, and its event."""
    [part, *_same] = [each for each in message.walk() if each.get_content_type() == "text/calendar"]
    calendar = icalendar.Calendar.from_ical(part.get_content())
    return calendar["METHOD"], calendar.walk("VEVENT")[0]


def test_what_is_booked_and_cancelled_reaches_everybody(person, alice, space, soon, everybody):
    post, calls, read = everybody
    alice.email = "alice@example.org"
    alice.save()
    someone = person(DESKTOP)
    someone.sign_in(alice)

    someone.open(space.get_absolute_url())
    someone.search(**{"date": f"{soon:%Y-%m-%d}", "from": "10:00", "to": "12:00"})
    someone.send('.offers .place form[action="/bookings/"]')
    expect(someone.page.locator("h1")).to_contain_text("is yours")
    booking = Booking.objects.get()
    wait_for(lambda: len(post.messages) >= 1 and len(calls) >= 1 and len(read) >= 1)

    someone.open(booking.get_absolute_url())
    someone.press('.ticket a[href$="/cancel/"]')
    someone.send('form[action$="/cancel/"]')
    expect(someone.page.locator(".ticket .state")).to_have_class("chip state cancelled")
    wait_for(lambda: len(post.messages) >= 2 and len(calls) >= 2 and len(read) >= 2)

    booked, cancelled = post.messages
    assert booked["To"] == cancelled["To"] == "alice@example.org"
    for message in post.messages:
        assert str(booking.place) in message["Subject"]
        assert booking.get_absolute_url() in message.get_body(("plain",)).get_content()
    (method, before), (method_after, after) = invitation(booked), invitation(cancelled)
    assert (method, method_after) == ("REQUEST", "CANCEL")
    assert before["UID"] == after["UID"]
    assert before["SEQUENCE"] < after["SEQUENCE"]
    assert before["DTSTART"].dt == booking.starts_at
    assert (before["STATUS"], after["STATUS"]) == ("CONFIRMED", "CANCELLED")

    code = booking.code
    assert calls == [
        f"{code}.1 booking.confirmed {code}",
        f"{code}.2 booking.cancelled {code}",
    ]
    assert [line.split()[:2] for line in read] == [
        [f"{code}.1", "mesto.booking.confirmed"],
        [f"{code}.2", "mesto.booking.cancelled"],
    ]
    # The listeners know before the worker has recorded that they do.
    wait_for(lambda: set(Delivery.objects.values_list("state", flat=True)) == {"DELIVERED"})
