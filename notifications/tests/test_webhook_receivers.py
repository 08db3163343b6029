"""What receivers do to webhooks: drip, flood, talk nonsense, and lie about who they are."""

import pytest

from bookings.tests.acts import book
from notifications.factories import WebhookFactory
from notifications.models import Attempt, Delivery
from notifications.tests.receiver import HANG, Answer, drip, receiving
from notifications.tests.webhooks import CERTIFICATE, by_https, deliver, states
from notifications.webhooks.connections import trust

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.django_db,
    pytest.mark.usefixtures("local_addresses", "a_worker_of_its_own"),
]


@pytest.mark.parametrize(
    "answer",
    [
        HANG,
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
        drip(b"H"),
    ],
    ids=["silent", "headers", "body", "chunks", "status"],
)
def test_a_call_has_one_deadline_however_slowly_it_drips(
    webhook, receiver, desk, alice, now, settings, answer
):
    settings.WEBHOOKS = {**settings.WEBHOOKS, "timeout_seconds": 1.5}
    receiver.answers(answer)
    book(desk, alice, now)
    deliver(now)
    attempt = Attempt.objects.get()
    assert attempt.milliseconds >= 1490
    assert attempt.error == "No complete answer within 1.5 seconds."
    assert states() == ["PENDING"]


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8000000\r\n",
    ],
    ids=["endless", "long", "one chunk"],
)
def test_only_64_kib_of_an_answer_are_read(webhook, receiver, desk, alice, now, head):
    receiver.answers(drip(head, b"a" * 8192, 0))
    book(desk, alice, now)
    deliver(now)
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.response_body) == (200, "a" * 64 * 1024)
    assert states() == ["DELIVERED"]


def test_compressed_answers_are_not_decompressed(webhook, receiver, desk, alice, now):
    receiver.answers(Answer(200, b"\x1f\x8bno gzip", {"Content-Encoding": "gzip"}))
    book(desk, alice, now)
    deliver(now)
    assert Attempt.objects.get().response_body == "\x1f\ufffdno gzip"
    assert receiver.received[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "The answer is not HTTP."),
        (b"HTTP/1.1 abc\r\n\r\n", "The answer is not HTTP."),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "The answer is not HTTP."),
        (b"HTTP/1.1 200 " + b"a" * 70_000, "The answer is not HTTP."),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "The answer is not HTTP.",
        ),
        (b"", "The connection was closed before the answer was complete."),
    ],
    ids=["ssh", "no status", "headers", "long line", "no chunk", "nothing"],
)
def test_an_invalid_answer_is_tried_again(webhook, receiver, desk, alice, now, answer, error):
    receiver.answers(lambda _receiver, connection: connection.sendall(answer))
    book(desk, alice, now)
    deliver(now)
    assert Delivery.objects.get(endpoint=webhook).error == error
    assert states() == ["PENDING"]


def test_a_missing_receiver_is_tried_again(webhook, receiver, desk, alice, now):
    receiver.close()
    book(desk, alice, now)
    deliver(now)
    delivery = Delivery.objects.get(endpoint=webhook)
    assert delivery.state == "PENDING"
    assert delivery.error == f"No connection to 127.0.0.1:{receiver.port} (Connection refused)."


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture
def secure():
    with receiving(tls=by_https()) as started:
        yield started


@pytest.fixture
def trusted(monkeypatch):
    """Let this machine trust the receiver's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    trust.cache_clear()
    yield
    trust.cache_clear()


def test_a_self_signed_certificate_is_not_trusted(secure, space, desk, alice, now):
    webhook = WebhookFactory.create(space=space, url=f"https://localhost:{secure.port}/")
    book(desk, alice, now)
    deliver(now)
    assert secure.received == []
    error = Delivery.objects.get(endpoint=webhook).error
    assert error.startswith(f"The certificate of localhost:{secure.port} (")
    assert states() == ["PENDING"]


def test_a_trusted_certificate_is_accepted(secure, trusted, space, desk, alice, now):
    WebhookFactory.create(space=space, url=f"https://localhost:{secure.port}/")
    book(desk, alice, now)
    deliver(now)
    assert len(secure.received) == 1
    assert states() == ["DELIVERED"]


def test_a_certificate_is_valid_only_for_its_own_name(secure, trusted, space, desk, alice, now):
    webhook = WebhookFactory.create(space=space, url=f"https://127.0.0.1:{secure.port}/")
    book(desk, alice, now)
    deliver(now)
    assert secure.received == []
    assert "IP address mismatch" in Delivery.objects.get(endpoint=webhook).error


def test_the_deadline_holds_under_tls(secure, trusted, space, desk, alice, now, settings):
    settings.WEBHOOKS = {**settings.WEBHOOKS, "timeout_seconds": 2}
    secure.answers(drip(b"HTTP/1.1 200 OK\r\nX-Slow: "))
    WebhookFactory.create(space=space, url=f"https://localhost:{secure.port}/")
    book(desk, alice, now)
    deliver(now)
    assert Attempt.objects.get().error == "No complete answer within 2 seconds."


def test_a_server_without_tls_gets_nothing(receiver, space, desk, alice, now, settings):
    settings.WEBHOOKS = {**settings.WEBHOOKS, "timeout_seconds": 0.5}
    WebhookFactory.create(space=space, url=f"https://localhost:{receiver.port}/")
    book(desk, alice, now)
    deliver(now)
    assert receiver.received == []
    assert states() == ["PENDING"]
