"""Django's command, which refuses look-alike logins for superusers too, and is in the audit."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from accounts import acting, services
from accounts.models import User


class Command(createsuperuser.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        with acting.at_server():
            super().handle(*args, **options)
            made = User.objects.filter(is_superuser=True).latest("pk")
            acting.note_command("createsuperuser", made)

    def _validate_username(
        self, username: str | None, verbose_field_name: str, database: str
    ) -> str | None:
        """Return what is wrong with a login, in the form that Django's command expects."""
        checked = super()._validate_username  # type: ignore[misc]  # not in the stubs
        wrong: Any = checked(username, verbose_field_name, database)
        if wrong:
            return str(wrong)
        try:
            services.check_login(User.normalize_username(username or ""))
        except services.LoginRefused as error:
            return str(error)
        return None
