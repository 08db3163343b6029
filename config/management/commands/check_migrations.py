"""Refuse migrations that can't run while the release before serves: check_migrations [--record]

Tries the migrations since the last release on a database of their own beside the one of
DATABASE_URL, a PostgreSQL, and watches what each statement locks and goes through. See
docs/decisions/0017-migrations-are-watched.md.
"""

import argparse
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from accounts import commands
from config.online.trial import Baseline, name_of_scratch, problems_since, scratch


class Command(commands.Command):
    help = "Refuse migrations that can't run while the release before serves."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.description = __doc__
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        parser.add_argument(
            "--record",
            action="store_true",
            help="with a release: from now on, check what comes after it",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["record"]:
            Baseline.now(MigrationLoader(None)).write()
            self.stdout.write("Recorded: today's migrations are those of the release before.")
            return
        if connection.vendor != "postgresql":
            raise CommandError(
                "Locks are PostgreSQL's: python scripts/postgres.py -- manage.py check_migrations"
            )
        with scratch(connections["default"], name_of_scratch()):
            found = problems_since(Baseline.read())
        for problem in found:
            self.stderr.write(str(problem))
        if found:
            raise CommandError(
                "These can't run while the release before serves. If one may, say why under "
                "“accepted” in config/online/released.json."
            )
        self.stdout.write("Every migration since the last release can run while that one serves.")
