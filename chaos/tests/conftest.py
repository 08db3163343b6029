"""What tests of the judge share."""

from contextlib import contextmanager

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
