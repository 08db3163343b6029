"""Webhooks to a real receiver: signed, in order, retried after a failure, and given up."""

import json
import threading
import time
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import WebhookVerificationError

from bookings.deciding import services as bookings
from bookings.tests.acts import TEN, book, hours
from bookings.words.representation import event_id
from config.tests.processes import PATIENCE, wait_for
from notifications.factories import WebhookFactory
from notifications.models import Attempt, Delivery
from notifications.relay import fan_out
from notifications.tests.receiver import HANG, Answer, drip, receiving
from notifications.tests.webhooks import deliver, later, states, verified
from notifications.webhooks import sending, services

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.django_db,
    pytest.mark.usefixtures("local_addresses", "a_worker_of_its_own"),
]

AN_HOUR = {"hours": 1}


def told(receiver):
    """Return (code of the booking, what happened) of each request."""
    bodies = map(json.loads, receiver.bodies())
    return [(body["data"]["booking"]["code"], body["data"]["kind"]) for body in bodies]


def test_an_event_arrives_signed(webhook, receiver, desk, alice, now):
    booking = book(desk, alice, now)
    deliver(now)
    [request] = receiver.received
    body = verified(request, webhook.secret)
    assert body["type"] == "booking.confirmed"
    assert body["data"]["booking"]["code"] == str(booking.code)
    assert request.headers["webhook-id"] == event_id(booking.events.get())
    assert request.headers["content-type"] == "application/json"
    assert states() == ["DELIVERED"]


def test_another_secret_or_body_does_not_verify(webhook, receiver, desk, alice, now):
    book(desk, alice, now)
    deliver(now)
    [request] = receiver.received
    with pytest.raises(WebhookVerificationError):
        verified(request, services._new_secret())
    with pytest.raises(WebhookVerificationError):
        verified(replace(request, body=request.body + b" "), webhook.secret)


def test_a_signature_that_is_old_on_arrival_does_not_verify(webhook, receiver, desk, alice, now):
    book(desk, alice, now)
    deliver(now)
    [request] = receiver.received
    late = replace(request, at=request.at + timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError, match="too old"):
        verified(late, webhook.secret)


def test_unwanted_events_are_not_sent(webhook, receiver, desk, alice, now):
    webhook.kinds = ["CANCELLED"]
    webhook.save()
    booking = book(desk, alice, now)
    bookings.cancel(booking, by=alice, now=now)
    deliver(now)
    assert told(receiver) == [(str(booking.code), "CANCELLED")]


def test_another_space_hears_nothing(webhook, receiver, desk, alice, now):
    other = WebhookFactory.create(space__slug="other", url=f"{receiver.url}other")
    book(desk, alice, now)
    deliver(now)
    assert [request.path for request in receiver.received] == ["/"]
    assert states(other) == []


def test_the_record_has_request_answer_and_time(webhook, receiver, desk, alice, now):
    receiver.answers(Answer(200, b"th\x00nks \xff", {"X-Trace": "7"}))
    book(desk, alice, now)
    deliver(now)
    attempt = Attempt.objects.get()
    assert attempt.status == 200
    assert attempt.response_headers["X-Trace"] == "7"
    assert attempt.response_body == "th\ufffdnks \ufffd"
    assert attempt.request_headers["webhook-id"] == receiver.received[0].headers["webhook-id"]
    assert 0 <= attempt.milliseconds < 1000 * PATIENCE
    assert attempt.error == ""


# --- Again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 599])
def test_temporary_failures_are_tried_again(webhook, receiver, desk, alice, now, status):
    receiver.answers(Answer(status), Answer(204))
    book(desk, alice, now)
    deliver(now)
    assert states() == ["PENDING"]
    deliver(now)
    assert len(receiver.received) == 1  # not before it is due
    deliver(later(now, **AN_HOUR))
    assert states() == ["DELIVERED"]


