"""A replica that is read while the primary can't be reached.

Everything in the application uses one connection. Where a request changes nothing, that connection
may lead to a replica instead: no query has to know. A replica refuses every change by itself.
"""

import socket
import struct
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from django.db import DatabaseError, OperationalError

SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # answered with one byte, before any sign-in
DOOR = 1.0  # seconds that the answer to a knock may take
DOOR_AJAR = 0.5  # the same for a server that was silent a moment ago: requests wait for this

#: Up to which moment a replica has everything: its last transaction's commit, by the primary's
#: clock; or, where we may see that (pg_read_all_stats), the last time the primary said that there
#: was no more. Workers leave a heartbeat every two seconds, so no running site is idle for longer.
AS_OF = """
SELECT CASE WHEN pg_is_in_recovery() THEN greatest(
    pg_last_xact_replay_timestamp(),
    (SELECT last_msg_send_time FROM pg_stat_wal_receiver
     WHERE latest_end_lsn <= pg_last_wal_replay_lsn())
) ELSE now() END
"""


class ReadOnly(OperationalError):
    """A change was refused: this server is no primary, or none any more."""


def refusing(execute: Any, sql: Any, values: Any, many: bool, context: dict[str, Any]) -> Any:
    """Say that a server which refuses changes isn't the one we need: a wrapper for Django."""
    try:
        return execute(sql, values, many, context)
    except DatabaseError as error:
        if not isinstance(error.__cause__, psycopg.errors.ReadOnlySqlTransaction):
            raise
        context["connection"].was_refused = True
        raise ReadOnly("this server can only be read") from error.__cause__


def knocks(params: Mapping[str, Any], seconds: float) -> bool:
    """Tell whether a PostgreSQL answers a knock at any of the addresses of a connection.

    Only libpq knows where it is if nothing says so.
    """
    addresses = list(_addresses(params))
    return not addresses or any(answers(host, port, seconds) for host, port in addresses)


def answers(host: str, port: int, seconds: float = DOOR) -> bool:
    """Tell whether a PostgreSQL answers a knock at this address."""
    try:
        if host.startswith("/"):
            door = socket.socket(socket.AF_UNIX)
            door.settimeout(seconds)
            door.connect(f"{host}/.s.PGSQL.{port}")
        else:
            door = socket.create_connection((host, port), seconds)
        with door:
            door.settimeout(seconds)
            door.sendall(SSL_REQUEST)
            return bool(door.recv(1))
    except OSError:
        return False


def _addresses(params: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield host and port of each server; a single port is for all of them."""
    hosts = filter(None, str(params.get("hostaddr") or params.get("host") or "").split(","))
    ports = str(params.get("port") or 5432).split(",")
    for number, host in enumerate(hosts):
        yield host, int(ports[number if len(ports) > 1 else 0] or 5432)
