"""The database as it was, to go on from when an attack has shut itself out.

A copy of each table in a schema beside them. The site keeps its connections: rows are put back in
one transaction, with foreign keys and triggers off, so the server must be one's own.
"""

from collections.abc import Iterator

import psycopg
from psycopg.rows import dict_row
from psycopg.sql import SQL, Composed, Identifier

COPY = "as_it_was"
#: Of each person: what they sign in with, and what they may.
OF_ACCOUNTS = {
    "accounts_user": "id",
    "accounts_authenticator": "user_id",
    "accounts_passkey": "user_id",
    "accounts_staffrole": "user_id",
}
#: What signing in changes by itself.
USUAL = {"last_login"}


class Snapshot:
    def __init__(self, url: str) -> None:
        self.url = url
        with psycopg.connect(url) as connection:
            connection.execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(COPY)))
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(COPY)))
            for table in _tables(connection):
                statement = SQL("CREATE TABLE {} AS TABLE {}").format(_copy(table), _live(table))
                connection.execute(statement)

    def restore(self) -> None:
        """Put every row back. Numbers that were given out are not given out again."""
        with psycopg.connect(self.url) as connection:
            connection.execute("SET LOCAL session_replication_role = replica")
            tables = _tables(connection)
            every = SQL(", ").join(map(_live, tables))
            connection.execute(SQL("TRUNCATE {}").format(every))
            for table in tables:
                columns = SQL(", ").join(map(Identifier, _columns(connection, table)))
                connection.execute(
                    SQL("INSERT INTO {} ({columns}) SELECT {columns} FROM {}").format(
                        _live(table), _copy(table), columns=columns
                    )
                )

    def changed(self, logins: list[str]) -> list[str]:
        """Say what is different about these people's accounts, without what it is now."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            people = SQL("SELECT id, username FROM {} WHERE username = ANY(%s)")
            rows = connection.execute(people.format(_copy("accounts_user")), [logins]).fetchall()
            known = {row["id"]: row["username"] for row in rows}
            return [
                f"{known[person]}'s {what}"
                for table, column in OF_ACCOUNTS.items()
                for person in known
                for what in _differences(connection, table, column, person)
            ]


def _differences(
    connection: psycopg.Connection[dict[str, object]], table: str, column: str, person: int
) -> Iterator[str]:
    was, now = (
        connection.execute(
            SQL("SELECT * FROM {} WHERE {} = %s ORDER BY id").format(where, Identifier(column)),
            [person],
        ).fetchall()
        for where in (_copy(table), _live(table))
    )
    if len(was) != len(now):
        yield f"rows of {table}: {len(was)} before, {len(now)} now"
        return
    for before, after in zip(was, now, strict=True):
        for name, value in before.items():
            if name not in USUAL and after[name] != value:
                yield f"{table}.{name}"


def _tables(connection: psycopg.Connection[tuple[str, ...]]) -> list[str]:
    found = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    )
    return [name for (name,) in found]


def _columns(connection: psycopg.Connection[tuple[str, ...]], table: str) -> list[str]:
    found = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        [table],
    )
    return [name for (name,) in found]


def _live(table: str) -> Composed:
    return SQL("{}").format(Identifier("public", table))


def _copy(table: str) -> Composed:
    return SQL("{}").format(Identifier(COPY, table))