def test_each_try_has_the_same_id_and_body_and_a_new_timestamp(webhook, receiver, desk, alice, now):
    receiver.answers(Answer(500), Answer(204))
    book(desk, alice, now)
    deliver(now)
    # Signatures are timestamped in seconds: wait for the next one.
    wait_for(lambda: time.time() >= int(receiver.received[0].headers["webhook-timestamp"]) + 1)
    deliver(later(now, **AN_HOUR))
    first, second = receiver.received
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] < second.headers["webhook-timestamp"]
    assert verified(second, webhook.secret)


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("600", 600, 600),
        ("9" * 400, 24 * 3600, 24 * 3600),  # no longer than that
        ("in two hours", 7200, 7200),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 2, 5),  # past: our own pause
        ("-5", 2, 5),
        ("soon", 2, 5),
        ("٣٠٠", 2, 5),
        ("", 2, 5),
    ],
)
def test_retry_after_is_honoured(webhook, receiver, desk, alice, now, clock, header, least, most):
    if header == "in two hours":  # as a date
        header = format_datetime(clock.now + timedelta(hours=2), usegmt=True)
    receiver.answers(
        drip(b"HTTP/1.1 429 Slow\r\nRetry-After: %b\r\n\r\n" % header.encode(), b"", 0)
    )
    receiver.let_go()
    book(desk, alice, now)
    deliver(now)
    delivery = Delivery.objects.get(endpoint=webhook)
    assert delivery.state == "PENDING"
    assert least <= (delivery.due_at - now).total_seconds() <= most


def test_one_bookings_events_arrive_in_order(webhook, receiver, desk, alice, bob, now):
    receiver.answers(Answer(500), Answer(204))
    one = book(desk, alice, now)
    bookings.cancel(one, by=alice, now=now)
    other = book(desk, bob, now, TEN + hours(4))
    deliver(now)
    deliver(later(now, **AN_HOUR))
    mine = [kind for code, kind in told(receiver) if code == str(one.code)]
    assert mine in (["CONFIRMED", "CONFIRMED", "CANCELLED"], ["CONFIRMED", "CANCELLED"])
    assert told(receiver).count((str(other.code), "CONFIRMED")) in (1, 2)
    assert len(receiver.received) == 4  # one of the two was sent twice
    assert states() == ["DELIVERED"] * 3


def test_after_a_day_of_failures_it_is_given_up(webhook, receiver, desk, alice, now):
    receiver.answers(Answer(503))
    book(desk, alice, now)
    deliver(now)
    for hour in range(1, 30):
        deliver(later(now, hours=hour))
    delivery = Delivery.objects.get(endpoint=webhook)
    assert (delivery.state, delivery.error) == ("DEAD", "Answered 503.")
    webhook.refresh_from_db()
    assert webhook.failing_since == now
    assert webhook.is_active


def test_a_hanging_receiver_holds_nobody_up(webhook, receiver, space, desk, alice, now):
    with receiving() as slow:
        slow.answers(HANG)
        other = WebhookFactory.create(space=space, url=slow.url)
        for n in range(6):
            book(desk, alice, now, TEN + hours(n), 1)
        fan_out(now=now)
        wait_for(lambda: sending.deliver_webhooks(now=now) and states(webhook) == ["DELIVERED"] * 6)
        assert states(other) == ["PENDING"] * 6
        assert len(slow.received) <= sending.MOST_OF_ONE
        slow.let_go()
        sending.finish_webhooks()


def test_a_failing_receiver_is_called_one_at_a_time(webhook, receiver, desk, alice, now):
    receiver.answers(Answer(500))
    for n in range(6):
        book(desk, alice, now, TEN + hours(n), 1)
    deliver(now)
    webhook.refresh_from_db()
    before, called = webhook.failures, len(receiver.received)
    assert before > 0
    receiver.answers(HANG)
    at = later(now, **AN_HOUR)
    sending.deliver_webhooks(now=at)
    receiver.wait_for(called + 1)
    sending.deliver_webhooks(now=at)
    assert len(receiver.received) == called + 1
    receiver.let_go()


def test_one_connection_serves_many_calls(webhook, receiver, desk, alice, now):
    for n in range(8):
        book(desk, alice, now, TEN + hours(n), 1)
    deliver(now)
    assert states() == ["DELIVERED"] * 8
    assert receiver.connected <= sending.MOST_OF_ONE


def test_a_worker_that_stops_ends_its_calls(webhook, receiver, desk, alice, now):
    receiver.answers(drip(b"HTTP/1.1 204 No\r\n", b"", 0.1))
    book(desk, alice, now)
    fan_out(now=now)
    sending.deliver_webhooks(now=now)
    receiver.wait_for(1)
    receiver.let_go()
    sending.finish_webhooks()
    assert Attempt.objects.count() == 1


