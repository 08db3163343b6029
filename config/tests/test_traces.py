"""From a request to the webhook's call: one id, one trace, and nobody's name."""

import json
import logging
import subprocess
import sys

import brotli
import pytest
import sentry_sdk
from django.conf import settings as site
from django.utils import timezone

from accounts import watching
from accounts.factories import UserFactory
from accounts.tests.programs import issue
from bookings.models import BookingEvent
from bookings.tests.acts import book
from config.tests import http
from config.tests.collector import collecting
from config.tests.processes import environ, wait_for
from config.tests.test_kept_boards import process
from config.watching import reports, tracing
from notifications.factories import WebhookFactory
from notifications.kafka import consuming, envelope
from notifications.kafka.producing import deliver_to_kafka
from notifications.models import Delivery
from notifications.relay import fan_out
from notifications.tests.receiver import receiving

CANARY = "Kanareika"


@pytest.mark.one_database("postgresql")
@pytest.mark.django_db(transaction=True)
def test_one_id_and_one_trace_lead_from_the_request_to_the_webhook(
    space, desk, soon, tmp_path, manage
):
    member = UserFactory.create(username=CANARY, name=CANARY, email=f"{CANARY}@example.org")
    _row, token = issue(member)
    with collecting() as collector, receiving() as receiver:
        WebhookFactory.create(space=space, url=f"{receiver.url}{CANARY}")
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with process(tmp_path, **traced) as url:
            answer = http.client(url).post(
                "/api/v1/bookings",
                headers={"Authorization": f"Bearer {token}", "Prefer": "respond-async"},
                json=wish(desk, soon),
            )
            assert answer.status_code == 202, answer.text
            worker = manage("worker", WEBHOOK_ALLOW_PRIVATE="true", **traced)
            wait_for(lambda: len(receiver.received) == 3)
            wait_for(lambda: not Delivery.objects.pending().exists())
            worker.terminate()
            _out, worker_log = worker.communicate()
        web_log = next(tmp_path.glob("web-*")).read_text()

    given = answer.headers["X-Request-ID"]
    calls = [call.headers for call in receiver.received]
    assert {call["x-request-id"] for call in calls} == {given}
    assert set(BookingEvent.objects.values_list("request_id", flat=True)) == {given}
    [asked] = [line for line in lines(web_log) if line.get("route") == "api/v1/bookings"]
    assert (asked["request_id"], asked["status"]) == (given, 202)
    told = {line["message"] for line in lines(worker_log) if line.get("request_id") == given}
    assert told == {"decided", "delivery"}

    [trace] = {call["traceparent"].split("-")[1] for call in calls}
    assert asked["trace_id"] == trace
    paths = [collector.path(span) for span in collector.of_trace(trace)]
    first = "POST api:create_booking"
    assert [first, "request", "INSERT"] in paths
    assert [first, "request", "event created", "INSERT"] in paths
    decided = [first, "request", "event created", "decide", "_decide", "event confirmed"]
    assert [*decided, "INSERT"] in paths
    assert [*decided, "deliver webhook"] in paths
    for text in (web_log, worker_log, collector.raw.decode(errors="replace")):
        assert CANARY not in text


def lines(log):
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def wish(desk, soon):
    return {
        "place": str(desk.code),
        "starts_at": soon.isoformat(),
        "ends_at": soon.replace(hour=12).isoformat(),
        "party_size": 1,
        "note": CANARY,
    }


@pytest.mark.any_database
@pytest.mark.django_db
def test_mail_and_kafka_name_the_request(space, desk, alice, now):
    with watching.caused_by("the-request"):
        event = book(desk, alice, now).events.get()
    assert ("x-request-id", b"the-request") in envelope.message(event)[1]
    event.traceparent = f"00-{'a' * 32}-{'b' * 16}-01"
    assert ("traceparent", event.traceparent.encode()) in envelope.message(event)[1]


@pytest.fixture
def traced(monkeypatch):
    """Trace in this process; return what the collector has got when it is over."""
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        traces = tracing.Traces()
        watching.trace_with(traces)
        try:
            yield lambda: traces.provider.force_flush() and collector
        finally:
            watching.trace_with(None)
            traces.provider.shutdown()


