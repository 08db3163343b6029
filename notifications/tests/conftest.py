"""Listeners: members with addresses, a calendar app, a webhook receiver; and a topic."""

from datetime import timedelta

import pytest
from django.test import Client

from accounts.factories import UserFactory
from config.tests.processes import PATIENCE
from notifications.factories import WebhookFactory
from notifications.tests.broker import LIVELY, REQUESTS
from notifications.tests.calendars import made
from notifications.tests.receiver import receiving
from notifications.webhooks import sending
from spaces.factories import open_space


@pytest.fixture
def tverskaya(db):
    return open_space(
        slug="tverskaya",
        name="Tverskaya Coworking",
        address="Tverskaya 1",
        time_zone="Europe/Moscow",
        places=12,
    )


@pytest.fixture
def desk_12(tverskaya):
    return tverskaya.places.get(number=12)


@pytest.fixture
def anna(db):
    """Reads English."""
    return UserFactory.create(username="anna", email="anna@example.org")


@pytest.fixture
def rita(db):
    """Reads Russian."""
    return UserFactory.create(username="rita", email="rita@example.org", language="ru")


@pytest.fixture
def site(settings):
    """Has its own URL, and an address to send mail from."""
    settings.SITE_URL = "https://mesto.example"
    settings.MAIL_FROM = "Mesto <mesto@mesto.example>"


@pytest.fixture
def topic(kafka, settings):
    """A topic that this process reads requests from."""
    settings.KAFKA = {**settings.KAFKA, "requests_topic": REQUESTS, "options": LIVELY}
    kafka.create(REQUESTS)
    return kafka


@pytest.fixture
def wish(desk, alice, soon):
    """Return a request by Alice for the first desk; keywords change it."""

    def wish(hour=0, **changes):
        starts_at = soon + timedelta(hours=hour)
        asked = {
            "request_key": f"order {hour}",
            "place": str(desk.code),
            "member": "alice",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }
        return {name: value for name, value in (asked | changes).items() if value is not None}

    return wish


@pytest.fixture
def mine(alice):
    return made(alice)


@pytest.fixture
def program():
    """Sends requests without cookies, as a calendar app does."""
    return Client()


@pytest.fixture
def local_addresses(settings):
    settings.WEBHOOKS = {"timeout_seconds": PATIENCE, "allow_private": True}


@pytest.fixture
def a_worker_of_its_own(monkeypatch, now):
    """Forget what another test's worker has learnt about its endpoints."""
    sender = sending.Sender()
    monkeypatch.setattr(sending, "_sender", sender)
    yield
    sender.finish(now=now)


@pytest.fixture
def receiver():
    with receiving() as started:
        yield started


@pytest.fixture
def webhook(space, receiver):
    return WebhookFactory.create(space=space, url=receiver.url)
