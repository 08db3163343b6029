"""What tests of the judge share, and a database for those who play elsewhere."""

import os
import sqlite3
from contextlib import closing, contextmanager

import psycopg
import pytest
from django.db import connection

from chaos import records


@pytest.fixture
def in_this_transaction(monkeypatch, db):
    """Let the judge read "" through the test's own connection, which sees what isn't committed."""
    elsewhere = records.connected

    class Raw:
        def execute(self, query):
            raw = connection.connection.cursor()
            raw.execute(query)
            return raw

    @contextmanager
    def connected(url):
        if url:
            with elsewhere(url) as found:
                yield found
            return
        connection.ensure_connection()
        yield Raw()

    monkeypatch.setattr(records, "connected", connected)


@pytest.fixture
def empty(tmp_path, request):
    """The URL of an empty database with all tables: a copy, as migrating takes seconds.

    It is copied from the test's own, which has to be there: mark the test `django_db`.
    """
    assert request.node.get_closest_marker("django_db")
    used = connection.settings_dict
    if connection.vendor == "sqlite":
        copy = tmp_path / "empty.sqlite3"
        with closing(sqlite3.connect(used["NAME"])) as found, closing(sqlite3.connect(copy)) as to:
            found.backup(to)
        yield f"sqlite:///{copy}"
        return
    connection.close()  # a database that is copied has no visitors
    secret = f":{used['PASSWORD']}" if used["PASSWORD"] else ""
    server = f"postgres://{used['USER']}{secret}@{used['HOST']}:{used['PORT']}"
    name = f"empty_{os.getpid()}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as outside:
        outside.execute(f"CREATE DATABASE {name} TEMPLATE {used['NAME']}")
        try:
            yield f"{server}/{name}"
        finally:
            outside.execute(f"DROP DATABASE {name} WITH (FORCE)")
