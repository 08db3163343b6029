"""Programs that use the API in tests, as the Django test client."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts import tokens


def issue(user, *, days=30, now=None, **changes):
    """Return a new token and its text; with negative `days` it has expired."""
    now = now or timezone.now()
    fields = {"name": "Tablet", "scope": "WRITE", "expires_at": now + timedelta(days=days)}
    return tokens.issue(user, now=now, **{**fields, **changes})


def program(text, **environ):
    """Return a client that sends a token with every request."""
    return Client(headers={"authorization": f"Bearer {text}"}, **environ)


def post(client, path, body, **headers):
    return client.post(path, body, "application/json", headers=headers)
