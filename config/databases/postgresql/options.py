"""What every connection to PostgreSQL is told: how long to wait, and which server will do."""

from collections.abc import Mapping
from typing import Any


def options(
    given: Mapping[str, Any], waits: Mapping[str, float], *, is_serving: bool, prepares: bool
) -> dict[str, Any]:
    """Complete the options of a URL; `waits` is the setting DATABASE_WAITS."""
    limits = [f"-c idle_in_transaction_session_timeout={waits['idle']}s"]
    if is_serving:
        limits.append(f"-c statement_timeout={int(1000 * waits['statement'])}ms")
        limits.append(f"-c lock_timeout={int(1000 * waits['lock'])}ms")
    if prepares:
        # One plan for all values. Left to itself, PostgreSQL plans some statements anew each time,
        # for four times what they take to run.
        limits.append("-c plan_cache_mode=force_generic_plan")
    pool = given.get("pool")
    return {
        # A former primary that runs on as a replica accepts connections, and refuses every change.
        "target_session_attrs": "primary",
        "tcp_user_timeout": 1000 * waits["tcp"],
        **{name: waits[name] for name in waits if name.startswith("keepalives_")},
        **given,
        # Nobody waits longer for a connection of the pool than for a new one.
        **({"pool": {"timeout": 2, **(pool if isinstance(pool, dict) else {})}} if pool else {}),
        "options": " ".join([given.get("options", ""), *limits]).strip(),
        "prepare_threshold": 5 if prepares else None,
        # Per host. libpq waits at least this long, and nobody waits much longer for /readyz.
        "connect_timeout": 2,
    }


def of_a_replica(options: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the primary's options as they are for a replica, with those of its own URL."""
    own = {name: value for name, value in options.items() if name != "pool"}
    # A replica that has just become the primary isn't written to either.
    read_only = f"{own['options']} -c default_transaction_read_only=on"
    return {**own, "target_session_attrs": "any", **given, "options": read_only}
