"""Database triggers that give a space a new stamp with every change of its set-up.

A trigger is met by every door: pages, the admin, bulk updates, commands, a database console. It
runs in the transaction of the change, so the stamp and the change are seen together, or neither.
A stamp is random and not a counter: after a rollback or a restore, a number would come again, for
another set-up.

Each change writes a stamp of its own and deletes those it can lock at once: no two changes
ever wait for each other here, so the stamps add no deadlock. Two changes at the same time
leave two stamps, until the next one.

Stamps exist only while all triggers do: without them, set-ups are read anew each time.
"""

from hashlib import sha256
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from spaces.models import (
    Closure,
    OpeningHours,
    Place,
    Policy,
    SetupStamp,
    Shift,
    Space,
    TurnTime,
)

#: The tables of the set-up, each with the spaces that its changed rows belong to.
OF_SPACE = "SELECT {row}space_id {changed}"
TOUCHED = {
    Space._meta.db_table: "SELECT {row}id {changed}",
    OpeningHours._meta.db_table: OF_SPACE,
    Closure._meta.db_table: OF_SPACE,
    Policy._meta.db_table: OF_SPACE,
    Shift._meta.db_table: OF_SPACE,
    TurnTime._meta.db_table: OF_SPACE,
    Place._meta.db_table: OF_SPACE,
    Place.parts.through._meta.db_table: (
        "SELECT space_id FROM spaces_place WHERE id IN "
        "(SELECT {row}from_place_id {changed} UNION ALL SELECT {row}to_place_id {changed})"
    ),
}

PREFIX = "setup_"


class SQLite:
    """Triggers for each row. Writers never meet: SQLite has one at a time."""

    EVENTS = {"INSERT": ["NEW"], "UPDATE": ["OLD", "NEW"], "DELETE": ["OLD"]}
    BODY = """
        DELETE FROM spaces_setupstamp WHERE space_id IN ({touched});
        INSERT INTO spaces_setupstamp (stamp, space_id)
            SELECT lower(hex(randomblob(16))), id FROM spaces_space WHERE id IN ({touched});
    """
    NAMES = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB 'setup_*'"
    FILL = "SELECT lower(hex(randomblob(16))), id FROM spaces_space"

    def triggers(self) -> dict[str, str]:
        found = {}
        for table, touched in TOUCHED.items():
            for event, rows in self.EVENTS.items():
                spaces = " UNION ".join(touched.format(row=f"{row}.", changed="") for row in rows)
                body = self.BODY.format(touched=spaces)
                name = _name(table, event, body)
                found[name] = f"CREATE TRIGGER {name} AFTER {event} ON {table} BEGIN {body} END"
        return found

    def remove(self, cursor: Any) -> None:
        cursor.execute(self.NAMES)
        for (name,) in cursor.fetchall():
            cursor.execute(f"DROP TRIGGER {name}")

    def prepare(self, cursor: Any) -> None:
        """Nothing but the triggers is needed."""


class PostgreSQL:
    """Triggers for each statement: a bulk change of a thousand rows writes one stamp."""

    EVENTS = {
        "INSERT": ("REFERENCING NEW TABLE AS changed", "changed"),
        "UPDATE": (
            "REFERENCING OLD TABLE AS before NEW TABLE AS after",
            "(SELECT * FROM before UNION ALL SELECT * FROM after) AS changed",
        ),
        "DELETE": ("REFERENCING OLD TABLE AS changed", "changed"),
        "TRUNCATE": ("", ""),
    }
    FUNCTION = """
        CREATE FUNCTION setup_changed() RETURNS trigger LANGUAGE plpgsql
        SET search_path FROM CURRENT AS $$
        DECLARE touched bigint[];
        BEGIN
            EXECUTE 'SELECT array_agg(DISTINCT space) FROM (' || TG_ARGV[0] || ') AS t(space)'
                INTO touched;
            IF touched IS NULL THEN RETURN NULL; END IF;
            DELETE FROM spaces_setupstamp WHERE stamp IN (
                SELECT stamp FROM spaces_setupstamp WHERE space_id = ANY (touched)
                FOR UPDATE SKIP LOCKED
            );
            INSERT INTO spaces_setupstamp (stamp, space_id)
                SELECT gen_random_uuid()::text, id FROM spaces_space WHERE id = ANY (touched);
            RETURN NULL;
        END $$
    """
    # Only what fires in ordinary sessions counts.
    NAMES = (
        "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'setup\\_%' "
        "AND tgenabled IN ('O', 'A') AND pg_table_is_visible(tgrelid)"
    )
    FILL = "SELECT gen_random_uuid()::text, id FROM spaces_space"

    def triggers(self) -> dict[str, str]:
        found = {}
        for table, touched in TOUCHED.items():
            for event, (referencing, rows) in self.EVENTS.items():
                spaces = touched.format(row="", changed=f"FROM {rows}")
                if event == "TRUNCATE":
                    spaces = "SELECT id FROM spaces_space"
                name = _name(table, event, self.FUNCTION + spaces)
                found[name] = (
                    f"CREATE TRIGGER {name} AFTER {event} ON {table} {referencing} "
                    f"FOR EACH STATEMENT EXECUTE FUNCTION setup_changed('{spaces}')"
                )
        return found

    def remove(self, cursor: Any) -> None:
        cursor.execute("DROP FUNCTION IF EXISTS setup_changed() CASCADE")

    def prepare(self, cursor: Any) -> None:
        cursor.execute(self.FUNCTION)


DIALECTS: dict[str, SQLite | PostgreSQL] = {"sqlite": SQLite(), "postgresql": PostgreSQL()}


def _name(table: str, event: str, definition: str) -> str:
    """Name a trigger after all it does, so that an outdated one is a missing one."""
    digest = sha256(definition.encode()).hexdigest()[:8]
    return f"{PREFIX}{table.removeprefix('spaces_')}_{event.lower()}_{digest}"


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the triggers that this database lacks."""
    dialect = DIALECTS[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(dialect.NAMES)
        there = {name for (name,) in cursor.fetchall()}
    return sorted(dialect.triggers().keys() - there)


def install(connection: BaseDatabaseWrapper) -> None:
    """Create all triggers and give every space a new stamp: nobody knows what changed meanwhile."""
    dialect = DIALECTS[connection.vendor]
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        dialect.remove(cursor)
        dialect.prepare(cursor)
        for sql in dialect.triggers().values():
            cursor.execute(sql)
        cursor.execute("DELETE FROM spaces_setupstamp")
        cursor.execute(f"INSERT INTO spaces_setupstamp (stamp, space_id) {dialect.FILL}")


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers, and the stamps with them."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        DIALECTS[connection.vendor].remove(cursor)
        if SetupStamp._meta.db_table in connection.introspection.table_names(cursor):
            cursor.execute("DELETE FROM spaces_setupstamp")


def before_migrating(*, using: str, plan: list[Any], **kwargs: Any) -> None:
    """Drop the triggers on SQLite, where a migration replaces tables that they name."""
    if plan and connections[using].vendor == "sqlite":
        remove(connections[using])


def after_migrating(*, using: str, **kwargs: Any) -> None:
    """Install the triggers if one is missing or out of date, and the tables are there."""
    connection = connections[using]
    if missing(connection):
        with connection.cursor() as cursor:
            tables = set(connection.introspection.table_names(cursor))
        if tables >= {SetupStamp._meta.db_table, *TOUCHED}:
            install(connection)
