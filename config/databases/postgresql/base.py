"""A PostgreSQL connection that copes with a silent server.

A frozen server, or one behind a broken network, keeps its TCP connections and never answers: none
of its timeouts help. After a short silence we knock at its door, with the one message that every
PostgreSQL answers before anything else; we wait for a slow statement, but give up on a silent
server.
"""

import socket
import struct
import time
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg.abc import PQGen

from config.databases.breaker import Breaker
from config.databases.postgresql import lost
from config.databases.postgresql.preparing import Operations, PreparedCursor
from config.databases.postgresql.waiting import waits

SILENCE = 1.0  # seconds without an answer before we knock, repeatedly
DOOR = 1.0  # seconds that the answer to a knock may take
SSL_REQUEST = struct.pack("!ii", 8, 80877103)  # answered with one byte, before any sign-in

breaker = Breaker()


class Silent(psycopg.OperationalError):
    """The server does not answer."""


class Connection(psycopg.Connection[Any]):
    def wait[RV](self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        if self.pgconn.status != psycopg.pq.ConnStatus.OK:
            return super().wait(gen, interval, timeout)
        return super().wait(self._watched(gen), interval, timeout)

    def _watched[RV](self, gen: PQGen[RV]) -> Generator[Any, Any, RV]:
        """Pass everything through, and check the clock whenever nothing has arrived."""
        began = asked = time.monotonic()
        longest = settings.DATABASE_WAITS["silence"]
        try:
            wish = next(gen)
            while True:
                ready = yield wish
                now = time.monotonic()
                if ready:
                    began = asked = now
                elif longest and now > began + longest:
                    raise self._left()
                elif now > asked + SILENCE:
                    if not answers(self.pgconn):
                        raise self._left()
                    asked = time.monotonic()
                wish = gen.send(ready)
        except StopIteration as end:
            result: RV = end.value
            return result

    def _left(self) -> Silent:
        breaker.trip()
        self.pgconn.finish()
        return Silent("the server does not answer")


def answers(pgconn: psycopg.pq.abc.PGconn) -> bool:
    """Tell whether a PostgreSQL answers a knock at this connection's address."""
    host = (pgconn.hostaddr or pgconn.host).decode()
    port = int(pgconn.port)
    try:
        if host.startswith("/"):
            door = socket.socket(socket.AF_UNIX)
            door.settimeout(DOOR)
            door.connect(f"{host}/.s.PGSQL.{port}")
        else:
            door = socket.create_connection((host, port), DOOR)
        with door:
            door.settimeout(DOOR)
            door.sendall(SSL_REQUEST)
            return bool(door.recv(1))
    except OSError:
        return False


class DatabaseWrapper(base.DatabaseWrapper):
    #: Django takes its connect function and the error classes from here.
    Database = SimpleNamespace(  # type: ignore[assignment]  # declared as the module itself
        **{**vars(psycopg), "connect": Connection.connect}
    )

    ops_class = Operations

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute_wrappers.append(waits)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        if breaker.is_open:
            raise Silent("the server did not answer a moment ago")
        began = time.monotonic()
        try:
            connection = super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            # A timeout, or, for example, a name server that is silent too.
            if time.monotonic() > began + SILENCE:
                breaker.trip()
            raise
        breaker.reset()
        return connection

    def prepared_cursor(self) -> CursorWrapper:
        """Return a cursor whose statements the server prepares."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor: CursorWrapper = self._prepare_cursor(  # type: ignore[attr-defined]  # not in the stubs
                PreparedCursor(self.connection)
            )
            return cursor

    def close_if_unusable_or_obsolete(self) -> None:
        """Let the next statement find out whether the connection, if it stays, was lost."""
        super().close_if_unusable_or_obsolete()
        if self.connection is not None and lost.first not in self.execute_wrappers:
            self.execute_wrappers.insert(0, lost.first)

    @property
    def is_lost(self) -> bool:
        return self.connection is not None and self.connection.closed

    def replace(self, cursor: CursorWrapper) -> None:
        """Open another connection, also for a cursor and for a transaction that has just begun."""
        with self.wrap_database_errors:
            new = self.get_new_connection(self.get_connection_params())
            self.connection.close()
            self.connection = new
            new.autocommit = True
            self._configure_connection(new)  # type: ignore[attr-defined]  # not in the stubs
            new.autocommit = self.autocommit
            gone, cursor.cursor = (
                cursor.cursor,
                self.create_cursor(getattr(cursor.cursor, "name", None)),
            )
            gone.close()
        self.errors_occurred = False
        if self.close_at is not None:
            self.close_at = time.monotonic() + self.settings_dict["CONN_MAX_AGE"]
