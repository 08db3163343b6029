"""Prove, on a live database, that bookings keep their promises; mend what can be mended."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts import commands
from bookings.deciding import explaining, invariants, stranding
from bookings.deciding.invariants import Violation
from bookings.models import Booking


class Command(commands.Command):
    help = (
        "Check every booking against the invariants; print what is wrong and fail if anything is. "
        "Upcoming bookings that the current set-up would not allow are listed, but aren't wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--explain",
            action="store_true",
            help="say what each violation means, who is affected and what to do; changes nothing",
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="mend what has only one right answer, and explain the rest; asks nothing",
        )

    def handle(self, *args: Any, explain: bool, repair: bool, **options: Any) -> None:
        now = timezone.now()
        for standing in stranding.unfit(now=now):
            codes = ", ".join(standing.problems)
            self.stdout.write(f"notice: {standing.booking.code}: {codes} under the current set-up")
        found = invariants.violations(now=now)
        wrong = repaired = 0
        # Read whole before anything is changed: a repair may mend what a later check would find.
        for violation in list(found) if repair else found:
            self.stdout.write(str(violation))
            if repair and self._repair(violation, now):
                repaired += 1
                continue
            wrong += 1
            if explain or repair:
                for line in explaining.explained(violation):
                    self.stdout.write(f"    {line}")
        count = Booking.objects.count()
        mended = f", repaired: {repaired}" if repaired else ""
        if wrong:
            raise CommandError(f"{count} bookings checked{mended}, violations: {wrong}")
        self.stdout.write(f"{count} bookings checked{mended}, no violations")

    def _repair(self, violation: Violation, now: datetime) -> bool:
        """Mend a violation if that is safe; tell whether nothing of it is left."""
        mend = explaining.REPAIRS.get(violation.kind)
        if mend is None:
            return False
        result = mend(violation, now)
        if result.done:
            self.stdout.write(f"    Repaired: {result.done}")
        elif not result.left:
            self.stdout.write("    Nothing is wrong any more.")
        if result.left:
            self.stdout.write(f"    Left: {result.left}")
        return not result.left
