"""A database that is away, silent or locked: nobody waits long, and nobody's process is killed."""

import os
import signal
import sqlite3
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from config.checks import database_waits
from config.tests.outages import serving, survive
from scripts import postgres

#: These have databases of their own, and run once: in the pass on the same engine.
IS_SQLITE = connection.vendor == "sqlite"
on_postgresql = pytest.mark.skipif(IS_SQLITE, reason="the other pass does")
on_sqlite = pytest.mark.skipif(not IS_SQLITE, reason="the other pass does")


@pytest.fixture(scope="module")
def server():
    with postgres.own_server(durable=True) as server:
        yield server


@pytest.fixture(scope="module")
def site(server, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site"), server.url) as site:
        yield site


def answers(url):
    """Tell whether a PostgreSQL takes a new connection and answers on it."""
    try:
        with psycopg.connect(url, connect_timeout=2) as asking:
            return asking.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def sessions(server):
    """Name the processes that serve somebody."""
    with psycopg.connect(server.url) as asking:
        found = asking.execute(
            "SELECT pid FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in found]


@contextmanager
def stopped(server, processes):
    """Let processes stand still: their connections stay, and nothing comes."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield lambda: answers(server.url)
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@contextmanager
def crashed(server):
    os.kill(sessions(server)[0], signal.SIGKILL)  # the server ends all others, and starts anew
    yield lambda: answers(server.url)


@on_postgresql
def test_a_postgresql_that_stands_still(site, server):
    everything = [server.process.pid, *sessions(server)]
    survive(site, stopped(server, everything))


@on_postgresql
def test_a_postgresql_that_crashes(site, server):
    survive(site, crashed(server))


@contextmanager
def locked(file):
    lock = sqlite3.connect(file, isolation_level=None, timeout=30)
    lock.execute("BEGIN EXCLUSIVE")
    yield lambda: True
    lock.execute("ROLLBACK")
    lock.close()


@on_sqlite
def test_a_sqlite_file_that_is_locked(tmp_path):
    file = tmp_path / "mesto.sqlite3"
    with serving(tmp_path, f"sqlite:///{file}") as site:
        survive(site, locked(file), seconds=30)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("connect", 1), ("connect", 60), ("statement", 0), ("lock", 0), ("lock", 7), ("busy", 30)],
)
def test_a_wait_that_is_too_long_or_none_is_named(name, seconds):
    with override_settings(DATABASE_WAITS={**settings.DATABASE_WAITS, name: seconds}):
        assert [error.id for error in database_waits(None)] == ["mesto.E007"]
