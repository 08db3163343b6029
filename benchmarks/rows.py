"""How fast the database alone writes what a booking writes: pgbench, with the same clients."""

import re
import resource
import subprocess
import tempfile
from typing import Any

import psycopg

from benchmarks.site import Database, cpu_seconds

TABLES = {"bookings_bookedslot": "booking_id", "bookings_bookingevent": "booking_id"}


def copy(database: Database) -> str | None:
    """Copy the database before anybody uses it; return the copy's address, None if that fails."""
    base, _, name = database.url.rpartition("/")
    try:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET pg_stat_statements.track = 'none'")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute(f'CREATE DATABASE benchmark_rows TEMPLATE "{name}"')
    except psycopg.Error as error:
        print(f"No pgbench: {error}".strip())
        return None
    return f"{base}/benchmark_rows"


def script(url: str) -> str:
    """Write what one booking of an hour left in the database as inserts of another such booking."""
    with psycopg.connect(url) as connection:
        (pk,) = one(
            connection,
            "SELECT id FROM bookings_booking b WHERE state = 'CONFIRMED' AND member_id IS NOT NULL"
            " AND 4 = (SELECT count(*) FROM bookings_bookedslot WHERE booking_id = b.id)"
            " ORDER BY id DESC LIMIT 1",
        )
        places = [row[0] for row in connection.execute("SELECT id FROM spaces_place ORDER BY id")]
        place, at = f"(ARRAY{places})[:p]", "(timestamptz '2100-01-01' + :n * interval '1 hour')"
        changed = {
            "code": "gen_random_uuid()",
            "request_key": "gen_random_uuid()::text",
            "place_id": place,
            "starts_at": at,
            "ends_at": f"{at} + interval '1 hour'",
        }
        lines = [
            r"\set n random(1, 9000000)",
            rf"\set p random(1, {len(places)})",
            "BEGIN;",
            f"{insert(connection, 'bookings_booking', f'id = {pk}', changed)} RETURNING id \\gset",
        ]
        for table, key in TABLES.items():
            again = {"booking_id": ":id", "place_id": place, "position": "NULL"}
            if table == "bookings_bookedslot":
                again["slot"] = f"{at} + interval '15 minutes' * #"
            lines.append(f"{insert(connection, table, f'{key} = {pk}', again)};")
        return "\n".join([*lines, "COMMIT;", ""])


def insert(connection: Any, table: str, which: str, changed: dict[str, str]) -> str:
    """Write a statement that inserts copies of rows; `#` becomes the number of the row."""
    columns = [
        row[0]
        for row in connection.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
            " AND column_name <> 'id' ORDER BY ordinal_position",
            [table],
        )
    ]
    quoted = ", ".join(f"quote_nullable({name}::text)" for name in columns)
    rows = connection.execute(f"SELECT {quoted} FROM {table} WHERE {which} ORDER BY id").fetchall()
    values = [
        ", ".join(
            changed[name].replace("#", str(n)) if name in changed else literal
            for name, literal in zip(columns, row, strict=True)
        )
        for n, row in enumerate(rows)
    ]
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({'), ('.join(values)})"


def one(connection: Any, query: str) -> Any:
    return connection.execute(query).fetchone()


def measure(database: Database, url: str, clients: int, seconds: float) -> dict[str, Any] | None:
    """Let that many clients write the rows of bookings as fast as the database can."""
    program = database.program("pgbench")
    if program is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script(url))
        file.flush()
        command: list[str] = [str(program), "--no-vacuum", "--protocol=prepared"]
        command += [f"--client={clients}", f"--time={max(round(seconds), 1)}"]
        command += [f"--file={file.name}", url]
        before, mine = cpu_seconds(database.pid), own_children()
        done = subprocess.run(command, capture_output=True, text=True)
        after, ours = cpu_seconds(database.pid), own_children()
    if done.returncode:
        print(f"pgbench failed: {done.stderr.strip()}")
        return None
    rate = float(re.search(r"tps = ([\d.]+)", done.stdout)[1])
    written = int(re.search(r"actually processed: (\d+)", done.stdout)[1])
    return {
        "clients": clients,
        "rate": round(rate, 1),
        "db_ms": None if before is None else round((after - before) * 1000 / written, 2),
        "client_ms": round((ours - mine) * 1000 / written, 2),
    }


def own_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
