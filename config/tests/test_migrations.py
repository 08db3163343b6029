"""Migrations run while people book: none locks them out of a table that grows."""

import pytest
from django.db import connection
from django.db.migrations import operations
from django.db.migrations.loader import MigrationLoader

from accounts import online

#: From here on; the tables are empty when the first ones run.
SINCE = {"bookings": "0006", "notifications": "0003", "accounts": "0010"}

SLOW = (operations.AddIndex, operations.RemoveIndex, operations.AddConstraint)
ONLINE = (online.AddIndex, online.RemoveIndex, online.AddConstraint)


@pytest.mark.any_database
def test_indexes_and_constraints_come_online():
    found = MigrationLoader(None).disk_migrations
    later = [m for (app, name), m in found.items() if app in SINCE and name >= SINCE[app]]
    slow = [(m, each) for m in later for each in m.operations if isinstance(each, SLOW)]
    assert slow
    for migration, operation in slow:
        assert isinstance(operation, ONLINE), (migration, operation)
        if not isinstance(operation, online.AddConstraint):
            assert not migration.atomic


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite marks nothing as invalid")
def test_all_of_them_are_valid():
    """What was interrupted would be left invalid."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")
        assert cursor.fetchall() == []
        cursor.execute("SELECT conname FROM pg_constraint WHERE NOT convalidated")
        assert cursor.fetchall() == []
