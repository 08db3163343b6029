"""A PostgreSQL with a streaming standby, both of our own."""

import os
import signal
from contextlib import contextmanager

import psycopg
import pytest

from scripts import postgres


@contextmanager
def standby_of(primary):
    """Yield a server that follows another, until it is promoted."""
    if not primary.program("pg_basebackup").exists():
        pytest.skip("This PostgreSQL comes without pg_basebackup: no standby can be made.")
    with postgres.own_folder() as home:
        standby = postgres.Server(home, durable=False)
        standby.copy(primary)
        standby.start()
        try:
            standby.wait()
            yield standby
        finally:
            standby.stop()


def has_caught_up(primary, standby, *, by="replay"):
    """Tell whether a standby has replayed, or only received, all that its primary has written."""
    with psycopg.connect(primary.url) as asking, psycopg.connect(standby.url) as following:
        [written] = asking.execute("SELECT pg_current_wal_lsn()").fetchone()
        found = following.execute(f"SELECT pg_last_wal_{by}_lsn() >= %s", [written])
        return found.fetchone() == (True,)


@contextmanager
def frozen(server):
    """Let a server hang, with everybody's sessions: connections stay open, nothing answers."""
    processes = [server.process.pid, *sessions(server)]
    signal_all(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(processes, signal.SIGCONT)


def signal_all(processes, number):
    for process in processes:
        os.kill(process, number)


def sessions(server):
    """Return the processes that serve somebody."""
    with psycopg.connect(server.url) as asking:
        found = asking.execute(
            "SELECT pid FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in found]


def crash(server):
    """Kill a server and all its processes, as a host that loses power."""
    signal_all([*sessions(server), server.process.pid], signal.SIGKILL)
    server.process.wait()
