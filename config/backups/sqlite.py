"""SQLite: its online backup API, in both directions.

https://www.sqlite.org/backup.html: a reader of the database sees all of it or none.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import connection
from django.db.backends.sqlite3._functions import register

from config.backups.manifest import Content, Manifest, Progress, Refused

PAGES = 256  # between two of which others may write


def server_version() -> int:
    return 0


def tables() -> list[str]:
    with connection.cursor() as cursor:
        return connection.introspection.table_names(cursor)


def dump(to: Path, progress: Progress) -> Content:
    with (
        closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=20)) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        # In one read transaction: a writer goes on in the WAL, and doesn't make us start again.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchall()
        _pass_on(source, target, progress)
        source.rollback()
        target.execute("PRAGMA journal_mode=DELETE")  # one file, whole
        return _content(target)


def load(source: Path, manifest: Manifest, progress: Progress) -> None:
    with closing(sqlite3.connect(source)) as backup:
        register(backup)  # constraints call functions that Django brings along
        try:
            [(state,)] = backup.execute("PRAGMA integrity_check").fetchall()
        except sqlite3.DatabaseError as error:
            raise Refused(f"The backup is no SQLite database: {error}.") from error
        if state != "ok":
            raise Refused(f"The backup is damaged: {state}.")
        manifest.compare(_content(backup))
        connection.close()
        with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=20)) as target:
            _pass_on(backup, target, progress, pages=-1)  # one step is one transaction


def _pass_on(
    source: sqlite3.Connection, target: sqlite3.Connection, progress: Progress, pages: int = PAGES
) -> None:
    [(size,)] = source.execute("PRAGMA page_size").fetchall()
    before = 0

    def tell(_status: int, left: int, every: int) -> None:
        nonlocal before
        progress((every - left - before) * size)
        before = every - left

    source.backup(target, pages=pages, progress=tell)


def _content(database: sqlite3.Connection) -> Content:
    cursor = database.cursor()
    found = cursor.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'"
    ).fetchall()
    return Content.of(cursor, [name for (name,) in found])
