"""A PostgreSQL connection that copes with a silent server.

A frozen server, or one behind a broken network, keeps its TCP connections and never answers: none
of its timeouts help. After a short silence we knock at its door, with the one message that every
PostgreSQL answers before anything else; we wait for a slow statement, but give up on a silent
server.
"""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Self

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base, schema
from django.db.backends.utils import CursorWrapper
from psycopg.abc import PQGen

from config.databases.breaker import Breaker
from config.databases.postgresql import lost, replica
from config.databases.postgresql.preparing import Operations, PreparedCursor
from config.databases.postgresql.waiting import waits

SILENCE = 1.0  # seconds without an answer before we knock, repeatedly

breaker = Breaker("silence")
of_replica = Breaker("silence_of_replica")


class Silent(psycopg.OperationalError):
    """The server does not answer."""


class Connection(psycopg.Connection[Any]):
    is_of_replica = False

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
        (of_replica if self.is_of_replica else breaker).trip()
        self.pgconn.finish()
        return Silent("the server does not answer")


def answers(pgconn: psycopg.pq.abc.PGconn) -> bool:
    """Tell whether a PostgreSQL answers a knock at this connection's address."""
    return replica.answers((pgconn.hostaddr or pgconn.host).decode(), int(pgconn.port))


class SchemaEditor(schema.DatabaseSchemaEditor):
    connection: "DatabaseWrapper"

    def __enter__(self) -> Self:
        super().__enter__()
        if self.atomic_migration and self.connection.locked_first:
            tables = ", ".join(map(self.quote_name, self.connection.locked_first))
            try:
                self.execute(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE", None)
            except BaseException as failed:
                super().__exit__(type(failed), failed, failed.__traceback__)
                raise
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            # Django would leave the transaction open if one of these failed.
            try:
                for sql in self.deferred_sql:
                    self.execute(sql, None)
            except BaseException as failed:
                super().__exit__(type(failed), failed, failed.__traceback__)
                raise
            self.deferred_sql.clear()
        super().__exit__(kind, error, trace)


class DatabaseWrapper(base.DatabaseWrapper):
    #: Django takes its connect function and the error classes from here.
    Database = SimpleNamespace(  # type: ignore[assignment]  # declared as the module itself
        **{**vars(psycopg), "connect": Connection.connect}
    )

    SchemaEditorClass = SchemaEditor
    ops_class = Operations

    #: Tables that an atomic migration locks before anything else, one after the other.
    locked_first: Sequence[str] = ()
    #: Whether a replica will do: only where nothing is changed, and only in a web process.
    may_read_replica = False
    #: Whether the connection leads to one.
    is_replica = False
    #: Whether the server refused a change.
    was_refused = False
    _as_of: tuple[datetime | None] | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.execute_wrappers += [waits, replica.refusing]

    def begin(self, *, is_safe: bool) -> None:
        """Prepare for a request. One that may change something needs the primary."""
        self._as_of = None
        self.may_read_replica = is_safe and "REPLICA" in self.settings_dict
        if self.connection is not None and self.is_replica:
            is_away = self._is_primary_away()
            if not (is_safe and is_away):
                self.close()

    @property
    def as_of(self) -> datetime | None:
        """Up to which moment the replica knows everything, during a request; None if unknown."""
        if self._as_of is None:
            with self.cursor() as cursor:
                cursor.execute(replica.AS_OF)
                self._as_of = cursor.fetchone()
        return self._as_of[0] if self._as_of else None

    def _is_primary_away(self) -> bool:
        """Tell whether trying to connect to the primary would be in vain."""
        if not breaker.is_open and not replica.knocks(
            self.get_connection_params(), replica.DOOR_AJAR
        ):
            breaker.trip()
        return breaker.is_open

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        self.is_replica = self.was_refused = False
        try:
            return self._connected(conn_params, breaker)
        except psycopg.OperationalError:
            if not self.may_read_replica:
                raise
            if not breaker.is_open:  # it refused at once: the next requests needn't ask either
                breaker.trip()
        with self._towards_replica():
            params = self.get_connection_params()
            if not of_replica.is_open and not replica.knocks(params, replica.DOOR_AJAR):
                of_replica.trip()
            found = self._connected(params, of_replica)
        self.is_replica = found.is_of_replica = True
        return found

    def _connected(self, params: dict[str, Any], whose: Breaker) -> Any:
        if whose.is_open:
            raise Silent("the server did not answer a moment ago")
        began = time.monotonic()
        try:
            connection = super().get_new_connection(params)
        except psycopg.OperationalError:
            # A timeout, or, for example, a name server that is silent too.
            if time.monotonic() > began + SILENCE:
                whose.trip()
            raise
        whose.reset()
        return connection

    @contextmanager
    def _towards_replica(self) -> Iterator[None]:
        own = self.settings_dict
        self.settings_dict = {**own, **own["REPLICA"]}
        try:
            yield
        finally:
            self.settings_dict = own

    def _close(self) -> None:
        # A replica's connections aren't in the pool.
        with self._towards_replica() if self.is_replica else nullcontext():
            super()._close()  # type: ignore[misc]  # not in the stubs

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
        if self.is_demoted and not self.in_atomic_block:
            self.close()
        super().close_if_unusable_or_obsolete()
        if self.connection is not None and lost.first not in self.execute_wrappers:
            self.execute_wrappers.insert(0, lost.first)

    @property
    def is_demoted(self) -> bool:
        """Tell whether it was a primary's, which only accepts reads now."""
        return self.was_refused and not self.is_replica

    @property
    def is_lost(self) -> bool:
        """Tell whether another connection may be better than this one."""
        return self.connection is not None and (self.connection.closed or self.is_demoted)

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
