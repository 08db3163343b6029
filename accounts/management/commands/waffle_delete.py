"""waffle's command, which also leaves a line in the audit: what has no row is on."""

from typing import Any

from django.utils import timezone
from waffle.management.commands import waffle_delete

from accounts import acting, audit
from accounts.joining import AuditEntry


class Command(waffle_delete.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with acting.at_server():
            super().handle(*args, **options)
            for name in options["switch_names"] or []:
                what = f"command:waffle_delete {name}"
                audit.write(AuditEntry.Kind.CHANGED, what=what, now=timezone.now())
