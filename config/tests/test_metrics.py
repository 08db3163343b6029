"""`/metrics` adds up over all web processes, names routes only, and is for Prometheus alone."""

import os
import re
import signal
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import get_resolver

from accounts import watching
from bookings.deciding import services
from bookings.deciding.errors import Refused
from bookings.deciding.transactions import transactional
from bookings.tests.acts import ask, book, hours
from config.databases.breaker import Breaker
from config.tests import http
from config.tests.processes import wait_for
from config.tests.test_kept_boards import process
from config.tests.walk import (
    addresses,
    every_address,
    rows,  # noqa: F401 - a fixture
    sessions,  # noqa: F401 - a fixture
    undone,
)
from config.watching import metrics, requests
from config.watching.page import serve_worker
from notifications.relay import fan_out

TOKEN = "a-token-for-tests"
SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")
REQUESTS = 1000


def samples(text):
    """Return the values by name and labels."""
    found = Counter()
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.match(line).groups()
            found[name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels or ""))] += float(value)
    return found


def total(found, name, **labels):
    wanted = set(labels.items())
    return sum(value for (one, its), value in found.items() if one == name and wanted <= its)


def read(url, token=TOKEN):
    answer = http.client(url).get("/metrics", headers={"Authorization": f"Bearer {token}"})
    return samples(answer.raise_for_status().text)


def children(pid):
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def gunicorn(url):
    """Return the first process of the site at an address, which this test started."""
    mark = f"PORT={url.rpartition(':')[2]}\0"
    [found] = [pid for pid in children(os.getpid()) if mark in environment_of(pid)]
    return found


def environment_of(pid):
    with suppress(OSError):  # it has ended
        return Path(f"/proc/{pid}/environ").read_text()
    return ""


