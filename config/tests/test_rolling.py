"""Web nodes behind the balancer: one after the other restarts, or dies, and nobody notices."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from bookings.deciding.invariants import violations
from bookings.models import Booking
from bookings.tests import programs
from bookings.tests.acts import book
from chaos import releases
from chaos.programs import PATH
from config.tests import http
from config.tests.processes import environ, wait_for
from deploy import render
from scripts import postgres
from spaces.factories import PlaceFactory

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time"),
    pytest.mark.skipif(not shutil.which("haproxy", path=PATH), reason="haproxy is not installed"),
    pytest.mark.django_db(transaction=True),
]

CHECKED_FOR = "timeout check 3s"
MEMBERS = 6  # more than there are web processes


class Node:
    """One web node, as its systemd unit runs it."""

    def __init__(self, home, port):
        self.home, self.port = home, port
        self.start()

    def start(self):
        env = environ(
            ALLOWED_HOSTS="127.0.0.1,localhost",
            TRUSTED_PROXIES="1",
            LISTEN="127.0.0.1",
            PORT=str(self.port),
            WEB_CONCURRENCY="1",
            DRAIN_SECONDS="3",
            API_RATE_PER_TOKEN="1000000",
            API_RATE_PER_ADDRESS="1000000",
        )
        command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
        with (self.home / f"web-{self.port}").open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=env, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        wait_for(lambda: answers(f"http://127.0.0.1:{self.port}/readyz") == 200)

    def stop(self):
        self.process.terminate()
        assert self.process.wait() == 0

    def pause(self):
        """Stop all its processes; the kernel goes on accepting connections for them."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def kill(self):
        """Kill all its processes at once, as a host that loses power."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def answers(url):
    try:
        return http.get(url).status_code
    except httpx.HTTPError:
        return 0


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    if not releases.NOW.has_static_files:
        manage = [sys.executable, "manage.py", "collectstatic", "--no-input"]
        subprocess.run(manage, cwd=settings.BASE_DIR, check=True, capture_output=True)
    home = tmp_path_factory.mktemp("nodes")
    found = [Node(home, postgres.free_port()) for _ in range(2)]
    yield found
    for node in found:
        if node.process.poll() is None:
            node.kill()


@pytest.fixture
def nodes(started):
    """Two nodes for all tests here: those that the test before has killed start again."""
    for node in started:
        if node.process.poll() is not None:
            node.start()
    return started


@pytest.fixture
def site(nodes):
    """The balancer before these nodes, with the configuration of deploy/."""
    home = Path(tempfile.mkdtemp(prefix="mesto-haproxy-"))  # not pytest's: its path is too long
    inventory = render.Inventory.read(Path(render.__file__).parent / "example.toml")
    machines = [replace(inventory.machines[0], host="127.0.0.1", web_port=n.port) for n in nodes]
    address = f"127.0.0.1:{postgres.free_port()}"
    others = {
        name: f"127.0.0.1:{postgres.free_port()}" for name in ("database_bind", "replica_bind")
    }
    values = {**inventory.values, **others, "web_bind": address, "run": str(home)}
    render.render(replace(inventory, values=values, machines=machines), home)
    # A machine that does much else may not answer a check in time: its nodes are no worse for that.
    configuration = (home / "haproxy.cfg").read_text()
    assert CHECKED_FOR in configuration
    (home / "haproxy.cfg").write_text(configuration.replace(CHECKED_FOR, "timeout check 60s"))
    process = subprocess.Popen([shutil.which("haproxy", path=PATH), "-f", home / "haproxy.cfg"])
    try:
        wait_for(lambda: answers(f"http://{address}/readyz") == 200)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(home)


class Members:
    """Book and cancel, each over one connection that stays open, and never try anything twice."""

    def __init__(self, site, tokens, places, starts_at):
        self.site, self.starts_at = site, starts_at
        self.statuses, self.failures, self.is_over = [], [], threading.Event()
        self.threads = [
            threading.Thread(target=self.act, args=each)
            for each in zip(tokens, places, strict=True)
        ]

    def act(self, token, place):
        headers = {"Authorization": f"Bearer {token}"}
        wish = programs.wish(place, self.starts_at)
        with http.client(f"{self.site}/api/v1", headers=headers) as asking:
            for number in count():
                if self.is_over.is_set():
                    return
                try:
                    key = {"Idempotency-Key": f"{place.number}-{number}"}
                    made = asking.post("/bookings", json=wish, headers=key)
                    self.statuses.append(made.status_code)
                    code = made.json()["code"]
                    self.statuses.append(asking.delete(f"/bookings/{code}").status_code)
                except (httpx.HTTPError, KeyError, ValueError) as error:
                    self.failures.append(repr(error))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()

    def go_on(self):
        """Return when each has had some more answers."""
        enough = len(self.statuses) + 4 * len(self.threads)
        wait_for(lambda: len(self.statuses) >= enough or self.failures)


def test_a_rolling_restart_cuts_no_request(site, nodes, alice, space, soon):
    places = PlaceFactory.create_batch(MEMBERS, space=space)
    tokens = [programs.token(alice) for _ in places]
    with Members(site, tokens, places, soon) as members:
        for node in nodes:
            members.go_on()
            node.stop()
            members.go_on()
            node.start()
        members.go_on()
    assert members.failures == []
    assert set(members.statuses) == {200, 201}
    assert not Booking.objects.occupying().exists()
    assert list(violations(now=soon)) == []


def test_a_session_outlives_the_node_that_began_it(site, nodes, alice, desk, soon):
    held = book(desk, alice, soon, soon + timedelta(hours=1))
    browser = Client()
    browser.force_login(alice)
    cookies = {settings.SESSION_COOKIE_NAME: browser.session.session_key}
    for node in nodes:
        with http.client(f"http://127.0.0.1:{node.port}", cookies=cookies) as asking:
            assert str(held.code) in asking.get("/bookings/").text
    nodes[0].kill()
    with http.client(site, cookies=cookies) as asking:
        for _ in range(4):
            assert str(held.code) in asking.get("/bookings/").text


def test_what_only_reads_is_asked_of_another_node_when_one_dies(site, nodes):
    with ThreadPoolExecutor() as pool:
        nodes[0].pause()
        asking = [pool.submit(http.get, f"{site}/") for _ in range(4)]
        wait_for(lambda: any(each.done() for each in asking))
        assert not all(each.done() for each in asking)
        nodes[0].kill()
        assert [each.result().status_code for each in asking] == [200] * 4
