"""What happens to whatever opens an account: noted, and told to its owner by mail.

Whoever takes an account over can't do so silently. A row is its own letter, until a worker has sent
it.
"""

from datetime import datetime

from django.conf import settings
from django.utils import translation

from accounts import due
from accounts.factors import FactorEvent
from accounts.models import User


def note(user: User, kind: str, *, by: User | None, now: datetime) -> None:
    """Write a line, in the transaction that does it."""
    language = user.language or translation.get_language() or settings.LANGUAGE_CODE
    FactorEvent.objects.create(
        user=user, kind=kind, actor=by, at=now, language=language, due_at=now
    )


def claim_next(*, now: datetime) -> FactorEvent | None:
    return due.claim(FactorEvent.objects.select_related("user", "actor"), since="at", now=now)
