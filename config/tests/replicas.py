"""The test's database as its own replica, and a primary that can be taken away."""

from contextlib import contextmanager

from django.db import connection

from config.databases.postgresql import base, options
from scripts import postgres


@contextmanager
def no_primary():
    """Lead new connections nowhere, except to the replica: the same database, read-only.

    Yields a function that brings the primary back.
    """
    own = connection.settings_dict
    replica = {name: own[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    replica["OPTIONS"] = options.of_a_replica(own["OPTIONS"], {})
    connection.close()
    there = {**own, "REPLICA": replica}
    nowhere = {"HOST": "127.0.0.1", "PORT": str(postgres.free_port())}
    connection.settings_dict = {**there, **nowhere}

    def come_back():
        connection.settings_dict = there

    try:
        yield come_back
    finally:
        connection.close()
        connection.settings_dict = own
        connection.may_read_replica = False
        for breaker in (base.breaker, base.of_replica):
            breaker.reset()
