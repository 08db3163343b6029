"""Something to look at in an empty database; not for production: its passwords are public."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from accounts import commands
from accounts.models import User
from accounts.numbers import whole_number
from bookings.models import Booking
from config import demo
from spaces.models import Place, Space


class Command(commands.Command):
    help = (
        "Fill an empty database with a coworking space, a restaurant and a fortnight of bookings. "
        "Does nothing if there are already spaces or people. Not for production: the demo "
        "logins, one of them a superuser, have a public password."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--days", type=whole_number, default=7, help="days before and after today"
        )
        parser.add_argument(
            "--scale", type=whole_number, default=1, help="multiply the places and people"
        )
        parser.add_argument("--logins", action="store_true", help="print the demo logins")

    def handle(self, *args: Any, days: int, scale: int, logins: bool, **options: Any) -> None:
        if days < 1 or scale < 1:
            raise CommandError("--days and --scale must be at least 1.")
        if not (Space.objects.exists() or User.objects.exists()):
            doors = demo.create(now=timezone.now(), days=days, scale=scale)
            self.stdout.write(
                f"Demo data: {Space.objects.count()} spaces, {Place.objects.count()} places, "
                f"{User.objects.count()} people, {Booking.objects.count()} bookings."
            )
            for address in doors:
                self.stdout.write(f"Screen at a door, shown only now: {address}")
        if logins:
            self._print_logins()

    def _print_logins(self) -> None:
        """Print who can still sign in with the demo password: nobody, in a real database."""
        people = User.objects.in_bulk(demo.LOGINS, field_name="username")
        for login in demo.LOGINS:
            if login in people and people[login].check_password(demo.PASSWORD):
                self.stdout.write(f"Login  {login}, password {demo.PASSWORD}")
