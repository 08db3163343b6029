"""Django's command, which also ends what the old password may have opened."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword
from django.utils import timezone

from accounts import access, acting, passwords
from accounts.models import User


class Command(changepassword.Command):
    help = "Set a person's password; this ends their sessions and revokes their API tokens."

    def handle(self, *args: Any, **options: Any) -> str:
        now = timezone.now()
        with acting.at_server():
            done = str(super().handle(*args, **options))
            user = User.objects.get(username=options["username"] or getpass.getuser())
            ended = passwords.choose(user, password=user.password, now=now)
            acting.note_command("changepassword", user)
        return "\n".join([done, *access.told(ended, access.left_open(user, now=now))])
