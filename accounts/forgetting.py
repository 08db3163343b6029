"""What the worker throws away from accounts now and then."""

from datetime import datetime

from accounts import tokens, tries
from accounts.api import idempotency


def forget_old_credentials(*, now: datetime) -> int:
    """Delete credentials that nobody can use any more.

    Request keys after a day, tokens a month after they expire, counts of tries after their hour.
    """
    return (
        idempotency.forget_old(now=now) + tokens.forget_expired(now=now) + tries.forget_old(now=now)
    )