@pytest.mark.any_database
@pytest.mark.django_db
def test_a_trace_goes_on_in_kafka_and_in_what_comes_from_it(kafka, desk, alice, now, traced):
    with watching.caused_by("the-request"), watching.span("page", kind="server"):
        book(desk, alice, now)
    fan_out(now=now)
    assert deliver_to_kafka(now=timezone.now()) == 1
    [record] = kafka.read("mesto.bookings", 1)
    assert record.headers["x-request-id"] == "the-request"
    _version, trace, last, _flags = record.headers["traceparent"].split("-")
    collector = traced()
    [delivered] = [span for span in collector.of_trace(trace) if span.span_id.hex() == last]
    assert collector.path(delivered) == ["page", "book", "event confirmed", "deliver kafka"]
    assert ["page", "book", "INSERT"] in map(collector.path, collector.spans)


@pytest.mark.any_database
@pytest.mark.django_db
def test_a_span_says_of_an_error_what_kind_it_is(traced):
    with pytest.raises(ValueError, match=CANARY), watching.span("page"):
        raise ValueError(CANARY)
    collector = traced()
    [span] = collector.spans
    assert (span.status.code, span.status.message) == (2, "ValueError")
    assert CANARY.encode() not in collector.raw


class Message:
    """As confluent-kafka gives it."""

    def __init__(self, *headers):
        self.headers = lambda: list(headers) or None


@pytest.mark.any_database
def test_a_request_from_kafka_keeps_its_id_and_its_trace():
    parent = f"00-{'a' * 32}-{'b' * 16}-01"
    named = Message(("X-Request-ID", b"from-a-program"), ("traceparent", parent.encode()))
    assert consuming._cause(named) == ("from-a-program", parent)
    strange = Message(("x-request-id", f"{CANARY} was here".encode()), ("traceparent", b"\xff"))
    for message in (strange, Message()):
        request_id, traceparent = consuming._cause(message)
        assert (len(request_id), traceparent) == (32, "")


@pytest.mark.any_database
@pytest.mark.django_db
def test_nothing_is_imported_that_no_setting_asks_for():
    script = (
        "import sys, django; django.setup(); import config.urls;"
        "print([name for name in ('opentelemetry', 'sentry_sdk') if name in sys.modules])"
    )
    given = environ(DJANGO_SETTINGS_MODULE="config.settings", SENTRY_DSN="")
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=site.BASE_DIR, env=given, capture_output=True, text=True
    )
    assert ran.stdout.strip() == "[]", ran.stderr


@pytest.mark.any_database
def test_a_report_says_where_and_not_who(monkeypatch):
    with receiving() as receiver:
        address = receiver.url.removeprefix("http://").rstrip("/")
        reports.begin(f"http://key@{address}/1", http_proxy="", keep_alive=False)
        try:
            with watching.caused_by("the-request"):
                fail()
            sentry_sdk.get_client().close()
        finally:
            sentry_sdk.get_global_scope().set_client(None)
    sent = b"\n".join(map(brotli.decompress, receiver.bodies()))
    assert CANARY.encode() not in sent
    [report] = [json.loads(line) for line in sent.splitlines() if b'"exception"' in line]
    assert report["tags"] == {"request_id": "the-request", "step": "remind"}
    assert report["logentry"] == {"message": "a step failed"}
    cause, error = report["exception"]["values"]
    assert (error["type"], error["value"]) == ("RuntimeError", "")
    assert (cause["type"], cause["value"]) == ("ConnectionRefusedError", "Connection refused")
    assert error["stacktrace"]["frames"][-1]["function"] == "fail"


def fail():
    try:
        refused = ConnectionRefusedError(111, "Connection refused", f"/home/{CANARY}")
        raise RuntimeError(f"for {CANARY}") from refused
    except RuntimeError:
        logging.getLogger("mesto.worker").exception("a step failed", extra={"step": "remind"})
