"""Mesto on one machine, from any source tree: database, web server, worker, killed at will."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from benchmarks.site import Web, listens
from scripts import postgres

PATIENCE = 90  # seconds until something has to be there
READY = "mesto_ready"  # the database that others are copied from

#: What nobody has been told yet, or isn't decided yet.
WAITING = """
    SELECT EXISTS (SELECT FROM notifications_delivery WHERE state = 'PENDING')
        OR EXISTS (SELECT FROM bookings_bookingevent WHERE position IS NULL)
        OR EXISTS (SELECT FROM bookings_booking WHERE state IN ('CREATED', 'CHECKING_AVAILABILITY'))
        OR coalesce((SELECT max(position) FROM bookings_bookingevent), 0)
           > coalesce((SELECT max(position) FROM notifications_cursor), 0)
"""


class NotReady(Exception):
    """Something didn't come up."""


class Site:
    def __init__(self, tree: Path, settings: Mapping[str, str], log: Path) -> None:
        self.tree, self.log = tree, log
        self.port = postgres.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ,
            **settings,
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "3",
            "SERVING": "true",
        }
        self._web: subprocess.Popen[bytes] | None = None
        self._worker: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator["Site"]:
        try:
            self.start_web()
            self._worker = self._start(sys.executable, "manage.py", "worker", "--interval", "0.1")
            yield self
        finally:
            for process in (self._web, self._worker):
                if process is not None:
                    _kill(process)

    def start_web(self) -> None:
        """Return when it answers."""
        self._web = self._start(*Web().command(sys.executable, self.port))
        end = time.monotonic() + PATIENCE
        while not listens(self.port):
            if self._web.poll() is not None or time.monotonic() > end:
                raise NotReady(f"the site did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.1)

    def kill_web(self) -> None:
        """Kill every web process at once, whatever it is doing."""
        assert self._web is not None
        _kill(self._web)

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=self.tree,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that all of it can be killed at once
            )


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until_told(url: str) -> bool:
    """Wait until workers have nothing left to do; tell whether they came that far."""
    end = time.monotonic() + PATIENCE
    with psycopg.connect(url, autocommit=True) as database:
        while database.execute(WAITING).fetchone() != (False,):
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
    return True


class Databases:
    """Databases of one server, each a copy of one that is ready."""

    def __init__(self, server: postgres.Server) -> None:
        self.server, self._count = server, 0
        self._root = server.url.removesuffix("/mesto")

    def url(self, name: str, port: int | None = None) -> str:
        return f"{self._root.replace(str(self.server.port), str(port or self.server.port))}/{name}"

    def make_ready(self, tree: Path, settings: Mapping[str, str]) -> None:
        self._do(f"CREATE DATABASE {READY}")
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
            cwd=tree,
            env={**os.environ, **settings, "DATABASE_URL": self.url(READY)},
            check=True,
        )

    def another(self, *statements: str) -> str:
        """Make a database, change it, and return its name."""
        self._count += 1
        name = f"run{self._count}"
        self._do(f"CREATE DATABASE {name} TEMPLATE {READY}")
        with psycopg.connect(self.url(name), autocommit=True) as database:
            for statement in statements:
                if statement:
                    database.execute(statement.encode())
        return name

    def _do(self, statement: str) -> None:
        with psycopg.connect(self.server.url, autocommit=True) as database:
            database.execute(statement.encode())
