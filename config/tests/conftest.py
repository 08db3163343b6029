"""A database with all tables and no rows, for what needs one of its own."""

import os
from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from pytest_django import DjangoDbBlocker

from config.online.trial import scratch


@pytest.fixture(scope="module")
def migrated(
    django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """The name of an empty database with all migrations, to be copied."""
    # Processes of one run may not have their own test databases yet.
    name = f"{connection.settings_dict['NAME']}_{os.getpid()}"
    with django_db_blocker.unblock(), scratch(connection, name):
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        yield name
