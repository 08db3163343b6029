"""A database with all tables and no rows, for what needs one of its own."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.online.trial import scratch


@pytest.fixture(scope="module")
def migrated(
    django_db_modify_db_settings: None, django_db_blocker: pytest.FixtureRequest
) -> Iterator[str]:
    """The name of an empty database with all migrations, to be copied."""
    name = connection.settings_dict["NAME"] + "_now"
    with django_db_blocker.unblock(), scratch(connection, name):
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        yield name
