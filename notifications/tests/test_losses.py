"""A lost delivery is found by check_bookings, and put back in the queue by its repair."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from bookings.deciding import services
from bookings.deciding.tests import corruption
from bookings.tests.acts import book
from notifications.factories import WebhookFactory
from notifications.losses import lost_deliveries
from notifications.models import Delivery
from notifications.relay import fan_out, forget_settled
from notifications.webhooks.services import switch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def remembered(settings):
    """The command asks the clock, and these events are of one day in 2026."""
    settings.DELIVERIES = {**settings.DELIVERIES, "retention_days": 36500}


@pytest.fixture
def webhook(space):
    return WebhookFactory.create(space=space)


@pytest.fixture
def told(webhook, desk, alice, now):
    """A booking and its cancellation, both on their way to the webhook and by mail."""
    booking = book(desk, alice, now)
    services.cancel(booking, by=alice, now=now)
    fan_out(now=now)
    return booking


def lose(**wanted):
    for pk in Delivery.objects.filter(**wanted).values_list("pk", flat=True):
        corruption.run("DELETE FROM notifications_delivery WHERE id = %s", pk)


def rows():
    return sorted(Delivery.objects.values_list("endpoint", "event", "position", "state"))


def lost(now):
    return [violation.problem.partition(" was ")[0] for violation in lost_deliveries(now)]


def test_nothing_is_lost_before_the_relay_has_passed(webhook, desk, alice, now):
    book(desk, alice, now)
    assert lost(now) == []
    fan_out(now=now)
    assert lost(now) == []


def test_a_lost_delivery_is_explained_and_put_back(told, webhook, now):
    whole = rows()
    lose(endpoint=webhook, event__sequence=1)
    damaged = rows()
    assert lost(now) == ["event 1 CONFIRMED"]

    said = StringIO()
    with pytest.raises(CommandError, match="violations: 1"):
        call_command("check_bookings", "--explain", stdout=said)
    assert f"delivery: {told.code}: event 1 CONFIRMED was never queued for " in said.getvalue()
    assert "never told of this event" in said.getvalue()
    assert f"Affected: {told.code}, Desk 1 in " in said.getvalue()
    assert rows() == damaged

    said = StringIO()
    call_command("check_bookings", "--repair", stdout=said)
    assert "Repaired: queued event 1 for " in said.getvalue()
    assert rows() == whole
    said = StringIO()
    call_command("check_bookings", "--repair", stdout=said)
    assert said.getvalue() == "1 bookings checked, no violations\n"
    assert rows() == whole


def test_all_of_a_booking_are_put_back_at_once(told, now):
    whole = rows()
    lose()
    assert len(lost(now)) == 4
    call_command("check_bookings", "--repair", stdout=StringIO())
    assert rows() == whole


def test_what_a_webhook_did_not_hear_while_it_was_off_is_not_lost(webhook, desk, alice, now):
    switch(webhook, on=False, by=alice)
    book(desk, alice, now)
    fan_out(now=now)
    assert lost(now) == []
    switch(webhook, on=True, by=alice)
    assert lost(now) == []


def test_switching_on_what_is_on_does_not_hide_a_loss(told, webhook, alice, now):
    lose(endpoint=webhook, event__sequence=2)
    switch(webhook, on=True, by=alice)
    assert lost(now) == ["event 2 CANCELLED"]


def test_what_an_endpoint_does_not_ask_for_is_not_lost(webhook, space, desk, alice, now):
    WebhookFactory.create(space=space, kinds=["CANCELLED"])
    WebhookFactory.create()
    book(desk, alice, now)
    fan_out(now=now)
    assert lost(now) == []


def test_what_was_forgotten_long_after_it_arrived_is_not_lost(settings, told, now):
    settings.DELIVERIES = {**settings.DELIVERIES, "retention_days": 30}
    Delivery.objects.update(state="DELIVERED", settled_at=now)
    later = now + timedelta(days=31)
    assert forget_settled(now=later) == 4
    assert lost(later) == []
