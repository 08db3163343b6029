"""Webhooks at a real receiver: signed, in order, again after a failure, and given up."""

import pytest

from bookings import services as bookings
from bookings.tests.acts import book
from notifications.factories import WebhookFactory
from notifications.models import Attempt, Delivery
from notifications.tests.receiver import Answer, receiving
from notifications.tests.webhooks import deliver, states
from standardwebhooks import Webhook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def local_addresses(settings):
    settings.WEBHOOKS = {"timeout_seconds": 5, "allow_private": True}


@pytest.fixture
def receiver():
    with receiving() as started:
        yield started


@pytest.fixture
def webhook(space, receiver):
    return WebhookFactory.create(space=space, url=receiver.url)


def test_an_event_arrives_signed(webhook, receiver, desk, alice, now):
    book(desk, alice, now)
    deliver(now)
    [request] = receiver.received
    told = Webhook(webhook.secret).verify(request.body, request.headers)
    assert told["type"] == "booking.confirmed"
    assert states() == ["DELIVERED"]
