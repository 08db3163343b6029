"""Fill an empty database as `migrate` does, from a copy.

Many tests start with one, and all migrations take longer than most tests. `migrate` itself makes
the copy, in var/prepared/: once, and again when migrations or packages change.
"""

import fcntl
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg

from scripts import postgres

BASE = Path(__file__).resolve().parent.parent
KEPT = BASE / "var/prepared"
SQLITE = "sqlite:///"


def fill(url: str, environment: Mapping[str, str] = os.environ) -> None:
    """Make all tables in an empty database, with what `migrate` writes into them."""
    kind = "sqlite3" if url.startswith(SQLITE) else "sql"
    KEPT.mkdir(parents=True, exist_ok=True)
    copy = KEPT / f"{key(BASE)}.{kind}"
    with (KEPT / f"lock.{kind}").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others wait for the first
        if not copy.exists():
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                cwd=BASE,
                env={**environment, "DATABASE_URL": url},
                check=True,
            )
            _keep(url, copy)
            return
    if kind == "sqlite3":
        _copy(copy, _file(url))
        return
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(copy.read_bytes())


def key(base: Path) -> str:
    """Return what stands for all that makes the tables."""
    found = hashlib.sha256((base / "requirements.txt").read_bytes())
    for migration in sorted(base.glob("*/migrations/*.py")):
        found.update(str(migration.relative_to(base)).encode() + migration.read_bytes())
    return found.hexdigest()[:16]


def _keep(url: str, copy: Path) -> None:
    for stale in KEPT.glob(f"*{copy.suffix}"):
        if stale != copy and not stale.name.startswith("lock"):
            stale.unlink()
    unfinished = copy.with_name("unfinished" + copy.suffix)
    if copy.suffix == ".sqlite3":
        _copy(_file(url), unfinished)
    else:
        try:
            program = str(postgres.programs() / "pg_dump")
        except postgres.NoServer:
            return  # somebody else's server, and no tools here: each database is migrated
        done = subprocess.run([program, "--no-owner", "--inserts", url], stdout=subprocess.PIPE)
        if done.returncode:
            return  # a server that is newer than the tools: likewise
        dumped = done.stdout.splitlines()
        # Lines for psql alone, which other programs don't know.
        unfinished.write_bytes(b"\n".join(line for line in dumped if not line.startswith(b"\\")))
    unfinished.rename(copy)


def _file(url: str) -> Path:
    return BASE / url.removeprefix(SQLITE)


def _copy(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
