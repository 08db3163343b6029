"""Rows that are letters until a worker has sent them: one worker claims each."""

from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db.models import QuerySet

#: How long after a failed try the next one follows, and when we give up.
RETRY = timedelta(minutes=1)
GIVE_UP = timedelta(hours=6)


class Letter(Protocol):
    pk: Any
    due_at: datetime | None


def claim[Row: Letter](rows: "QuerySet[Any, Row]", *, since: str, now: datetime) -> Row | None:
    """Claim one that is due; nobody else sends it unless we fail to settle it in time.

    `since` names the field with the moment from which we try.
    """
    for row in rows.filter(due_at__lte=now).order_by("due_at", "pk"):
        is_hopeless = getattr(row, since) <= now - GIVE_UP
        until = None if is_hopeless else now + RETRY
        held = rows.model._default_manager.filter(pk=row.pk, due_at=row.due_at)
        if held.update(due_at=until) == 1 and not is_hopeless:
            row.due_at = until
            return row
    return None


def settle(row: Letter) -> None:
    """Send it no more; the row stays."""
    type(row)._default_manager.filter(pk=row.pk, due_at=row.due_at).update(due_at=None)  # type: ignore[attr-defined]  # all are Django models, which a Protocol can't say
