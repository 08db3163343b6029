"""A database that is down, silent or locked: nobody waits long, and no process is killed."""

import os
import signal
import sqlite3
import time
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings

from config.checks import database_waits
from config.tests.outages import Crowd, serving, survive
from config.tests.processes import wait_for
from scripts import postgres

#: These have their own databases, and run once: in the pass on the same engine.
IS_SQLITE = connection.vendor == "sqlite"
on_postgresql = pytest.mark.skipif(IS_SQLITE, reason="SQLite has no server")
on_sqlite = pytest.mark.skipif(not IS_SQLITE, reason="It is about a file of SQLite")


@pytest.fixture(scope="module")
def server():
    with postgres.own_server(durable=True) as server:
        yield server


@pytest.fixture(scope="module")
def site(server, tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site"), server.url) as site:
        yield site


def answers(url):
    """Tell whether a PostgreSQL accepts a new connection and answers on it."""
    try:
        with psycopg.connect(url, connect_timeout=2) as asking:
            return asking.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def sessions(server):
    """Return the processes that serve somebody."""
    with psycopg.connect(server.url) as asking:
        found = asking.execute(
            "SELECT pid FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in found]


@contextmanager
def stopped(server, processes):
    """Freeze processes: their connections stay open, and nothing arrives."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield lambda: answers(server.url)
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@contextmanager
def crashed(server):
    os.kill(sessions(server)[0], signal.SIGKILL)  # the server ends all others, and restarts
    yield lambda: answers(server.url)


@contextmanager
def killed(server):
    """Kill only the postmaster: connections are refused, and its children end by themselves."""
    server.process.kill()
    server.process.wait()
    yield lambda: answers(server.url)
    wait_for(lambda: has_started(server))


def has_started(server):
    """Start the server; it refuses while a process of the previous one is left."""
    server.start()
    try:
        server.wait()
    except postgres.NoServer:
        return False
    return True


@contextmanager
def locked_tables(server, *names):
    with psycopg.connect(server.url) as holder:
        holder.execute(f"LOCK TABLE {', '.join(names)}")
        yield lambda: True


@on_postgresql
def test_a_frozen_postgresql(site, server):
    everything = [server.process.pid, *sessions(server)]
    survive(site, stopped(server, everything))


@on_postgresql
def test_a_crashing_postgresql(site, server):
    # Its sessions are gone, and replaced; it may accept new ones before anybody wants one.
    survive(site, crashed(server), is_noticed=False)


@on_postgresql
def test_a_postgresql_that_is_killed_and_restarted(site, server):
    survive(site, killed(server))


@on_postgresql
def test_frozen_sessions_while_new_ones_are_served(site, server):
    survive(site, stopped(server, sessions(server)))


@on_postgresql
def test_tables_locked_for_a_long_time(site, server):
    survive(site, locked_tables(server, "bookings_booking", "spaces_space"), seconds=12)


@on_postgresql
def test_one_contested_place_does_not_close_the_site(site, server):
    with Crowd(site) as crowd, psycopg.connect(server.url) as holder:
        crowd.wait_for(lambda: crowd.were_all_answered(5, since=0))
        one, *others = (booker.wish["place"] for booker in crowd.bookers)
        assert one not in others
        holder.execute("SELECT 1 FROM spaces_place WHERE code = %s FOR NO KEY UPDATE", [one])
        began = time.monotonic()
        crowd.wait_for(lambda: len(crowd.refused(since=began)) > 1)
        crowd.wait_for(lambda: crowd.were_all_served(10, since=began, but=[0]))
        holder.rollback()
    # All who sign in try one login, and lock each other's row: on a slow machine, for too long.
    refused = {answer.client for answer in crowd.refused(since=0) if answer.kind != "sign-in"}
    assert refused == {0}


@contextmanager
def locked(file):
    lock = sqlite3.connect(file, isolation_level=None, timeout=30)
    lock.execute("BEGIN EXCLUSIVE")
    yield lambda: True
    lock.execute("ROLLBACK")
    lock.close()


@on_sqlite
def test_a_locked_sqlite_file(tmp_path):
    file = tmp_path / "mesto.sqlite3"
    with serving(tmp_path, f"sqlite:///{file}") as site:
        survive(site, locked(file), seconds=30)


@pytest.mark.parametrize(("lock", "found"), [(1.5, []), (2, ["mesto.E007"])])
def test_a_lock_is_waited_for_less_than_its_statement(lock, found):
    with override_settings(DATABASE_WAITS={**settings.DATABASE_WAITS, "lock": lock}):
        assert [error.id for error in database_waits(None)] == found
