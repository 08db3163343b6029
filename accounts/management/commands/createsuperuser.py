"""Django's command, which refuses look-alike logins for superusers too."""

from typing import Any

from django.contrib.auth.management.commands import createsuperuser

from accounts import services
from accounts.models import User


class Command(createsuperuser.Command):
    def _validate_username(
        self, username: str | None, verbose_field_name: str, database: str
    ) -> str | None:
        """Return what is wrong with a login, in the form that Django's command expects."""
        wrong: Any = super()._validate_username(username, verbose_field_name, database)  # type: ignore[misc]
        if wrong:
            return str(wrong)
        try:
            services.check_login(User.normalize_username(username or ""))
        except services.LoginRefused as error:
            return str(error)
        return None
