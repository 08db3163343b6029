"""waffle's command, which also leaves a line in the audit."""

from typing import Any

from django.utils import timezone
from waffle.management.commands import waffle_switch

from accounts import acting, audit
from accounts.joining import AuditEntry


class Command(waffle_switch.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        name, state = options["name"], options["state"]
        with acting.at_server():
            super().handle(*args, **options)
            if not options["list_switches"]:
                what = f"command:waffle_switch {name} {'on' if state else 'off'}"
                audit.write(AuditEntry.Kind.CHANGED, what=what, now=timezone.now())
