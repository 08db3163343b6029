"""The relay: everything reaches every listener, in order, whatever happens on the way."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.deciding import services
from bookings.models import BookingEvent
from bookings.tests.acts import TEN, ask, book, hours
from notifications.factories import WebhookFactory
from notifications.models import Delivery, Endpoint
from notifications.outcomes import Again, Delivered, Refused, Skipped
from notifications.relay import claim, fan_out, forget_settled, release, resend, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def webhook(space):
    return WebhookFactory.create(space=space)


def kinds(deliveries):
    return [delivery.event.kind for delivery in deliveries]


def of(endpoint):
    return Delivery.objects.filter(endpoint=endpoint).order_by("position")


def seconds(n):
    return timedelta(seconds=n)


def test_each_event_becomes_one_delivery_for_each_that_listens(webhook, desk, alice, now):
    book(desk, alice, now)
    assert fan_out(now=now) == 1
    assert fan_out(now=now) == 0
    mail = Endpoint.objects.get(channel="MAIL")
    assert kinds(of(mail)) == kinds(of(webhook)) == ["CONFIRMED"]


def test_kafka_gets_every_event_and_mail_those_for_members(settings, desk, alice, now):
    settings.KAFKA = {**settings.KAFKA, "bootstrap_servers": "127.0.0.1:1"}
    ask(desk, alice, now)
    book(desk, None, now, TEN + hours(4), guest_name="Walk-in", by=alice)
    fan_out(now=now)
    kafka = Endpoint.objects.get(channel="KAFKA")
    assert kinds(of(kafka)) == ["CREATED", "CONFIRMED"]
    assert kinds(of(Endpoint.objects.get(channel="MAIL"))) == []


def test_a_webhook_gets_the_events_it_wants_from_its_own_space(webhook, space, desk, alice, now):
    choosy = WebhookFactory.create(space=space, kinds=["CANCELLED"])
    elsewhere = WebhookFactory.create()
    asleep = WebhookFactory.create(space=space, is_active=False)
    services.cancel(book(desk, alice, now), by=alice, now=now)
    fan_out(now=now)
    assert kinds(of(webhook)) == ["CONFIRMED", "CANCELLED"]
    assert kinds(of(choosy)) == ["CANCELLED"]
    assert [*of(elsewhere), *of(asleep)] == []


def test_a_bookings_next_event_waits_until_the_previous_one_is_settled(webhook, desk, alice, now):
    services.cancel(book(desk, alice, now), by=alice, now=now)
    fan_out(now=now)
    (first,) = claim(webhook, limit=10, now=now)
    assert first.event.kind == "CONFIRMED"
    assert claim(webhook, limit=10, now=now) == []
    settle([(first, Again("busy"))], now=now)
    assert claim(webhook, limit=10, now=now) == []
    (first,) = claim(webhook, limit=10, now=now + seconds(5))
    settle([(first, Delivered())], now=now)
    assert kinds(claim(webhook, limit=10, now=now)) == ["CANCELLED"]


@pytest.mark.parametrize("outcome", [Delivered(), Skipped("nobody"), Refused("never")])
def test_a_settled_delivery_releases_the_next(webhook, desk, alice, now, outcome):
    services.cancel(book(desk, alice, now), by=alice, now=now)
    fan_out(now=now)
    settle([(*claim(webhook, limit=10, now=now), outcome)], now=now)
    assert kinds(claim(webhook, limit=10, now=now)) == ["CANCELLED"]


def test_other_bookings_and_other_endpoints_do_not_wait(webhook, space, desk, alice, now):
    other = WebhookFactory.create(space=space)
    book(desk, alice, now)
    book(desk, alice, now, TEN + hours(4))
    fan_out(now=now)
    first, second = claim(webhook, limit=10, now=now)
    settle([(first, Again("busy"))], now=now)
    assert first.booking != second.booking
    assert len(claim(other, limit=10, now=now)) == 2


def test_nobody_else_sends_while_the_lease_runs(webhook, desk, alice, now, settings):
    settings.DELIVERIES = {**settings.DELIVERIES, "lease_seconds": 30}
    book(desk, alice, now)
    fan_out(now=now)
    (mine,) = claim(webhook, limit=1, now=now)
    assert claim(webhook, limit=1, now=now + seconds(29)) == []
    (theirs,) = claim(webhook, limit=1, now=now + seconds(30))
    settle([(mine, Again("slow"))], now=now + seconds(31))  # too late: it is no longer mine
    theirs.refresh_from_db()
    assert (theirs.attempts, theirs.error) == (0, "")
    settle([(theirs, Delivered())], now=now + seconds(32))
    settle([(mine, Refused("no"))], now=now + seconds(33))
    theirs.refresh_from_db()
    assert (theirs.state, theirs.attempts, theirs.error) == ("DELIVERED", 1, "")


def test_deliveries_not_tried_are_given_back(webhook, desk, alice, now):
    book(desk, alice, now)
    fan_out(now=now)
    release(claim(webhook, limit=1, now=now))
    (again,) = claim(webhook, limit=1, now=now)
    assert again.attempts == 0


def test_each_pause_doubles_and_after_a_day_it_is_given_up(webhook, desk, alice, now):
    book(desk, alice, now)
    fan_out(now=now)
    pauses, at = [], now
    for _ in range(30):
        (delivery,) = claim(webhook, limit=1, now=at)
        settle([(delivery, Again("HTTP 500"))], now=at)
        delivery.refresh_from_db()
        if delivery.state == "DEAD":
            break
        pauses.append(delivery.due_at - at)
        at = delivery.due_at
    *doubling, last = pauses
    assert all(
        seconds(5) * 2**n / 2 <= pause <= seconds(5) * 2**n for n, pause in enumerate(doubling)
    )
    assert at == now + timedelta(hours=24)  # the last try is exactly then
    assert last > timedelta(0)
    assert (delivery.state, delivery.error) == ("DEAD", "HTTP 500")
    assert delivery.attempts == len(pauses) + 1


def test_a_delivery_that_waited_a_day_for_its_first_try_gets_some_more(webhook, desk, alice, now):
    """No worker ran, or it was switched off: one failure is no reason to give up."""
    book(desk, alice, now)
    fan_out(now=now)
    at, tries = now + timedelta(days=3), 0
    while claimed := claim(webhook, limit=1, now=at):
        settle([(claimed[0], Again("HTTP 503", after=seconds(3600)))], now=at)
        claimed[0].refresh_from_db()
        at, tries = claimed[0].due_at, tries + 1
        assert claimed[0].state == ("PENDING" if tries < 8 else "DEAD")
    assert tries == 8


def test_a_permanent_error_is_dead_at_once(webhook, desk, alice, now):
    book(desk, alice, now)
    fan_out(now=now)
    (delivery,) = claim(webhook, limit=1, now=now)
    settle([(delivery, Refused("HTTP 404"))], now=now)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.settled_at, delivery.attempts) == ("DEAD", now, 1)


def test_a_listener_that_asks_for_more_time_gets_it(webhook, desk, alice, now):
    book(desk, alice, now)
    fan_out(now=now)
    (delivery,) = claim(webhook, limit=1, now=now)
    settle([(delivery, Again("HTTP 429", after=seconds(600)))], now=now)
    delivery.refresh_from_db()
    assert delivery.due_at == now + seconds(600)


def test_nothing_is_given_up_because_a_listener_is_down(webhook, desk, alice, now):
    book(desk, alice, now)
    fan_out(now=now)
    at = now
    for _ in range(100):
        at += timedelta(hours=1)
        (delivery,) = claim(webhook, limit=1, now=at)
        settle([(delivery, Again("no broker", is_down=True))], now=at)
        delivery.refresh_from_db()
        assert delivery.due_at - at <= timedelta(minutes=1)
    assert delivery.state == "PENDING"


def test_an_endpoint_that_keeps_failing_rests_and_wakes(webhook, desk, alice, now):
    for n in range(6):
        book(desk, alice, now, TEN + hours(2 * n))
    fan_out(now=now)
    for expected in range(1, 6):
        assert list(Endpoint.objects.on("WEBHOOK").ready(now)) == [webhook]
        settle([(*claim(webhook, limit=1, now=now), Again("down"))], now=now)
        webhook.refresh_from_db()
        assert (webhook.failures, webhook.failing_since) == (expected, now)
    assert list(Endpoint.objects.on("WEBHOOK").ready(now)) == []
    later = now + seconds(5)
    assert list(Endpoint.objects.on("WEBHOOK").ready(later)) == [webhook]
    settle([(*claim(webhook, limit=1, now=later), Delivered())], now=later)
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.failing_since, webhook.rests_until) == (0, None, None)


def test_a_resent_delivery_starts_over_with_the_same_event(webhook, desk, alice, now):
    book(desk, alice, now)
    fan_out(now=now)
    (delivery,) = claim(webhook, limit=1, now=now)
    assert resend([delivery], now=now) == 0  # it is on its way
    settle([(delivery, Refused("HTTP 404"))], now=now)
    later = now + timedelta(days=2)
    assert resend([delivery], now=later) == 1
    (again,) = claim(webhook, limit=1, now=later)
    assert (again.pk, again.attempts, again.error) == (delivery.pk, 0, "")
    settle([(again, Again("HTTP 500"))], now=later)
    again.refresh_from_db()
    assert again.state == "PENDING"  # the day starts when that was requested


def test_delivered_rows_are_forgotten_after_a_while_and_the_log_is_kept(webhook, desk, alice, now):
    for starts_at, outcome in [(TEN, Delivered()), (TEN + hours(2), Refused("never"))]:
        book(desk, alice, now, starts_at)
        fan_out(now=now)
        settle([(*claim(webhook, limit=1, now=now), outcome)], now=now)
    a_month = timedelta(days=30)
    assert forget_settled(now=now + a_month) == 0
    assert forget_settled(now=now + a_month + seconds(1)) == 1
    assert list(of(webhook).values_list("state", flat=True)) == ["DEAD"]
    assert BookingEvent.objects.count() == 2
    fan_out(now=now + a_month)
    assert of(webhook).count() == 1  # and not sent again


def test_a_reminder_is_remembered_until_its_booking_starts(desk, alice, now, settings):
    settings.DELIVERIES = {**settings.DELIVERIES, "retention_days": 1}
    booking = book(desk, alice, now)
    fan_out(now=now)
    mail = Endpoint.objects.get(channel="MAIL")
    Delivery.objects.create(
        endpoint=mail,
        purpose="REMINDER",
        booking=booking,
        reminds_of=now + timedelta(days=7),
        state="DELIVERED",
        created_at=now,
        due_at=now,
        asked_at=now,
        settled_at=now,
    )
    assert forget_settled(now=now + timedelta(days=6)) == 0
    assert forget_settled(now=now + timedelta(days=8)) == 1


def test_the_work_does_not_grow_with_the_number_of_events(webhook, desk, alice, now):
    def all_of_it():
        fan_out(now=now)
        settle([(each, Delivered()) for each in claim(webhook, limit=100, now=now)], now=now)

    book(desk, alice, now)
    all_of_it()
    book(desk, alice, now, TEN + hours(2))
    with CaptureQueriesContext(connection) as one:
        all_of_it()
    for n in range(8):
        book(desk, alice, now, TEN + hours(4 + n), 1)
    with CaptureQueriesContext(connection) as eight:
        all_of_it()
    assert len(eight) == len(one)


def test_events_before_the_first_worker_are_delivered_too(webhook, desk, alice, now):
    """On a new site; one with bookings from before notifications existed starts with new events."""
    book(desk, alice, now - timedelta(days=1), TEN)
    fan_out(now=now)
    assert kinds(of(webhook)) == ["CONFIRMED"]