@pytest.mark.one_database("postgresql")
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="This looks into /proc.")
@pytest.mark.django_db(transaction=True)
def test_a_thousand_requests_add_up_over_two_processes_one_of_which_dies(space, tmp_path):
    """A process that is gone has still counted, and its files don't pile up."""
    routes = {
        "/healthz": "healthz",
        "/api/v1/spaces": "api:list_spaces",
        "/api/v1/spaces/loft": "api:get_space",
        "/api/v1/events": "api:list_events",
        "/api/v1/no-such-page": "unmatched",
    }
    paths = list(routes)

    with process(tmp_path, WEB_CONCURRENCY="2", METRICS_TOKEN=TOKEN) as url:
        first = gunicorn(url)
        before = read(url)
        browser = http.client(url)

        def ask(number):
            path = paths[number % len(paths)]
            return path, browser.get(path).status_code

        with ThreadPoolExecutor(4) as pool:
            asked = list(pool.map(ask, range(REQUESTS // 2)))
            one, _other = children(first)
            os.kill(one, signal.SIGTERM)
            wait_for(lambda: one not in children(first) and len(children(first)) == 2)
            asked += pool.map(ask, range(REQUESTS // 2, REQUESTS))
        browser.close()
        with socket.create_connection(("127.0.0.1", urlsplit(url).port)) as stranger:
            stranger.sendall(b"GET /g/a-secret-link/ HTTP/9.9\r\n\r\n")
            assert stranger.recv(100).startswith(b"HTTP/1.1 400")
        folder = Path(f"/dev/shm/mesto-metrics-{first}")
        assert folder.exists()
        assert list(folder.glob(f"*_{one}.db")) == []
        after = read(url)

    def more(name, **labels):
        return total(after, name, **labels) - total(before, name, **labels)

    for (path, status), count in Counter(asked).items():
        found = {"route": routes[path], "status": str(status)}
        assert more("mesto_requests_total", **found) == count, path
        assert more("mesto_request_seconds_count", route=routes[path]) == count, path
    but_ours = more("mesto_requests_total") - more("mesto_requests_total", route="metrics")
    assert but_ours == REQUESTS
    assert total(after, "mesto_database_up") == 1
    assert more("mesto_cache_total", cache="setups") > 0
    assert not folder.exists()
    log = next(tmp_path.glob("web-*")).read_text()
    assert "spaces/loft" not in log  # gunicorn has no line of its own for a request
    assert "a-secret-link" not in log
    assert log.count('"message": "request"') == REQUESTS - REQUESTS // len(paths)


@pytest.fixture
def counted(settings, client):
    """Return what this process has counted since the test began."""
    settings.METRICS = {**settings.METRICS, "token": TOKEN}

    def now():
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        return samples(answer.text)

    before = now()

    def since(name, **labels):
        return total(now(), name, **labels) - total(before, name, **labels)

    since.value = lambda name, **labels: total(now(), name, **labels)
    return since


@pytest.mark.django_db(transaction=True)
def test_bookings_are_counted_by_what_became_of_them(counted, desk, alice, bob, now):
    booking = book(desk, alice, now)
    book(desk, bob, now)
    services.cancel(booking, by=alice, now=now)
    with pytest.raises(Refused):
        book(desk, alice, now, starts_at=now - hours(24))
    ask(desk, alice, now)
    assert counted("mesto_bookings_total", outcome="confirmed") == 1
    assert counted("mesto_bookings_total", outcome="rejected") == 1
    assert counted("mesto_bookings_total", outcome="cancelled") == 1
    assert counted("mesto_lost_races_total") == 1
    assert counted("mesto_refusals_total", rule="in_the_past") == 1
    assert counted("mesto_statements_total") > 10
    assert counted.value("mesto_queue_depth") == 1
    assert counted.value("mesto_queue_age_seconds") > 0
    fan_out(now=now)
    assert counted.value("mesto_outbox_depth", channel="mail") == 3
    assert counted.value("mesto_workers") == 0


@pytest.mark.django_db
def test_labels_come_from_the_code_alone(rows, sessions, counted):  # noqa: F811 - fixtures
    """However many addresses are tried: no raw path, no method of a stranger, nothing unbounded."""
    known = {plain(text) for both in addresses(get_resolver().url_patterns) for text in both}
    # Of URLconfs that earlier tests had for themselves.
    earlier = {plain(route) for route in metrics.label_values("mesto_requests", "route")} - known
    for here in every_address(rows, sessions):
        with undone():
            Client(raise_request_exception=False).generic("GET", here.path)
    for number in range(20):
        Client().get(f"/nothing/{number}/")
        Client().generic(f"METHOD{number}", "/")
    found = {plain(route) for route in metrics.label_values("mesto_requests", "route")}
    assert found - earlier <= known | {"unmatched", "static"}
    assert len(found) > 100
    assert metrics.label_values("mesto_requests", "method") <= requests.METHODS | {"OTHER"}


def plain(route):
    """Drop the marks of regular expressions, which Django keeps in some places only."""
    return route.translate(dict.fromkeys(map(ord, "^$")))


@pytest.mark.any_database
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("token", "allow", "proxies", "about", "is_shown"),
    [
        ("", [], 0, {}, False),
        (TOKEN, [], 0, {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}, True),
        (TOKEN, [], 0, {"HTTP_AUTHORIZATION": "Bearer another"}, False),
        (TOKEN, [], 0, {"HTTP_AUTHORIZATION": "Bearer \xe9"}, False),
        ("", [], 0, {"HTTP_AUTHORIZATION": "Bearer "}, False),
        ("", ["127.0.0.0/8"], 0, {}, True),
        ("", ["127.0.0.0/8"], 0, {"REMOTE_ADDR": "10.0.0.1"}, False),
        ("", ["127.0.0.0/8"], 0, {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}, False),
        ("", ["127.0.0.0/8"], 1, {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}, False),
        ("", ["10.0.0.0/8"], 1, {"HTTP_X_FORWARDED_FOR": "10.0.0.9"}, True),
    ],
)
def test_who_may_read(settings, client, token, allow, proxies, about, is_shown):
    settings.METRICS = {"token": token, "allow": allow, "worker": ""}
    settings.TRUSTED_PROXIES = proxies
    assert client.get("/metrics", **about).status_code == (200 if is_shown else 404)


@pytest.mark.any_database
def test_a_worker_answers_for_itself(settings):
    settings.METRICS = {"token": TOKEN, "allow": [], "worker": "127.0.0.1:0"}
    with closing(serve_worker()) as server:
        url = f"http://127.0.0.1:{server.port}"
        watching.tell("steps", step="decide_next", outcome="done")
        assert total(read(url), "mesto_steps_total", step="decide_next") >= 1
        assert http.client(url).get("/metrics").status_code == 404


@pytest.mark.any_database
@pytest.mark.django_db
def test_prometheus_asks_a_node_from_inside(settings, client):
    """By its address, which isn't among ALLOWED_HOSTS, and without TLS."""
    settings.METRICS = {**settings.METRICS, "token": TOKEN}
    settings.SECURE_SSL_REDIRECT = True
    known = {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}", "HTTP_HOST": "10.0.0.11:8000"}
    assert client.get("/metrics", **known).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_waits_and_second_tries_are_counted(counted):
    tries = []

    class Deadlock(Exception):
        sqlstate = "40P01"

    @transactional
    def contested():
        tries.append(1)
        if len(tries) < 3:
            raise OperationalError from Deadlock()

    contested()
    Breaker("silence").trip()
    assert counted("mesto_retries_total", reason="deadlock") == 2
    assert counted("mesto_database_waits_total", what="silence") == 1


@pytest.mark.django_db
def test_without_a_database_it_says_so(counted, monkeypatch):
    with connection.execute_wrapper(gone):
        assert counted.value("mesto_database_up") == 0
        assert counted.value("mesto_requests_total") > 0


def gone(execute, sql, params, many, context):
    raise OperationalError("gone")
