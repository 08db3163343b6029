"""Statements that the server parses and plans once per connection: for `accounts.prepared`.

Not for a pooler that gives each transaction another connection, unless it knows of them.
"""

from typing import TYPE_CHECKING, Any

import psycopg
from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.postgresql.operations import DatabaseOperations

if TYPE_CHECKING:
    ServerBindingCursor = psycopg.Cursor[Any]
else:
    ServerBindingCursor = base.ServerBindingCursor


class Stale(psycopg.errors.SerializationFailure):
    """A migration changed what a prepared statement returns: the transaction is to be repeated."""


class PreparedCursor(ServerBindingCursor):
    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        if not settings.PREPARED_STATEMENTS:
            return super().execute(query, params, **options)
        try:
            return super().execute(query, params, prepare=True)
        except psycopg.errors.FeatureNotSupported as error:
            if self.connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                # The rollback forgets all prepared statements.
                raise Stale(*error.args) from error
        super().execute("DEALLOCATE ALL")
        return super().execute(query, params, prepare=True)


class Operations(DatabaseOperations):
    def last_executed_query(self, cursor: Any, sql: Any, params: Any) -> str:
        """Return the statement with its values, which were sent apart from it."""
        if isinstance(cursor, PreparedCursor):
            return str(self.compose_sql(sql, params))
        return str(super().last_executed_query(cursor, sql, params))
