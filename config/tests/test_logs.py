"""The log names the request, and nobody: neither who it was nor what opens a door."""

import json
import logging
import sys

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from accounts import watching
from accounts.factories import PASSWORD, UserFactory
from bookings.deciding.queueing import decide_next
from bookings.models import BookingEvent
from bookings.tests.acts import ask, book
from config.management.commands.worker import LANES, Task
from config.tests.log_lines import written
from config.tests.processes import PATIENCE
from config.tests.walk import (
    every_address,
    path_of,
    rows,  # noqa: F401 - a fixture
    sessions,  # noqa: F401 - a fixture
    undone,
)
from config.watching import logs, requests
from notifications.factories import WebhookFactory
from notifications.kafka.requests import Received, take
from notifications.tests.receiver import receiving
from notifications.tests.webhooks import deliver
from notifications.webhooks import sending

NAME, MAIL, PHONE = "Kanareika", "kanareika@example.org", "+44 20 7946 0123"
CANARIES = (NAME, MAIL, PHONE, "+442079460123", NAME.lower())


@pytest.fixture
def lines():
    with written() as found:
        yield found


def secrets_in(text):
    return [canary for canary in CANARIES if canary in text]


def broken(execute, sql, params, many, context):
    raise ValueError(f"{NAME} <{MAIL}>, {PHONE}")


@pytest.mark.any_database
@pytest.mark.django_db
def test_no_page_logs_what_it_was_asked_for(rows, sessions, lines, settings):  # noqa: F811 - fixtures
    """Neither addresses, which may open doors, nor what was typed; also when everything fails."""
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "readable" not in each]
    typed = dict.fromkeys(("q", "name", "email", "note", "username", "password", "next"), NAME)
    for here in every_address(rows, sessions):
        client = here.come(raise_request_exception=False)
        with undone():
            real = here.path
            client.get(real, {"q": NAME, "who": MAIL})
            client.post(path_of(here.route, rows, garbage=NAME), {**typed, "phone": PHONE})
        with undone(), connection.execute_wrapper(broken):
            client.post(f"{real}?q={NAME}", typed)
    found = lines.getvalue()
    assert secrets_in(found) == []
    keys = [rows["doorview"].key, rows["feed"].code, rows["booking"].code]
    assert [key for key in keys if str(key) in found] == []
    assert {line["status"] for line in lines.called("request")} >= {200, 302, 404, 405, 500}
    assert {line["exception"][0]["type"] for line in lines.called("request failed")} >= {
        "ValueError"
    }


@pytest.mark.django_db(transaction=True)
def test_neither_people_nor_programs_nor_workers_leave_their_names(
    space, desk, host, soon, lines, settings, monkeypatch
):
    settings.MAILERS = {"default": {**settings.MAILERS["default"], "BACKEND": "no.such.Mailer"}}
    person = UserFactory.create(username=NAME, name=NAME, email=MAIL)
    client = Client(raise_request_exception=False)
    client.post("/accounts/login/", {"username": NAME, "password": PASSWORD})
    client.post("/accounts/login/", {"username": NAME, "password": NAME})
    client.post(
        "/api/v1/auth/token",
        {"username": NAME, "password": NAME},
        content_type="application/json",
    )
    for query in (f'{{ spaces(after: "{NAME}") {{ items {{ slug }} }} }}', f"{{ {NAME} }}"):
        asked = {"query": query, "variables": {"q": NAME}}
        client.post("/api/graphql", asked, content_type="application/json")
        with connection.execute_wrapper(broken):
            client.post("/api/graphql", asked, content_type="application/json")
    client.post("/accounts/register/", {"username": NAME, "password1": NAME, "password2": NAME})
    book(desk, person, soon, note=NAME, starts_at=soon)
    later = soon.replace(hour=15)
    book(desk, None, soon, by=host, guest_name=NAME, guest_contact=PHONE, starts_at=later)
    WebhookFactory.create(space=space, url=f"http://127.0.0.1:9/{NAME}")
    tasks = [Task(step) for steps in LANES.values() for step in steps]
    for task in tasks:
        task.run(0.01)
    for task in tasks:
        task.due_at = 0
        task.step = failing(task.step)
        task.run(0.01)
    found = lines.getvalue()
    assert secrets_in(found) == []
    assert found.count("failed; next try") == len(tasks)


def failing(step):
    def fail(*, now):
        raise RuntimeError(f"{NAME} {MAIL}") from ValueError(PHONE)

    fail.__name__ = step.__name__
    return fail


