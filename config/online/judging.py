"""What of a migration would make people wait, or break the release that is still serving."""

from collections.abc import Iterator
from dataclasses import dataclass

from config.online import statements
from config.online.watching import Seen, Table

STATEMENTS = {
    "LOCK": "locks a table by name, for as long as the transaction lasts",
    "TRUNCATE": "empties a table that is in use",
    "CLUSTER": "rewrites a table that is in use",
    "REFRESH": "recomputes a view while nobody can read it; say CONCURRENTLY",
}
INSTEAD = {
    "building index": "build it with online.AddIndex, in a migration with atomic = False",
    "rewriting": "add a column, fill it in batches, switch to it in the next release",
    "verifying": "add the constraint with online.AddConstraint, then online.validate in a "
    "migration of its own",
    "validating foreign key": "add the column without a constraint, or the constraint NOT VALID, "
    "and validate it in a migration of its own",
}
BATCHES = "go through it in batches by key, each in a transaction of its own (atomic = False)"


@dataclass(frozen=True)
class Known:
    """What is there when a migration begins: those who serve know it."""

    tables: dict[str, Table]
    keys: dict[str, set[str]]
    columns: dict[str, dict[str, bool]]  # of the release before: table, column, may be empty


@dataclass(frozen=True)
class Problem:
    migration: str
    text: str

    def __str__(self) -> str:
        return f"{self.migration}: {self.text}"


def of_statement(seen: Seen, known: Known, *, is_one_transaction: bool) -> Iterator[str]:
    """Yield what is wrong with a statement; `is_one_transaction`: with the whole migration."""
    locked = [table for table in seen.locks if table in known.tables]
    if seen.must_be_outside and not statements.runs_concurrently(seen.sql):
        yield f"works through what is in use while others wait: {_short(seen.sql)}"
    for does, table in seen.work:
        if table in known.tables and locked:
            yield (
                f"{does} of {table} while {', '.join(sorted(locked))} is locked "
                f"({seen.locks[locked[0]]}); {INSTEAD[does]}"
            )
    for statement in statements.split(seen.sql):
        word = statements.first_word(statement)
        if word in STATEMENTS and not statements.runs_concurrently(statement):
            yield f"{STATEMENTS[word]}: {_short(statement)}"
        yield from _of_rows(statement, seen, known, is_one_transaction=is_one_transaction)


def _of_rows(sql: str, seen: Seen, known: Known, *, is_one_transaction: bool) -> Iterator[str]:
    """Yield what is wrong with a statement about rows: all of a table's in one transaction."""
    written = statements.written(sql) & known.tables.keys()
    read = statements.read(sql) & known.tables.keys()
    keys = {key for table in written | read for key in known.keys.get(table, ())}
    is_bounded = statements.is_bounded(sql, keys)
    if written or (read and statements.inserts_what_it_reads(sql)):
        if not is_bounded:
            yield f"writes all of {_names(written | read)} at once; {BATCHES}: {_short(sql)}"
        return
    if not read or not seen.in_transaction:
        return
    # The tables are empty here, so a loop over rows shows itself only by how it begins.
    asked = statements.limit(sql)
    begins_a_loop = statements.is_aggregate(sql) or (asked or 0) > statements.FEW
    if not is_bounded or (is_one_transaction and begins_a_loop):
        yield f"goes through {_names(read)} in one transaction; {BATCHES}: {_short(sql)}"


def of_tables(before: dict[str, Table], after: dict[str, Table], known: Known) -> Iterator[str]:
    """Yield what the release before reads or writes, and no longer finds as it was."""
    for table, columns in known.columns.items():
        if table not in before:
            continue
        if table not in after:
            yield f"the release before still uses {table}; drop or rename it a release later"
            continue
        was, is_now = before[table], after[table]
        if was.file and was.file != is_now.file:
            yield f"rewrites {table} as a whole"
        for column in was.columns.keys() & columns.keys() - is_now.columns.keys():
            yield (
                f"the release before still uses {table}.{column}; drop it a release after the "
                "code stopped using it (SeparateDatabaseAndState), rename it by way of a new one"
            )
        for column, found in is_now.columns.items():
            if found == was.columns.get(column) or not found.is_required:
                continue
            if column not in columns and not found.has_default:
                yield (
                    f"{table}.{column} has to have a value, but the release before knows nothing "
                    "of it; give it db_default, or let it be empty until the next release"
                )
            elif columns.get(column):
                yield (
                    f"the release before leaves {table}.{column} empty; forbid that in the next one"
                )


def _names(tables: set[str]) -> str:
    return ", ".join(sorted(tables))


def _short(sql: str) -> str:
    text = " ".join(sql.split())
    return text if len(text) <= 120 else f"{text[:117]}…"
