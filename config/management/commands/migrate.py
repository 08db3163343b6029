"""Django's `migrate`, for a database in use: it waits briefly for each lock, and tries again."""

from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db import DatabaseError, connections
from django.db.migrations import Migration

from accounts.numbers import seconds
from bookings.models import Booking, BookingEvent
from config.online.patience import Patience, is_in_the_way

#: In the order in which a decision locks them. A migration that changes the second before it refers
#: to the first waits for whoever waits for it, and a busy site never has a moment without one.
LOCKED_FIRST = [model._meta.db_table for model in (Booking, BookingEvent)]


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--lock-seconds",
            type=_seconds,
            default=0.5,
            help="how long to wait for a lock at a time: others wait as long (0.5)",
        )
        parser.add_argument(
            "--patience-seconds",
            type=_seconds,
            default=300,
            help="for how long to try again what others are in the way of (300)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._connection = connection = connections[options["database"]]
        self._current: Migration | None = None
        self._patience = Patience(options["lock_seconds"], options["patience_seconds"], self._say)
        try:
            with self._patience.on(connection):
                while not self._is_done(*args, **options):
                    pass
        finally:
            self._lock_first(())

    def _is_done(self, *args: Any, **options: Any) -> bool:
        try:
            super().handle(*args, **options)
        except DatabaseError as error:
            # What an atomic migration had begun is undone. Of another one, the operations that
            # were done stay, so it can't simply be run again.
            is_whole = self._current is None or self._current.atomic
            if not (is_in_the_way(error) and is_whole) or self._patience.is_over():
                raise
            self._patience.rest(error)
            there = self._connection.introspection.table_names()
            self._lock_first([table for table in LOCKED_FIRST if table in there])
            return False
        return True

    def migration_progress_callback(
        self, action: str, migration: Any = None, fake: bool = False
    ) -> None:
        if action in ("apply_start", "unapply_start"):
            self._current = migration
        elif action in ("apply_success", "unapply_success"):
            self._current = None
            self._lock_first(())
            self._patience.begin()
        super().migration_progress_callback(action, migration, fake)

    def _lock_first(self, tables: Sequence[str]) -> None:
        """Let an atomic migration begin so. SQLite has one lock, and doesn't ask."""
        self._connection.locked_first = tables  # type: ignore[attr-defined]  # our own

    def _say(self, text: str) -> None:
        self.stderr.write(text)


def _seconds(text: str) -> float:
    read = seconds(text)
    if not 0 < read < 86400:
        raise ArgumentTypeError(f"{text} is not between 0 and a day.")
    return read
