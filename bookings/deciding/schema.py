"""Whether the database has the constraints and indexes that the models rely on.

A restore may leave some out: a dump without its last part, a copy of the rows alone. The site
then runs as before, and nothing keeps two bookings apart.
"""

import re
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
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
SQLITE = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
NAMED = re.compile(r'CONSTRAINT "(\w+)" (UNIQUE|CHECK)')


def wanted() -> dict[str, tuple[type[models.Model], Any]]:
    """Return what the models ask for, by name, each with its model."""
    return {
        each.name: (model, each)
        for model in apps.get_models()
        if model._meta.app_label in OURS
        for each in (*model._meta.constraints, *model._meta.indexes)
    }


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the constraints and indexes that are not there, or don't hold."""
    there = _there(connection)
    return sorted(
        name
        for name, (_model, each) in wanted().items()
        if (name, True) not in there
        and (isinstance(each, UniqueConstraint) or (name, False) not in there)
    )


def statement(connection: BaseDatabaseWrapper, name: str) -> str:
    """Return the SQL that puts one back; empty on SQLite, which can only build a table anew."""
    if connection.vendor != "postgresql":
        return ""
    model, each = wanted()[name]
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        add = editor.add_index if isinstance(each, models.Index) else editor.add_constraint
        add(model, each)
    return " ".join(editor.collected_sql)


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