@pytest.mark.django_db(transaction=True)
def test_one_id_leads_from_the_page_to_the_webhook(
    space, desk, alice, soon, client, lines, settings, monkeypatch
):
    settings.WEBHOOKS = {"timeout_seconds": PATIENCE, "allow_private": True}
    sender = sending.Sender()
    monkeypatch.setattr(sending, "_sender", sender)
    client.force_login(alice)
    with receiving() as receiver:
        WebhookFactory.create(space=space, url=receiver.url)
        answer = client.post("/bookings/", wish(desk, soon))
        assert answer.status_code == 302
        deliver(soon)
        [call] = receiver.received
        sender.finish(now=soon)
    given = answer[requests.HEADER]
    assert call.headers["x-request-id"] == given
    assert BookingEvent.objects.get().request_id == given
    [asked] = lines.called("request")
    assert (asked["request_id"], asked["route"], asked["status"]) == (given, "bookings/", 302)
    [told] = lines.called("delivery")
    assert (told["request_id"], told["outcome"]) == (given, "delivered")


def wish(desk, soon):
    return {
        "place": str(desk.code),
        "starts_at": f"{soon:%Y-%m-%dT%H:%M}",
        "ends_at": f"{soon.replace(hour=12):%Y-%m-%dT%H:%M}",
        "party_size": "1",
        "request_key": "a-key",
    }


@pytest.mark.django_db(transaction=True)
def test_a_worker_decides_in_the_name_of_the_request(desk, alice, now, lines):
    with watching.caused_by("who-asked"):
        booking = ask(desk, alice, now)
    assert decide_next(now=now) == 1
    assert {event.request_id for event in booking.events.all()} == {"who-asked"}
    [decided] = lines.called("decided")
    assert (decided["request_id"], decided["booking"]) == ("who-asked", str(booking.code))


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("proxies", "given", "is_kept"),
    [
        (1, "from-our-proxy-1", True),
        (0, "from-a-stranger", False),
        (1, "short", False),
        (1, "two words, and more", False),
        (1, "x" * 65, False),
    ],
)
def test_only_our_proxy_names_a_request(settings, proxies, given, is_kept):
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/healthz", headers={requests.HEADER: given})
    answer = requests.middleware(lambda _request: HttpResponse())(request)
    assert (answer[requests.HEADER] == given) is is_kept
    assert answer[requests.HEADER]


@pytest.mark.any_database
@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "ru"])
def test_error_pages_show_the_id(client, language):
    client.raise_request_exception = False
    missing = client.get("/nothing/", headers={"Accept-Language": language})
    with connection.execute_wrapper(broken):
        failed = client.get("/", headers={"Accept-Language": language})
    assert (missing.status_code, failed.status_code) == (404, 500)
    for page in (missing, failed):
        assert f"<code>{page[requests.HEADER]}</code>" in page.text


@pytest.mark.any_database
def test_messages_of_libraries_are_told_without_what_they_were_about(lines):
    logging.getLogger("axes.attempts").warning("failed login of %s", NAME)
    logging.getLogger("gunicorn.error").warning("Invalid request from ip=%s: %s", "1.2.3.4", NAME)
    logging.getLogger("strawberry.execution").error(ValueError(NAME))
    logging.getLogger("another.package").warning(f"{NAME} is wrong")
    logging.getLogger("mesto.mail").warning("mail server: %s", f"550 <{MAIL}> call {PHONE}")
    assert secrets_in(lines.getvalue()) == []
    assert lines.read_all()[-1]["message"] == "mail server: 550 <…> call …"


@pytest.mark.django_db(transaction=True)
def test_a_refused_request_from_kafka_is_named_by_its_place(lines):
    asked = json.dumps({"member": NAME, "guest_name": NAME, "note": PHONE, "place": MAIL})
    assert take(Received("topic", 0, 1, asked.encode()), now=timezone.now()) is None
    assert secrets_in(lines.getvalue()) == []
    assert lines.read_all()[-1]["message"] == "request topic 0 1 refused: invalid"


@pytest.mark.any_database
def test_what_ends_a_worker_is_logged_as_the_rest(lines, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    logs.log_what_ends_us()
    error = ValueError(NAME)
    sys.excepthook(ValueError, error, None)
    [line] = lines.read_all()
    assert line["exception"] == [{"type": "ValueError", "said": "", "frames": []}]


@pytest.mark.any_database
def test_people_read_a_line():
    record = logging.LogRecord("mesto.worker", logging.INFO, "", 1, "worker %s", ("started",), None)
    assert "worker started" in logs.console_formatter().format(record)
