"""Bring a backup back: `manage.py restore latest`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from config.backups.manifest import Refused
from config.backups.restoring import newer_than, restore
from config.backups.storage import storage


class Command(BaseCommand):
    help = (
        "Replace the database by a backup: all of it or, when anything is wrong, nothing. "
        "Stop web processes and workers first."
    )
    requires_system_checks = ()  # the database may be empty

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="as `backup --list` shows it, or `latest`")
        parser.add_argument("--from", dest="source", default="", help="instead of BACKUP_URL")
        parser.add_argument("--identity", type=Path, help="the file with the age key")
        parser.add_argument(
            "--force", action="store_true", help="replace what is in the database already"
        )

    def handle(
        self,
        *args: Any,
        name: str,
        source: str,
        identity: Path | None,
        force: bool,
        **options: Any,
    ) -> None:
        try:
            with tqdm(unit="", unit_scale=True, desc="Restoring", disable=None) as bar:
                done = restore(
                    storage(source), name, identity=identity, is_forced=force, progress=bar.update
                )
            newer = newer_than(done)
        except Refused as error:
            raise CommandError(str(error)) from error
        rows = sum(done.content.counts.values())
        self.stdout.write(f"{rows} rows of {done.when:%Y-%m-%d %H:%M:%S} UTC are back.")
        if newer:
            self.stdout.write(f"Run `manage.py migrate` now: {newer} migrations are newer.")
        self.stdout.write("Then run `manage.py check_bookings`, and start web and worker.")
