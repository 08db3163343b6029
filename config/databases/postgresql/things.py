"""What can be waited for in vain: a table, or exactly this statement."""

import re
from dataclasses import dataclass
from typing import Any

import psycopg

WRITE = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b")
LOCK = re.compile(r"\bFOR (NO KEY UPDATE|UPDATE|SHARE|KEY SHARE)\b")


@dataclass(frozen=True)
class Statement:
    """A statement with its values: it stands for the rows it asks for."""

    sql: str
    values: str
    is_slow: bool = False  # it got its locks, and took too long

    @property
    def strength(self) -> int:
        """Tell how strong a table lock it takes: one that blocks readers blocks everybody."""
        return 2 if WRITE.match(self.sql) else 1 if LOCK.search(self.sql) else 0

    def concerns(self, statement: "Statement") -> bool:
        return (self.sql, self.values) == (statement.sql, statement.values)


@dataclass(frozen=True)
class Table:
    """A table that is locked for everyone who wants a lock this strong."""

    name: str
    strength: int
    is_slow = False

    def concerns(self, statement: Statement) -> bool:
        return statement.strength >= self.strength and (
            re.search(rf"\b{self.name}\b", statement.sql) is not None
        )


type Thing = Table | Statement


def waited_for(
    error: BaseException | None, statement: Statement, cursor: Any, values: Any
) -> Thing | None:
    """Name what a statement waited for in vain; None if it failed for another reason.

    Tables are locked while a statement is parsed, and only then does an error give a position in
    its text. Rows come later: the error's context names the row, or nothing does if others are
    waiting for it too.
    """
    if isinstance(error, psycopg.errors.QueryCanceled):
        return Statement(statement.sql, statement.values, is_slow=True)
    if not isinstance(error, psycopg.errors.LockNotAvailable):
        return None
    if (position := error.diag.statement_position) and isinstance(cursor, psycopg.ClientCursor):
        sent = cursor.mogrify(statement.sql, values)
        if name := re.match(r'"?(\w+)', sent[int(position) - 1 :]):
            return Table(name[1], statement.strength)
    return statement
