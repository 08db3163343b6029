"""What PostgreSQL reads for a page: every statement of a request, explained as it is executed."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

#: What a driver says of the types of its parameters, where PostgreSQL can't guess.
CASTS = {datetime: "::timestamptz", timedelta: "::interval"}
EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"


@dataclass(frozen=True)
class Explained:
    """One statement: how long it took, how many rows and pages it read, and how."""

    sql: str
    milliseconds: float
    rows: int
    pages: int
    how: str

    @property
    def title(self) -> str:
        """Say briefly which statement it is: what it does, and with which tables."""
        verb = self.sql.split()[0]
        tables = list(dict.fromkeys(re.findall(r'(?:FROM|JOIN|INTO|UPDATE) "(\w+)"', self.sql)))
        return f"{verb} {', '.join(tables)}"


@contextmanager
def explained() -> Iterator[list[Explained]]:
    """Collect the plans of the queries in the block, which are executed twice; not of writes."""
    from django.db import connection

    from config.databases.postgresql.preparing import PreparedCursor

    found: list[Explained] = []

    def wrapper(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if sql.lstrip("( ").startswith(("SELECT", "WITH")) and "FOR NO KEY UPDATE" not in sql:
            prepared = isinstance(context["cursor"].cursor, PreparedCursor)
            with psycopg.ClientCursor(context["connection"].connection) as cursor:
                plan = (_plan_for_all_values if prepared else _plan)(cursor, sql, params)
            found.append(read(sql, plan))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrapper):
        yield found


def _plan(cursor: psycopg.ClientCursor[Any], sql: str, params: Any) -> dict[str, Any]:
    cursor.execute(f"{EXPLAIN} {sql}".encode(), params)
    [row] = cursor.fetchall()
    return dict(row[0][0])


def _plan_for_all_values(
    cursor: psycopg.ClientCursor[Any], sql: str, params: Any
) -> dict[str, Any]:
    """Return the plan of a prepared statement, which doesn't know the values."""
    casts = (f"${n}{CASTS.get(type(param), '')}" for n, param in enumerate(params, start=1))
    marked = re.sub("%[%s]", lambda mark: "%" if mark[0] == "%%" else next(casts), sql)
    cursor.execute(f"PREPARE explained AS {marked}".encode())
    values = ", ".join(["%s"] * len(params))
    try:
        return _plan(
            cursor, f"EXECUTE explained ({values})" if values else "EXECUTE explained", params
        )
    finally:
        cursor.execute("DEALLOCATE explained")


def read(sql: str, explanation: dict[str, Any]) -> Explained:
    nodes = list(_nodes(explanation["Plan"]))
    scans = [node for node in nodes if "Scan" in node["Node Type"]]
    top = explanation["Plan"]
    return Explained(
        sql=sql,
        milliseconds=explanation["Planning Time"] + explanation["Execution Time"],
        rows=round(sum(map(_rows_read, scans))),
        pages=top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        how=" · ".join(dict.fromkeys(map(_in_words, scans))),
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _rows_read(node: dict[str, Any]) -> float:
    each = node["Actual Rows"] + sum(
        node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck")
    )
    return each * node["Actual Loops"]


def _in_words(node: dict[str, Any]) -> str:
    where = node.get("Index Name") or node.get("Relation Name") or node.get("Alias", "")
    return f"{node['Node Type']} {where}"
