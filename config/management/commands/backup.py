"""Take a backup while the site goes on: `manage.py backup`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from tqdm import tqdm

from accounts import commands
from config.backups.manifest import Refused
from config.backups.storage import manifests, storage
from config.backups.taking import take


class Command(commands.Command):
    help = (
        "Put a consistent copy of the database into BACKUP_URL, with a manifest beside it, and "
        "keep the newest BACKUP_KEEP. People may go on booking."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", default="", help="a folder or s3:// instead of BACKUP_URL")
        parser.add_argument("--list", action="store_true", help="list what is there; take none")

    def handle(self, *args: Any, to: str, list: bool, **options: Any) -> None:
        try:
            kept = storage(to)
            if list:
                for name in manifests(kept):
                    self.stdout.write(name.removesuffix(".json"))
                return
            with tqdm(unit="B", unit_scale=True, desc="Dumping", disable=None) as bar:
                made = take(kept, now=timezone.now(), progress=bar.update)
        except Refused as error:
            raise CommandError(str(error)) from error
        rows = sum(made.content.counts.values())
        self.stdout.write(f"{made.name}: {rows} rows, {made.bytes} bytes, sha256 {made.sha256}")
