"""Whether the database has the constraints, keys and indexes that the models rely on.

A restore may leave some out: a dump without its last part, a copy of the rows alone. The site
then runs as before, and nothing keeps two bookings apart.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.models import UniqueConstraint

#: Apps of the project; what other packages need is theirs to check.
OURS = ("accounts", "spaces", "bookings", "notifications")

POSTGRESQL = """
    SELECT conname, contype = 'u' FROM pg_constraint
        WHERE convalidated AND conrelid <> 0 AND pg_table_is_visible(conrelid)
    UNION
    SELECT c.relname, i.indisunique FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indisvalid AND pg_table_is_visible(i.indrelid)
"""
#: Columns that are unique by themselves, and those that lead to another table's.
COLUMNS_OF_POSTGRESQL = """
    SELECT t.relname, a.attname, NULL, NULL FROM pg_index i
        JOIN pg_class t ON t.oid = i.indrelid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
        WHERE i.indisunique AND i.indisvalid AND i.indnkeyatts = 1
            AND i.indpred IS NULL AND i.indexprs IS NULL AND pg_table_is_visible(t.oid)
    UNION
    SELECT t.relname, a.attname, o.relname, b.attname FROM pg_constraint c
        JOIN pg_class t ON t.oid = c.conrelid
        JOIN pg_class o ON o.oid = c.confrelid
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1]
        JOIN pg_attribute b ON b.attrelid = o.oid AND b.attnum = c.confkey[1]
        WHERE c.contype = 'f' AND c.convalidated AND cardinality(c.conkey) = 1
            AND pg_table_is_visible(t.oid)
"""
COLUMNS_OF_SQLITE = """
    SELECT t.name, min(c.name), NULL, NULL
        FROM sqlite_master t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
        WHERE t.type = 'table' AND i."unique" AND NOT i.partial
        GROUP BY t.name, i.name HAVING count(*) = 1
    UNION
    SELECT t.name, c.name, NULL, NULL FROM sqlite_master t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND c.pk
    UNION
    SELECT t.name, k."from", k."table", k."to"
        FROM sqlite_master t, pragma_foreign_key_list(t.name) k WHERE t.type = 'table'
"""
SQLITE = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
NAMED = re.compile(r'CONSTRAINT "(\w+)" (UNIQUE|CHECK)')


@dataclass(frozen=True)
class Named:
    """A constraint or an index to which its model gives a name."""

    name: str
    model: type[models.Model]
    made_of: Any

    def sql(self, editor: BaseDatabaseSchemaEditor) -> None:
        is_index = isinstance(self.made_of, models.Index)
        (editor.add_index if is_index else editor.add_constraint)(self.model, self.made_of)


@dataclass(frozen=True)
class Column:
    """A column that is unique, or that leads to another table's. Django names what keeps it so."""

    model: type[models.Model]
    field: Any
    target: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        column = f"{self.model._meta.db_table}.{self.field.column}"
        return f"{column} in {self.target[0]}" if self.target else f"{column} once"

    @property
    def row(self) -> tuple[Any, ...]:
        return self.model._meta.db_table, self.field.column, *(self.target or (None, None))

    def sql(self, editor: Any) -> None:
        if self.target:
            suffix = "_fk_%(to_table)s_%(to_column)s"
            editor.execute(editor._create_fk_sql(self.model, self.field, suffix))
        else:
            editor.execute(editor._create_unique_sql(self.model, [self.field]))


def _columns(model: type[models.Model]) -> Iterator[Column]:
    for field in model._meta.local_concrete_fields:
        if field.unique:
            yield Column(model, field)
        if getattr(field, "db_constraint", False):  # a foreign key
            target: Any = field.target_field  # type: ignore[attr-defined]  # a foreign key
            yield Column(model, field, (target.model._meta.db_table, str(target.column)))


def wanted() -> dict[str, Named | Column]:
    """Return what the models ask for, by name."""
    ours = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in OURS
    ]
    named = [
        Named(each.name, model, each)
        for model in ours
        for each in (*model._meta.constraints, *model._meta.indexes)
    ]
    columns = [column for model in ours for column in _columns(model)]
    every: list[Named | Column] = [*named, *columns]
    return {each.name: each for each in every}


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of what is not there, or doesn't hold."""
    there, kept = _there(connection), _kept(connection)
    return sorted(
        name
        for name, each in wanted().items()
        if not (each.row in kept if isinstance(each, Column) else _is_in(there, each))
    )


def statement(connection: BaseDatabaseWrapper, name: str) -> str:
    """Return the SQL that puts one back; empty on SQLite, which can only build a table anew."""
    if connection.vendor != "postgresql":
        return ""
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        wanted()[name].sql(editor)
    return " ".join(editor.collected_sql)


def _is_in(there: set[tuple[str, bool]], each: Named) -> bool:
    if (each.name, True) in there:
        return True
    return not isinstance(each.made_of, UniqueConstraint) and (each.name, False) in there


def _kept(connection: BaseDatabaseWrapper) -> set[tuple[Any, ...]]:
    is_postgresql = connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS_OF_POSTGRESQL if is_postgresql else COLUMNS_OF_SQLITE)
        return {tuple(row) for row in cursor.fetchall()}


def _there(connection: BaseDatabaseWrapper) -> set[tuple[str, bool]]:
    """Return the names in this database, each with whether it keeps something unique."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL)
            return {(name, is_unique) for name, is_unique in cursor.fetchall()}
        cursor.execute(SQLITE)
        found = set()
        for name, sql in cursor.fetchall():
            found.add((name, sql.startswith("CREATE UNIQUE")))
            found |= {(each, kind == "UNIQUE") for each, kind in NAMED.findall(sql)}
        return found
