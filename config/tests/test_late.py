"""A request that nobody waits for any more changes nothing."""

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta

import httpx
import pytest

from accounts import lateness
from bookings.deciding import services
from bookings.deciding.wish import Wish
from bookings.models import Booking, BookingEvent
from bookings.tests.programs import kind, program, token, wish
from config.tests import http
from config.tests.processes import PATIENCE, environ, wait_for
from config.worker import waited
from scripts import postgres

LATE = 8.5


@pytest.fixture
def member(client, alice):
    client.force_login(alice)
    client.raise_request_exception = False
    return client


def hour(desk, member, starts_at):
    ends_at = starts_at + timedelta(hours=1)
    return Wish(place=desk, member=member, starts_at=starts_at, ends_at=ends_at)


def form(desk, soon):
    return {
        "place": desk.code,
        "starts_at": f"{soon:%Y-%m-%dT%H:%M}",
        "ends_at": f"{soon + timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "request_key": "a key",
    }


def test_a_page_answers_503_and_keeps_what_was_sent(member, desk, soon):
    with lateness.arrived(LATE):
        answer = member.post("/bookings/", form(desk, soon))
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert 'value="a key"' in answer.content.decode()
    assert not Booking.objects.exists()


def test_the_api_answers_503_and_the_same_key_works_afterwards(alice, desk, soon):
    api = program(alice)
    api.client.raise_request_exception = False
    with lateness.arrived(LATE):
        answer = api.post("/bookings", wish(desk, soon), idempotency_key="a-key")
    assert kind(answer) == (503, "unavailable")
    assert api.post("/bookings", wish(desk, soon), idempotency_key="a-key").status_code == 201


@pytest.mark.parametrize("ago", [0, 7])
def test_in_time_everything_is_as_always(ago, member, desk, soon):
    with lateness.arrived(ago):
        assert member.post("/bookings/", form(desk, soon)).status_code == 302


def test_it_is_never_too_late_to_look(member):
    with lateness.arrived(LATE):
        assert member.get("/bookings/").status_code == 200


@pytest.mark.parametrize("change", ["book", "request", "cancel", "reschedule"])
def test_what_is_late_in_the_end_is_undone(change, alice, desk, now, monkeypatch):
    wanted = hour(desk, alice, now + timedelta(hours=3.5))
    booking = services.book(wanted, by=alice, now=now)
    before = list(Booking.objects.values()), list(BookingEvent.objects.values())
    another = hour(desk, alice, now + timedelta(hours=5.5))
    times = {"starts_at": another.starts_at, "ends_at": another.ends_at}
    do = {
        "book": lambda: services.book(another, by=alice, now=now),
        "request": lambda: services.request(another, by=alice, now=now),
        "cancel": lambda: services.cancel(booking, by=alice, now=now),
        "reschedule": lambda: services.reschedule(booking, place=desk, **times, by=alice, now=now),
    }
    # It was stopped in the middle.
    monkeypatch.setattr(lateness, "clock", iter([0, LATE]).__next__)
    with lateness.arrived(0), pytest.raises(lateness.Late):
        do[change]()
    assert (list(Booking.objects.values()), list(BookingEvent.objects.values())) == before


def test_a_command_takes_its_time(alice, desk, now):
    wanted = hour(desk, alice, now + timedelta(hours=3.5))
    assert services.book(wanted, by=alice, now=now).occupies


@pytest.mark.any_database
@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux says how long data has waited.")
def test_the_kernel_knows_how_long_a_request_has_waited():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        time.sleep(0.1)
        ours, _address = server.accept()
        with ours:
            assert waited(ours) >= 0.09


def test_a_socket_of_another_kind_has_not_waited():
    one, other = socket.socketpair()
    with one, other:
        assert waited(one) == 0


@pytest.fixture
def web(transactional_db):
    """A web node with one process, whose requests are late as early as may be."""
    port = postgres.free_port()
    env = environ(
        LISTEN="127.0.0.1",
        PORT=str(port),
        WEB_CONCURRENCY="1",
        ALLOWED_HOSTS="127.0.0.1",
        REQUEST_SECONDS="4",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: is_ready(url))
        yield process, url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def is_ready(url):
    try:
        return http.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.django_db(transaction=True)
def test_what_a_stopped_node_finds_when_it_goes_on_is_too_late(web, alice, desk, soon):
    process, url = web
    headers = {"Authorization": f"Bearer {token(alice)}"}
    with http.client(f"{url}/api/v1", headers=headers) as api:
        os.killpg(process.pid, signal.SIGSTOP)
        with pytest.raises(httpx.ReadTimeout):
            api.post("/bookings", json=wish(desk, soon), timeout=4.3)
        os.killpg(process.pid, signal.SIGCONT)
        # One after the other: the late one has been answered when this is.
        assert api.get("/bookings", timeout=PATIENCE).json()["items"] == []
        assert api.post("/bookings", json=wish(desk, soon), timeout=PATIENCE).status_code == 201
