"""What a worker throws away of accounts, now and then."""

from datetime import datetime

from accounts import tokens, tries
from accounts.api import idempotency


def forget_old_credentials(*, now: datetime) -> int:
    """Delete what nobody can use any more.

    Keys of requests after a day, tokens a month after their end, counts of tries after their hour.
    """
    return (
        idempotency.forget_old(now=now) + tokens.forget_expired(now=now) + tries.forget_old(now=now)
    )
