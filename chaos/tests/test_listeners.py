"""What listeners write down, and what happens when they are away."""

import json
import smtplib
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from confluent_kafka import Producer

from chaos import history, hooks, mailbox
from chaos.history import Heard, Writer
from chaos.kafka import TOPIC
from chaos.listeners import NAMES, Listeners
from config.tests import http
from config.tests.processes import PATIENCE, wait_for
from notifications.webhooks.messages import Message

pytestmark = pytest.mark.any_database

BOOKING = "0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "history.jsonl"


@pytest.fixture
def writer(path):
    found = Writer(path)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def in_good_health(monkeypatch):
    for name in ("FAILS", "CUTS", "STALLS"):
        monkeypatch.setattr(hooks, name, 0)
    monkeypatch.setattr(mailbox, "PUTS_OFF", 0)


@contextmanager
def started(listener):
    listener.start()
    yield listener
    listener.stop()


@pytest.fixture
def webhooks(writer):
    """The receiver of webhooks alone: Kafka takes seconds to start and stop."""
    with started(hooks.Hooks(writer)) as found:
        yield found


@pytest.fixture
def post(writer):
    """The mail server alone."""
    with started(mailbox.Mailbox(writer)) as found:
        yield found


@pytest.fixture
def listeners(writer):
    with started(Listeners(writer)) as found:
        yield found


@pytest.fixture
def heard(path):
    def read(listener):
        found = [each for each in history.read(path) if isinstance(each, Heard)]
        return [(each.event, each.type) for each in found if each.listener == listener]

    return read


def call(hook, number=1, *, secret="", identity=""):
    """Send an event as the application does."""
    event = f"{BOOKING}.{number}"
    data = {"id": event, "booking": {"code": BOOKING}}
    body = json.dumps({"type": "booking.confirmed", "data": data}).encode()
    message = Message(identity or event, hook.url, body, (secret or hook.secret,))
    with http.client(hook.url, timeout=20) as client:
        return client.post("", content=body, headers=message.headers(datetime.now(UTC)))


def mail(port, message_id):
    with smtplib.SMTP("127.0.0.1", port, timeout=PATIENCE) as server:
        text = f"Message-ID: <{message_id}@[127.0.0.1]>\nSubject: Booked\n\nBooked."
        return server.sendmail("mesto@example.org", "alice@example.org", text)


def produce(settings, number=1):
    producer = Producer(
        {"bootstrap.servers": settings["KAFKA_BOOTSTRAP_SERVERS"], "message.timeout.ms": 1000}
    )
    event = f"{BOOKING}.{number}"
    data = {"id": event, "booking": {"code": BOOKING}}
    content = {"id": event, "type": "mesto.booking.confirmed", "data": data}
    failed = []
    producer.produce(
        TOPIC,
        json.dumps(content).encode(),
        BOOKING.encode(),
        on_delivery=lambda error, _message: failed.append(error) if error else None,
    )
    producer.flush(PATIENCE)
    return not failed


def test_a_webhook_is_heard_each_time_it_comes(webhooks, heard):
    hook = webhooks.hooks["contested"]
    assert [call(hook).status_code for _ in range(2)] == [204, 204]
    call(webhooks.hooks["free"], 2)
    assert heard("contested") == [(f"{BOOKING}.1", "booking.confirmed")] * 2
    assert heard("free") == [(f"{BOOKING}.2", "booking.confirmed")]
    assert webhooks.problems == []


def test_a_call_that_we_did_not_sign_is_a_problem(webhooks, heard):
    one, other = webhooks.hooks["contested"], webhooks.hooks["free"]
    assert call(one, secret=other.secret).status_code == 400
    assert heard("contested") == []
    assert len(webhooks.problems) == 1


def test_a_message_under_another_id_is_a_problem(webhooks):
    call(webhooks.hooks["halls"], identity=f"{BOOKING}.7")
    assert f"{BOOKING}.7 brings {BOOKING}.1" in webhooks.problems[0]


def test_an_old_signature_counts_for_nothing(webhooks):
    hook = webhooks.hooks["quota"]
    message = Message("id", hook.url, b"{}", (hook.secret,))
    headers = {
        name.lower(): value
        for name, value in message.headers(datetime(2026, 1, 1, tzinfo=UTC)).items()
    }
    assert not hooks.is_ours(hook.secret, headers, b"{}")


@pytest.mark.parametrize(
    ("what", "status", "is_heard"), [("FAILS", 500, False), ("CUTS", 0, True), ("STALLS", 0, True)]
)
def test_a_listener_is_sometimes_no_good(what, status, is_heard, webhooks, heard, monkeypatch):
    monkeypatch.setattr(hooks, what, 100)
    monkeypatch.setattr(hooks, "SILENCE", 0.1)
    try:
        found = call(webhooks.hooks["contested"]).status_code
    except httpx.TransportError:
        found = 0
    assert found == status
    assert bool(heard("contested")) == is_heard


def test_mail_is_heard_by_its_id(post, heard):
    mail(post.port, f"{BOOKING}.3")
    mail(post.port, f"{BOOKING}.20261201T1200")  # a reminder
    mail(post.port, "another")
    assert heard("mail") == [(f"{BOOKING}.3", "mail")]


def test_mail_may_be_put_off(post, heard, monkeypatch):
    monkeypatch.setattr(mailbox, "PUTS_OFF", 100)
    with pytest.raises(smtplib.SMTPDataError, match="Come back later"):
        mail(post.port, f"{BOOKING}.3")
    assert heard("mail") == []


def test_each_can_be_away_and_comes_back_where_it_was(listeners, heard):
    port = int(listeners.settings["EMAIL_URL"].rpartition(":")[2])
    send = {
        "webhooks": lambda n: call(listeners.hooks["free"], n).status_code == 204,
        "mail": lambda n: mail(port, f"{BOOKING}.{n}") == {},
        "kafka": lambda n: produce(listeners.settings, n),
    }
    assert list(send) == list(NAMES)

    def check(name, listener, kind):
        assert send[name](1)
        wait_for(lambda: heard(listener) == [(f"{BOOKING}.1", kind)])
        listeners.take_away(name)
        assert not arrives(send[name])
        listeners.bring_back(name)
        wait_for(lambda: arrives(send[name], 2))
        wait_for(lambda: f"{BOOKING}.2" in dict(heard(listener)))

    check("webhooks", "free", "booking.confirmed")
    check("mail", "mail", "mail")
    check("kafka", "kafka", "mesto.booking.confirmed")


def arrives(send, number=3):
    try:
        return send(number)
    except (httpx.TransportError, OSError):
        return False
