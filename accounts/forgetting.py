"""What the worker throws away from accounts now and then."""

from datetime import datetime

from django.contrib.sessions.models import Session

from accounts import audit, invitations, tokens, tries
from accounts.api import idempotency


def forget_old_credentials(*, now: datetime) -> int:
    """Delete credentials that nobody can use any more.

    Request keys after a day, tokens and invitations a month after they expire, counts of tries
    after their hour, sessions that have ended, and lines of the audit as old as a setting says.
    """
    return (
        idempotency.forget_old(now=now)
        + tokens.forget_expired(now=now)
        + invitations.forget_expired(now=now)
        + tries.forget_old(now=now)
        + audit.forget_old(now=now)
        + _forget_sessions(now=now)
    )


def _forget_sessions(*, now: datetime) -> int:
    ended = Session.objects.filter(expire_date__lt=now)
    if not ended.exists():  # a worker asks all the time, and reading locks nobody out
        return 0
    return ended.delete()[0]
