"""A database that is away, silent or locked: nobody waits long, and nobody's process is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from django.conf import settings
from django.test import override_settings

from config import demo
from config.checks import database_waits
from config.tests.processes import wait_for
from scripts import postgres

CLIENTS = 20
BEARABLE = 10  # seconds
PROBED = 3  # seconds


class Site:
    def __init__(self, home, url, database):
        self.home, self.url, self.database = home, url, database

    @property
    def log(self):
        return (self.home / "web").read_text()

    def is_well(self):
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


def manage(env, *words):
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR, env=env, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


@contextmanager
def serving(home, database):
    port = postgres._free_port()
    env = {
        **os.environ,
        "DATABASE_URL": database,
        "DEBUG": "false",
        "HTTPS": "false",
        "ALLOWED_HOSTS": "127.0.0.1",
        "LISTEN": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": "4",
        "API_RATE_PER_TOKEN": "1000000",
        "API_RATE_PER_ADDRESS": "1000000",
    }
    if not (settings.VAR_DIR / "static/staticfiles.json").exists():
        manage(env, "collectstatic", "--no-input")
    manage(env, "migrate", "--verbosity", "0")
    manage(env, "demo", "--days", "2")
    with (home / "web").open("w") as log:
        web = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"],
            cwd=settings.BASE_DIR, env=env, stdout=log, stderr=log,
        )  # fmt: skip
    site = Site(home, f"http://127.0.0.1:{port}", database)
    try:
        wait_for(site.is_well)
        yield site
    finally:
        web.terminate()
        web.wait()
    assert "WORKER TIMEOUT" not in site.log
    assert "SIGKILL" not in site.log
    manage(env, "check_bookings")  # which fails if something is wrong


class Booker:
    """Books and cancels, asks again until it is answered, and remembers what it was told."""

    def __init__(self, url, login, number):
        self.api = httpx.Client(base_url=f"{url}/api/v1", timeout=60)
        signed_in = self.api.post(
            "/auth/token", json={"username": login, "password": demo.PASSWORD}
        )
        self.api.headers["Authorization"] = f"Bearer {signed_in.raise_for_status().json()['token']}"
        noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        starts_at = noon + timedelta(days=5)
        period = {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }
        found = self.api.get("/spaces/tverskaya/availability", params=period).raise_for_status()
        self.wish = {"place": found.json()["free_places"][number]["code"], **period}
        self.told = {}  # state by code
        self.asks_again = False
        self.steps = self.rounds()

    def rounds(self):
        while True:
            key, answer = str(uuid4()), None
            while answer is None or is_still_waited_for(answer):
                headers = {"Idempotency-Key": key}
                answer = yield "POST", "/bookings", {"json": self.wish, "headers": headers}
            assert answer.status_code == 201, answer.text
            code = answer.json()["code"]
            self.told[code] = answer.json()["state"]
            answer = None
            while answer is None or answer.status_code == 503:
                answer = yield "DELETE", f"/bookings/{code}", {}

    def ask(self, previous):
        method, path, content = self.steps.send(previous)
        answer = self.api.request(method, path, **content)
        # A conflict: the try before was carried out, and its answer was lost.
        is_cancelled = method == "DELETE" and answer.status_code in (200, 409)
        if is_cancelled:
            self.told[path.rpartition("/")[2]] = "CANCELLED"
        self.asks_again = not is_cancelled
        return answer

    def check(self):
        assert self.told
        for code, state in self.told.items():
            # Each process tries again for itself, a second after the last failure.
            wait_for(lambda code=code: self.api.get(f"/bookings/{code}").status_code != 503)
            assert self.api.get(f"/bookings/{code}").raise_for_status().json()["state"] == state


def is_still_waited_for(answer):
    """Tell whether to send a request again: it has no answer, or its first try still runs."""
    return answer.status_code in (409, 503)


class Crowd:
    """Twenty clients that read, write and ask how things are, again and again."""

    def __init__(self, site):
        self.site, self.answers, self.stop = site, [], threading.Event()
        self.bookers = [Booker(site.url, login, n) for n, login in enumerate(demo.LOGINS)]
        self.threads = [threading.Thread(target=self.run, args=[n]) for n in range(CLIENTS)]

    def run(self, number):
        kinds = ["page", "api", "sign-in", "ready", "alive"]
        kind = "book" if number < len(self.bookers) else kinds[number % len(kinds)]
        answer = None
        with httpx.Client(base_url=self.site.url, timeout=60) as client:
            # Who books stops between two rounds, when all was answered.
            while not self.stop.is_set() or (kind == "book" and self.bookers[number].asks_again):
                began = time.monotonic()
                if kind == "book":
                    answer = self.bookers[number].ask(answer)
                else:
                    answer = self.ask(client, kind)
                took = time.monotonic() - began
                self.answers.append((kind, answer.status_code, took, answer))

    def ask(self, client, kind):
        if kind == "sign-in":
            body = {"username": "nobody", "password": "wrong-password"}
            return client.post("/api/v1/auth/token", json=body)
        path = {"page": "/", "api": "/api/v1/spaces", "ready": "/readyz", "alive": "/healthz"}
        return client.get(path[kind])

    def calm(self):
        """Wait until everybody was answered some times; return how many answers there are."""
        wait_for(lambda: len(self.answers) > 10 * CLIENTS)
        return len(self.answers)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def has_booked(self, since):
        return any(kind == "book" and code == 201 for kind, code, _, _ in self.answers[since:])

    def has_seen(self, status, since):
        return any(code == status for _, code, _, _ in self.answers[since:])


def slowest(answers):
    return max(took for _, _, took, _ in answers)


def check(crowd, seen):
    """Hold what came after the first `seen` answers against what is promised.

    What the machine itself takes, with nothing amiss, comes on top: others may be busy on it.
    """
    calm, answers = slowest(crowd.answers[:seen]), crowd.answers[seen:]
    assert {code for _, code, _, _ in answers} <= {200, 201, 401, 409, 429, 503}, Counter(
        (kind, code) for kind, code, _, _ in answers
    )
    for kind, code, took, answer in answers:
        promised = PROBED if kind in ("ready", "alive") else BEARABLE
        assert took < promised + calm, (kind, code, took, calm)
        if kind == "alive":
            assert code == 200
        elif code == 503 and kind != "ready":
            assert int(answer.headers["Retry-After"]) > 0
            kind_of_text = answer.headers["Content-Type"]
            assert kind_of_text.startswith("text/html" if kind == "page" else "application/problem")
    for booker in crowd.bookers:
        booker.check()


@contextmanager
def own_postgres(tmp_path):
    environment = os.environ.pop("TEST_DATABASE_URL", None)
    try:
        with postgres.server(durable=True) as url:
            yield url
    finally:
        if environment:
            os.environ["TEST_DATABASE_URL"] = environment


def server_processes(url):
    """The postmaster first, then its children."""
    port = url.rpartition(":")[2].partition("/")[0]
    found = subprocess.run(
        ["pgrep", "-f", f"port={port}( |$)"], capture_output=True, text=True
    ).stdout.split()
    parent = int(found[0])
    children = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True)
    return [parent, *map(int, children.stdout.split())]


def test_a_postgresql_that_stands_still(tmp_path):
    with own_postgres(tmp_path) as url, serving(tmp_path, url) as site:
        with Crowd(site) as crowd:
            seen = crowd.calm()
            stopped = server_processes(url)
            for process in stopped:
                os.kill(process, signal.SIGSTOP)
            try:
                wait_for(lambda: crowd.has_seen(503, seen))
                until = time.monotonic() + 12
                wait_for(lambda: time.monotonic() > until)
            finally:
                for process in stopped:
                    os.kill(process, signal.SIGCONT)
            began = time.monotonic()
            wait_for(site.is_well)
            assert time.monotonic() - began < PROBED + slowest(crowd.answers[:seen])
        check(crowd, seen)


def test_a_postgresql_that_crashes(tmp_path):
    with own_postgres(tmp_path) as url, serving(tmp_path, url) as site:
        with Crowd(site) as crowd:
            seen = crowd.calm()
            os.kill(server_processes(url)[-1], signal.SIGKILL)  # it ends all, and starts anew
            wait_for(lambda: crowd.has_seen(503, seen))
            began = time.monotonic()
            wait_for(site.is_well)
            assert time.monotonic() - began < PROBED + slowest(crowd.answers[:seen])
        check(crowd, seen)


def test_a_sqlite_file_that_is_locked(tmp_path):
    file = tmp_path / "mesto.sqlite3"
    with serving(tmp_path, f"sqlite:///{file}") as site:
        with Crowd(site) as crowd:
            seen = crowd.calm()
            lock = sqlite3.connect(file, isolation_level=None, timeout=30)
            lock.execute("BEGIN EXCLUSIVE")
            until = time.monotonic() + 30
            wait_for(lambda: time.monotonic() > until)
            assert crowd.has_seen(503, seen)
            lock.execute("ROLLBACK")
            lock.close()
            began, back = time.monotonic(), len(crowd.answers)
            wait_for(lambda: crowd.has_booked(back))
            assert time.monotonic() - began < PROBED + slowest(crowd.answers[:seen])
        check(crowd, seen)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("connect", 1), ("connect", 60), ("statement", 0), ("lock", 0), ("lock", 7), ("busy", 30)],
)
def test_a_wait_that_is_too_long_or_none_is_named(name, seconds):
    with override_settings(DATABASE_WAITS={**settings.DATABASE_WAITS, name: seconds}):
        assert [error.id for error in database_waits(None)] == ["mesto.E007"]
