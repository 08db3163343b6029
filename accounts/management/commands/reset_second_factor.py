"""Let somebody in again who has lost the phone, the passkeys and the recovery codes."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from accounts import acting, commands
from accounts.models import User
from accounts.second import services


class Command(commands.Command):
    help = (
        "Take all second factors away from the person with this login: the app, the passkeys, the "
        "recovery codes. Make sure first who is asking. The person sees it in the profile."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("login")

    def handle(self, *args: Any, login: str, **options: Any) -> None:
        try:
            user = User.objects.get_by_natural_key(login)
        except User.DoesNotExist:
            raise CommandError(f"There is nobody with the login {login}.") from None
        if not user.is_active:
            raise CommandError(f"The account of {user.username} is closed.")
        with acting.at_server():
            was_there = services.reset(user, by=None, now=timezone.now())
            acting.note_command("reset_second_factor", user)
        if was_there:
            self.stdout.write(f"{user.username} signs in with the password alone from now on.")
        else:
            self.stdout.write(f"{user.username} has no second factor.")
