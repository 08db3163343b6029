"""Try the migrations since the last release on a database of their own, and judge what they do."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from config.online.judging import Known, Problem, of_statement, of_tables
from config.online.watching import Seen, Table, keys_of, watched

BASELINE = Path(__file__).with_name("released.json")


@dataclass(frozen=True)
class Baseline:
    """The last migrations of the release before, and what was accepted since, with the reasons."""

    released: dict[str, str]
    accepted: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path = BASELINE) -> Self:
        return cls(**json.loads(path.read_text()))

    def write(self, path: Path = BASELINE) -> None:
        path.write_text(json.dumps(vars(self), indent=4, sort_keys=True) + "\n")

    def targets(self, loader: MigrationLoader) -> list[tuple[str, str]]:
        """Return its migrations as the loader knows them; one that is gone is a KeyError."""
        found = [(app, name) for app, name in self.released.items() if app in loader.migrated_apps]
        if unknown := [each for each in found if each not in loader.graph.nodes]:
            raise KeyError(f"{BASELINE.name} names migrations that don't exist: {unknown}")
        return found

    @classmethod
    def now(cls, loader: MigrationLoader) -> Self:
        return cls(dict(sorted(loader.graph.leaf_nodes())))


@contextmanager
def scratch(connection: BaseDatabaseWrapper, name: str, template: str = "") -> Iterator[None]:
    """Lead a connection to a database of its own until the block ends."""
    usual = connection.settings_dict["NAME"]
    connection.close()
    quoted = connection.ops.quote_name
    made = f"CREATE DATABASE {quoted(name)} TEMPLATE {quoted(template or 'template0')}"
    _outside(connection, f"DROP DATABASE IF EXISTS {quoted(name)}", made)
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = usual
        _outside(connection, f"DROP DATABASE {quoted(name)}")


def _outside(connection: BaseDatabaseWrapper, *commands: str) -> None:
    # Django's own way to a cursor of another database, for test databases.
    with connection.creation._nodb_cursor() as cursor:  # type: ignore[attr-defined]  # stubs
        for command in commands:
            cursor.execute(command)


def problems_since(baseline: Baseline) -> list[Problem]:
    """Migrate an empty database up to the baseline, then watch the rest; return what is wrong."""
    connection = connections["default"]
    executor = MigrationExecutor(connection)
    released = baseline.targets(executor.loader)
    state = executor.migrate(released, executor.migration_plan(released))
    executor.loader.build_graph()
    rest = [each for each, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    found = problems(connection, state, rest)
    return [each for each in found if each.migration not in baseline.accepted]


def problems(
    connection: BaseDatabaseWrapper, state: ProjectState, migrations: Iterable[Migration]
) -> list[Problem]:
    """Apply migrations to a database whose release before has this state; return what is wrong."""
    found: list[Problem] = []
    columns = _columns(state)
    for migration in migrations:
        # What was made since the release is empty, and nobody uses it yet.
        tables = {name: t for name, t in Table.all_of(connection).items() if name in columns}
        known = Known(tables, keys_of(connection), columns)
        try:
            state, texts = _apply(connection, state, migration, known)
        except DatabaseError as error:
            found.append(Problem(str(migration), f"fails: {str(error).strip()}"))
            break
        texts += of_tables(known.tables, Table.all_of(connection), known)
        found += [Problem(str(migration), text) for text in dict.fromkeys(texts)]
    return found


def _apply(
    connection: BaseDatabaseWrapper, state: ProjectState, migration: Migration, known: Known
) -> tuple[ProjectState, list[str]]:
    texts: list[str] = []

    def see(seen: Seen) -> None:
        texts.extend(of_statement(seen, known, is_one_transaction=migration.atomic))

    with watched(connection, see):
        state = MigrationExecutor(connection).apply_migration(state, migration)
    return state, texts


def _columns(state: ProjectState) -> dict[str, dict[str, bool]]:
    """Return what a release reads and writes: its tables and columns, and which may be empty."""
    found: dict[str, dict[str, bool]] = {}
    models: Any = state.apps.get_models(include_auto_created=True)
    for model in models:
        own = found.setdefault(model._meta.db_table, {})
        own |= {each.column: each.null for each in model._meta.local_concrete_fields}
    return found


def name_of_scratch() -> str:
    return f"{settings.DATABASES['default']['NAME']}_migrations"
