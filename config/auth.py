"""Signing in, and who is signed in."""

from functools import cache
from secrets import token_hex
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import people, sessions
from accounts.models import User


class Backend(ModelBackend):
    @sensitive_variables("password")
    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Find the person with this login and password; an unknown login takes just as long.

        Django hashes once for an unknown login, but a password may be tried in two spellings.
        """
        if username is None or password is None:
            return None
        try:
            user = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            _nobody().check_password(password)
            return None
        is_right = user.check_password(password)
        return user if is_right and self.user_can_authenticate(user) else None

    def get_user(self, user_id: int) -> User | None:
        """Return the person that the session led to, and who may still sign in.

        A session from an earlier release leads nowhere.
        """
        user = sessions.person_found(user_id) or people.find(user_id, now=timezone.now())
        return user if user is not None and self.user_can_authenticate(user) else None


@cache
def _nobody() -> User:
    """Return an unsaved person whose password nobody knows."""
    return User(password=make_password(token_hex(16)))
