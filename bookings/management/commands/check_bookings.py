"""Prove, on a live database, that bookings keep their promises."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bookings.deciding import invariants, stranding
from bookings.models import Booking


class Command(BaseCommand):
    help = (
        "Check every booking against the invariants; print what is wrong and fail if anything is. "
        "Upcoming bookings that the current set-up would not allow are listed, but aren't wrong."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        for standing in stranding.unfit(now=now):
            codes = ", ".join(standing.problems)
            self.stdout.write(f"notice: {standing.booking.code}: {codes} under the current set-up")
        wrong = 0
        for violation in invariants.violations(now=now):
            self.stdout.write(str(violation))
            wrong += 1
        count = Booking.objects.count()
        if wrong:
            raise CommandError(f"{count} bookings checked, violations: {wrong}")
        self.stdout.write(f"{count} bookings checked, no violations")
