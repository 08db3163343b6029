"""Look at everything the site needs: `manage.py doctor`."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from config.doctor import State, examine


class Command(BaseCommand):
    help = (
        "Look at settings, database, migrations, clocks, worker, mail, Kafka, cache, disk, static "
        "files and backups, and say what to do. Exit code 1 if something is wrong; warnings are 0."
    )
    requires_system_checks = ()  # they are its first part

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        found = list(examine(timezone.now))
        is_ill = any(each.state == State.ILL for each in found)
        if options["json"]:
            self.stdout.write(_document(found, is_ill))
        else:
            for each in found:
                self.stdout.write(f"{each.state:8} {each.part:13} {each.says}")
        if is_ill:
            raise SystemExit(1)


def _document(found: list[Any], is_ill: bool) -> str:
    return json.dumps({"ok": not is_ill, "parts": [asdict(each) for each in found]}, indent=1)
