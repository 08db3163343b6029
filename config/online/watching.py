"""Watch what statements do to a PostgreSQL, by its own word: locks, scans, rewritten tables."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

# Modes that make others wait who write to the table, or who read it too.
BLOCKING = ("ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock")
ONLY_OUTSIDE_TRANSACTIONS = "25001"

# What PostgreSQL says at DEBUG1 before it goes through a table (tablecmds.c, index.c).
WORK = re.compile(
    r'(?P<does>rewriting|verifying) table "(?P<table>[^"]+)"'
    r'|(?P<builds>building index) "[^"]+" on table "(?P<on>[^"]+)"'
    r'|(?P<validates>validating foreign key) constraint "(?P<constraint>[^"]+)"'
)

# Tables, and views that may have taken a table's name.
COLUMNS = """
    SELECT c.relname, a.attname, a.attnotnull,
           a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> '', c.relfilenode
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
      AND c.relnamespace = current_schema()::regnamespace
"""
KEYS = """
    SELECT c.relname, a.attname
    FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE c.relnamespace = current_schema()::regnamespace
"""
LOCKS = """
    SELECT c.relname, l.mode FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE l.pid = pg_backend_pid() AND l.granted AND l.mode = ANY (%s)
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
TABLE_OF_KEY = """
    SELECT c.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
    WHERE k.conname = %s
"""


@dataclass(frozen=True)
class Column:
    is_required: bool
    has_default: bool


@dataclass(frozen=True)
class Table:
    columns: dict[str, Column]
    file: int  # another one: the table was rewritten

    @classmethod
    def all_of(cls, connection: BaseDatabaseWrapper) -> "dict[str, Table]":
        tables: dict[str, Table] = {}
        with connection.cursor() as cursor:
            cursor.execute(COLUMNS)
            for table, column, is_required, has_default, file in cursor.fetchall():
                found = tables.setdefault(table, cls({}, file))
                found.columns[column] = Column(is_required, has_default)
        return tables


def keys_of(connection: BaseDatabaseWrapper) -> dict[str, set[str]]:
    """Return the columns of each table's primary key."""
    keys: dict[str, set[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(KEYS)
        for table, column in cursor.fetchall():
            keys.setdefault(table, set()).add(column)
    return keys


@dataclass(frozen=True)
class Seen:
    """One statement, and what it did."""

    sql: str
    in_transaction: bool
    must_be_outside: bool = False  # PostgreSQL refuses it in a transaction
    locks: dict[str, str] = field(default_factory=dict)  # held when it ended, by table
    work: list[tuple[str, str]] = field(default_factory=list)  # what it went through: does, table


@contextmanager
def watched(connection: BaseDatabaseWrapper, see: Callable[[Seen], None]) -> Iterator[None]:
    """Tell of every statement that goes through a connection until the block ends."""
    connection.ensure_connection()
    raw: Any = connection.connection
    notices: list[str] = []

    def heard(diagnostic: Any) -> None:
        notices.append(diagnostic.message_primary or "")

    def ask(sql: str, *parameters: Any) -> list[Any]:
        with raw.cursor() as cursor:
            cursor.execute(sql, parameters)
            return list(cursor.fetchall())

    def work() -> list[tuple[str, str]]:
        return [_work(found, ask) for each in notices if (found := WORK.match(each))]

    def watch(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        notices.clear()
        if connection.in_atomic_block:
            result = execute(sql, parameters, many, context)
            see(Seen(str(sql), True, locks=dict(ask(LOCKS, list(BLOCKING))), work=work()))
            return result
        # By itself it would have let its locks go before we could look.
        raw.execute("BEGIN")
        try:
            result = execute(sql, parameters, many, context)
        except DatabaseError as error:
            raw.execute("ROLLBACK")
            if getattr(error.__cause__, "sqlstate", None) != ONLY_OUTSIDE_TRANSACTIONS:
                raise
            result = execute(sql, parameters, many, context)
            see(Seen(str(sql), False, must_be_outside=True))
            return result
        see(Seen(str(sql), False, locks=dict(ask(LOCKS, list(BLOCKING))), work=work()))
        raw.execute("COMMIT")
        return result

    raw.execute("SET client_min_messages = debug1")
    raw.add_notice_handler(heard)
    try:
        with connection.execute_wrapper(watch):
            yield
    finally:
        raw.remove_notice_handler(heard)
        if not raw.closed:
            raw.execute("RESET client_min_messages")


def _work(found: re.Match[str], ask: Callable[..., list[Any]]) -> tuple[str, str]:
    if found["does"]:
        return found["does"], found["table"]
    if found["builds"]:
        return found["builds"], found["on"]
    tables = ask(TABLE_OF_KEY, found["constraint"])
    return found["validates"], tables[0][0] if tables else ""
