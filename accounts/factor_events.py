"""What happens to whatever opens an account: noted, and told to its owner by mail.

Whoever takes an account over can't do so silently. A row is its own letter, until a worker has sent
it.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import translation

from accounts.factors import FactorEvent
from accounts.models import User

#: How long after a failed try the next one follows, and when we give up.
RETRY = timedelta(minutes=1)
GIVE_UP = timedelta(hours=6)


def note(user: User, kind: str, *, by: User | None, now: datetime) -> None:
    """Write a line, in the transaction that does it."""
    language = user.language or translation.get_language() or settings.LANGUAGE_CODE
    FactorEvent.objects.create(
        user=user, kind=kind, actor=by, at=now, language=language, due_at=now
    )


def claim_next(*, now: datetime) -> FactorEvent | None:
    """Claim one that is due; nobody else tells of it unless we fail to settle it in time."""
    due = FactorEvent.objects.filter(due_at__lte=now).select_related("user", "actor")
    for event in due.order_by("due_at", "pk"):
        is_hopeless = event.at <= now - GIVE_UP
        until = None if is_hopeless else now + RETRY
        held = FactorEvent.objects.filter(pk=event.pk, due_at=event.due_at)
        if held.update(due_at=until) == 1 and not is_hopeless:
            event.due_at = until
            return event
    return None


def settle(event: FactorEvent) -> None:
    FactorEvent.objects.filter(pk=event.pk, due_at=event.due_at).update(due_at=None)
