"""Forget at once what the settings don't keep any longer; a worker does the same, bit by bit."""

from typing import Any

from django.utils import timezone

from accounts import commands
from accounts.forgetting import forget_old_credentials
from bookings.deciding.forgetting import forget_old_notes, forget_unseen_guests
from notifications.kafka.requests import forget_refused
from notifications.relay import forget_settled

STEPS = (
    forget_old_credentials,
    forget_unseen_guests,
    forget_old_notes,
    forget_settled,
    forget_refused,
)


class Command(commands.Command):
    help = (
        "Delete or blank what is older than the settings keep it: credentials, the audit, guests, "
        "notes, letters, refused requests. Workers do so by themselves."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        for step in STEPS:
            done = 0
            while some := step(now=now):
                done += some
            self.stdout.write(f"{step.__name__}: {done}")
