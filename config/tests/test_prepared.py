"""Databases of tests are copies, of what all migrations make."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from scripts import prepared

pytestmark = pytest.mark.django_db


def test_all_migrations_are_in_it():
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


@pytest.fixture
def project(tmp_path):
    (tmp_path / "requirements.txt").write_text("django==6.1")
    (tmp_path / "spaces/migrations").mkdir(parents=True)
    (tmp_path / "spaces/migrations/0001_initial.py").write_text("operations = []")
    return tmp_path


@pytest.mark.any_database
@pytest.mark.parametrize(
    "changed",
    ["requirements.txt", "spaces/migrations/0001_initial.py", "spaces/migrations/0002.py"],
)
def test_another_migration_or_package_makes_another(project, changed):
    before = prepared.key(project)
    assert prepared.key(project) == before
    (project / changed).write_text("something else")
    assert prepared.key(project) != before
