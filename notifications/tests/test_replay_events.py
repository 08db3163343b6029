"""`manage.py replay_events`: history again, for one listener."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from bookings.deciding import services
from bookings.tests.acts import TEN, book, hours
from notifications.factories import WebhookFactory
from notifications.models import Delivery, Endpoint
from notifications.outcomes import Delivered
from notifications.relay import claim, fan_out, forget_settled, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook(space):
    return WebhookFactory.create(space=space)


@pytest.fixture
def history(webhook, desk, alice, now):
    """A booking from yesterday that was cancelled today, and one from today; all delivered."""
    cancelled = book(desk, alice, now - timedelta(days=1))
    services.cancel(cancelled, by=alice, now=now)
    book(desk, alice, now, TEN + hours(4))
    fan_out(now=now)
    while claimed := claim(webhook, limit=10, now=now):
        settle([(delivery, Delivered()) for delivery in claimed], now=now)
    return cancelled


def waiting(endpoint):
    found = Delivery.objects.pending().filter(endpoint=endpoint).order_by("position")
    return [delivery.event.kind for delivery in found]


def replay(endpoint, *arguments):
    call_command("replay_events", "--to", str(getattr(endpoint, "code", endpoint)), *arguments)


def test_all_of_it(webhook, history):
    replay(webhook)
    assert waiting(webhook) == ["CONFIRMED", "CANCELLED", "CONFIRMED"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--since=2026-11-25"], ["CANCELLED", "CONFIRMED"]),
        (["--until=2026-11-25"], ["CONFIRMED"]),
        (["--since=2026-11-24T06:30:00Z", "--until=2026-11-24T09:31:00+03:00"], ["CONFIRMED"]),
        (["--since=2026-11-26"], []),
    ],
)
def test_a_stretch_of_time(webhook, history, arguments, expected):
    replay(webhook, *arguments)
    assert waiting(webhook) == expected


def test_one_booking(webhook, history):
    replay(webhook, f"--booking={history.code}")
    assert waiting(webhook) == ["CONFIRMED", "CANCELLED"]


def test_deliveries_forgotten_meanwhile_are_still_sent_in_order(webhook, history, now):
    forget_settled(now=now + timedelta(days=31))
    assert Delivery.objects.filter(endpoint=webhook).count() == 0
    replay(webhook, f"--booking={history.code}")
    (first,) = claim(webhook, limit=10, now=now + timedelta(days=400))
    assert first.event.kind == "CONFIRMED"


def test_only_to_that_listener_and_only_what_it_wants(webhook, history, space):
    choosy = WebhookFactory.create(space=space, kinds=["CANCELLED"])
    elsewhere = WebhookFactory.create()
    replay(choosy)
    replay(elsewhere)
    assert [waiting(each) for each in (webhook, choosy, elsewhere)] == [[], ["CANCELLED"], []]


def test_to_kafka_before_it_was_ever_used(history):
    replay("kafka")
    assert waiting(Endpoint.objects.get(channel="KAFKA")) == ["CONFIRMED", "CANCELLED", "CONFIRMED"]


def test_more_than_one_chunk(webhook, history, monkeypatch):
    monkeypatch.setattr("notifications.relay.CHUNK", 2)
    replay(webhook)
    assert waiting(webhook) == ["CONFIRMED", "CANCELLED", "CONFIRMED"]


def test_deliveries_in_progress_are_not_disturbed(webhook, history, now):
    replay(webhook)
    claimed = claim(webhook, limit=10, now=now + timedelta(days=400))
    replay(webhook)
    for delivery in claimed:
        lease = delivery.lease_expires_at
        delivery.refresh_from_db()
        assert delivery.lease_expires_at == lease


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--to=nobody"], "is not an endpoint"),
        (["--to=00000000-0000-0000-0000-000000000000"], "is not an endpoint"),
        (["--to=kafka", "--since=yesterday"], "is not a date"),
        (["--to=kafka", "--since=2026-11-25", "--until=2026-11-25"], "nothing happened in between"),
        (["--to=kafka", "--booking=7"], "invalid UUID"),
        (["--to=kafka", f"--booking={uuid4()}"], "Nothing happened"),
        ([], "--to"),
    ],
)
def test_a_wrong_argument_is_named(db, arguments, says):
    with pytest.raises(CommandError, match=says):
        call_command("replay_events", *arguments)
    assert not Delivery.objects.exists()


def test_kafka_not_being_set_up_is_reported(history, settings, capsys):
    settings.KAFKA = {**settings.KAFKA, "bootstrap_servers": ""}
    replay("kafka", "--until=2026-11-25")
    said = capsys.readouterr().out
    assert "1 event is on the way to Kafka." in said
    assert "KAFKA_BOOTSTRAP_SERVERS is not set" in said


def test_a_listener_that_is_off_is_reported(webhook, history, capsys):
    webhook.is_active = False
    webhook.save()
    replay(webhook)
    assert "switched off" in capsys.readouterr().out
