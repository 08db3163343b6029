"""Signing in to the admin."""

from accounts.models import User


def sign_in(client, user: User) -> None:
    client.force_login(user, backend="config.auth.Backend")