# --- No more --------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422, 451])
def test_hopeless_failures_are_given_up_at_once(webhook, receiver, desk, alice, now, status):
    receiver.answers(Answer(status))
    book(desk, alice, now)
    deliver(now)
    delivery = Delivery.objects.get(endpoint=webhook)
    assert (delivery.state, delivery.error) == ("DEAD", f"Answered {status}.")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(webhook, receiver, desk, alice, now, status):
    with receiving() as elsewhere:
        receiver.answers(Answer(status, headers={"Location": elsewhere.url}))
        book(desk, alice, now)
        deliver(now)
        assert elsewhere.connected == 0
    assert len(receiver.received) == 1
    delivery = Delivery.objects.get(endpoint=webhook)
    assert delivery.state == "DEAD"
    assert delivery.error == f"Answered with a redirect ({status}), and redirects are not followed."


def test_gone_switches_the_webhook_off(webhook, receiver, desk, alice, now):
    receiver.answers(Answer(410))
    book(desk, alice, now)
    deliver(now)
    book(desk, alice, now, TEN + hours(4))
    deliver(later(now, **AN_HOUR))
    webhook.refresh_from_db()
    assert not webhook.is_active
    assert states() == ["DEAD"]
    assert len(receiver.received) == 1


def test_gone_does_not_affect_an_address_set_meanwhile(
    webhook, receiver, manager, desk, alice, now
):
    is_changed = threading.Event()

    def gone(_receiver, connection):
        is_changed.wait(PATIENCE)
        connection.sendall(b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n")

    receiver.answers(gone)
    book(desk, alice, now)
    fan_out(now=now)
    sending.deliver_webhooks(now=now)
    receiver.wait_for(1)
    services.change(webhook, url=f"{receiver.url}new", kinds=[], by=manager)
    is_changed.set()
    sending.finish_webhooks()
    webhook.refresh_from_db()
    assert states() == ["DEAD"]
    assert webhook.is_active


def test_all_take_turns_when_there_are_more_than_can_be_called_at_once(
    space, receiver, alice, now, monkeypatch
):
    monkeypatch.setattr(sending, "MOST_CALLS", 1)
    for path in ("a", "b", "c"):
        WebhookFactory.create(space=space, url=receiver.url + path)
    for n in range(3):
        book(space.places.get(number=1), alice, now, TEN + hours(n), 1)
    deliver(now)
    assert [request.path for request in receiver.received] == ["/a", "/b", "/c"] * 3


# --- Secrets, tests, resending --------------------------------------------------------------------


def test_after_a_change_of_secrets_both_sign_for_a_day(
    webhook, receiver, manager, desk, alice, now
):
    old = webhook.secret
    new = services.new_secret(webhook, by=manager, now=now)
    assert new != old
    book(desk, alice, now)
    deliver(now)
    book(desk, alice, now, TEN + hours(4))
    deliver(later(now, hours=24))
    during, after = receiver.received
    assert verified(during, old)
    assert verified(during, new)
    assert verified(after, new)
    with pytest.raises(WebhookVerificationError):
        verified(after, old)


def test_a_test_only_describes_itself(webhook, receiver, now):
    services.ping(webhook, now=now)
    deliver(now)
    [request] = receiver.received
    body = verified(request, webhook.secret)
    assert body == {
        "type": "ping",
        "timestamp": "2026-11-25T06:30:00+00:00",
        "data": {"webhook": str(webhook.code), "space": "loft"},
    }


def test_a_resent_event_keeps_its_id(webhook, receiver, desk, alice, now):
    receiver.answers(Answer(404), Answer(204))
    book(desk, alice, now)
    deliver(now)
    delivery = Delivery.objects.get(endpoint=webhook)
    assert services.resend(delivery, now=later(now, **AN_HOUR))
    deliver(later(now, **AN_HOUR))
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert states() == ["DELIVERED"]
    assert delivery.log.count() == 2


def test_a_waiting_delivery_can_be_tried_at_once(webhook, receiver, desk, alice, now):
    receiver.answers(Answer(500), Answer(204))
    book(desk, alice, now)
    deliver(now)
    delivery = Delivery.objects.get(endpoint=webhook)
    assert services.resend(delivery, now=now)
    assert not services.resend(delivery, now=now)  # it is on its way
    deliver(now)
    assert states() == ["DELIVERED"]
    assert Delivery.objects.get(endpoint=webhook).attempts == 2


def test_a_webhook_that_is_off_is_not_tested(webhook, manager, now):
    services.switch(webhook, on=False, by=manager)
    with pytest.raises(services.IsOff):
        services.ping(webhook, now=now)


def test_events_while_it_was_off_are_not_sent(webhook, receiver, manager, desk, alice, now):
    services.switch(webhook, on=False, by=manager)
    book(desk, alice, now)
    deliver(now)
    services.switch(webhook, on=True, by=manager)
    deliver(now)
    assert receiver.received == []
