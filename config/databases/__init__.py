"""Django's database backends with a limit on every wait: if the database can't end one, we do."""

from pathlib import Path
from typing import Any

from environ import Env

from config.databases.postgresql import options as postgresql
from config.given import Given

SQLITE = "config.databases.sqlite3"


def given(
    env: Given, var: Path, waits: dict[str, Any], *, is_serving: bool, prepares: bool
) -> dict[str, Any]:
    """Return the default of the setting DATABASES; `waits` is DATABASE_WAITS."""
    found: dict[str, Any] = env.dict("DATABASE_URL") or Env.db_url_config(
        f"sqlite:///{var / 'mesto.sqlite3'}"
    )
    if found["ENGINE"] == "django.db.backends.sqlite3":
        return {
            **found,
            "ENGINE": SQLITE,
            # IMMEDIATE: a transaction that reads, then writes, would otherwise die of
            # "database is locked".
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": waits["busy"] if is_serving else 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
            # A file, not memory: the threads of one test share it.
            "TEST": {"NAME": env.str("TEST_DB", otherwise=str(var / "test.sqlite3"))},
        }
    options = found.get("OPTIONS", {})
    found |= {
        "ENGINE": "config.databases.postgresql",
        "CONN_MAX_AGE": env.int("CONN_MAX_AGE"),
        "OPTIONS": postgresql.options(options, waits, is_serving=is_serving, prepares=prepares),
        # A connection that was lost is replaced: see config/databases/postgresql/lost.py.
        "CONN_HEALTH_CHECKS": "pool" in options,
    }
    # Read while the primary can't be reached: see config/databases/postgresql/replica.py.
    if url := env.str("REPLICA_URL"):
        replica = Env.db_url_config(url)
        replica["OPTIONS"] = postgresql.of_a_replica(found["OPTIONS"], replica.get("OPTIONS", {}))
        found["REPLICA"] = replica
    return found
