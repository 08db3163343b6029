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

import httpx
import pytest
from django.conf import settings
from django.test import override_settings

from config.checks import database_waits
from config.tests.processes import wait_for
from scripts import postgres

CLIENTS = 20
BEARABLE = 10  # seconds


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


class Crowd:
    """Twenty clients that read, write and ask how things are, again and again."""

    def __init__(self, site):
        self.site, self.answers, self.stop = site, [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=[n]) for n in range(CLIENTS)]

    def run(self, number):
        kinds = ["page", "api", "sign-in", "ready", "alive"]
        with httpx.Client(base_url=self.site.url, timeout=60) as client:
            while not self.stop.is_set():
                kind = kinds[number % len(kinds)]
                began = time.monotonic()
                answer = self.ask(client, kind)
                took = time.monotonic() - began
                self.answers.append((kind, answer.status_code, took, answer))

    def ask(self, client, kind):
        if kind == "sign-in":
            body = {"username": "nobody", "password": "wrong-password"}
            return client.post("/api/v1/auth/token", json=body)
        path = {"page": "/", "api": "/api/v1/spaces", "ready": "/readyz", "alive": "/healthz"}
        return client.get(path[kind])

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def has_seen(self, status, since):
        return any(code == status for _, code, _, _ in self.answers[since:])


def check(answers):
    assert {code for _, code, _, _ in answers} <= {200, 401, 429, 503}, Counter(
        (kind, code) for kind, code, _, _ in answers
    )
    for kind, code, took, answer in answers:
        assert took < (3 if kind in ("ready", "alive") else BEARABLE), (kind, code, took)
        if kind == "alive":
            assert code == 200
        elif code == 503 and kind != "ready":
            assert int(answer.headers["Retry-After"]) > 0
            kind_of_text = answer.headers["Content-Type"]
            assert kind_of_text.startswith("text/html" if kind == "page" else "application/problem")


@contextmanager
def own_postgres(tmp_path):
    environment = os.environ.pop("TEST_DATABASE_URL", None)
    try:
        with postgres.server() as url:
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
            wait_for(lambda: len(crowd.answers) > 2 * CLIENTS)
            stopped = server_processes(url)
            seen = len(crowd.answers)
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
            assert time.monotonic() - began < 3
        check(crowd.answers)


def test_a_postgresql_that_crashes(tmp_path):
    with own_postgres(tmp_path) as url, serving(tmp_path, url) as site:
        with Crowd(site) as crowd:
            wait_for(lambda: len(crowd.answers) > 2 * CLIENTS)
            seen = len(crowd.answers)
            os.kill(server_processes(url)[-1], signal.SIGKILL)  # it ends all, and starts anew
            wait_for(lambda: crowd.has_seen(503, seen))
            began = time.monotonic()
            wait_for(site.is_well)
            assert time.monotonic() - began < 3
        check(crowd.answers)


def test_a_sqlite_file_that_is_locked(tmp_path):
    file = tmp_path / "mesto.sqlite3"
    with serving(tmp_path, f"sqlite:///{file}") as site, Crowd(site) as crowd:
        wait_for(lambda: len(crowd.answers) > 2 * CLIENTS)
        seen = len(crowd.answers)
        lock = sqlite3.connect(file, isolation_level=None, timeout=30)
        lock.execute("BEGIN EXCLUSIVE")
        until = time.monotonic() + 30
        wait_for(lambda: time.monotonic() > until)
        assert crowd.has_seen(503, seen)
        lock.execute("ROLLBACK")
        lock.close()
    check(crowd.answers)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("connect", 1), ("connect", 60), ("statement", 0), ("lock", 0), ("lock", 7), ("busy", 30)],
)
def test_a_wait_that_is_too_long_or_none_is_named(name, seconds):
    with override_settings(DATABASE_WAITS={**settings.DATABASE_WAITS, name: seconds}):
        assert [error.id for error in database_waits(None)] == ["mesto.E007"]
