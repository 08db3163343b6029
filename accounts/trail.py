"""The trail of a space's people: who invited whom, who joined, who got or lost a role, and when.

Whatever does so writes its line in the same transaction. Members who are put into tiers by the
staff leave none: that only says which rules bind them.
"""

from datetime import datetime, timedelta

from django.db.models import Q

from accounts import acting, audit
from accounts.joining import AuditEntry, Invitation, TeamEvent
from accounts.models import User

Kind = TeamEvent.Kind

#: For so long the addresses of those who never joined are remembered.
ADDRESSES_KEPT = timedelta(days=366)


def note(
    kind: str,
    space: int,
    *,
    by: User | None,
    now: datetime,
    person: User | None = None,
    email: str = "",
    role: str | None = "",
    tier: str = "",
) -> None:
    """Write what somebody did."""
    TeamEvent.objects.create(
        space_id=space,
        kind=kind,
        at=now,
        actor=by,
        person=person,
        email=email,
        role=role or "",
        tier=tier,
    )
    acting.acted(by)


def note_invitation(
    kind: str,
    invitation: Invitation,
    *,
    by: User | None,
    now: datetime,
    person: User | None = None,
) -> None:
    """Write what happened to an invitation; that of the site's owner is of no space's team."""
    if invitation.space_id is None:
        audit.write(AuditEntry.Kind.CHANGED, actor=person or by, what=f"owner {kind}", now=now)
        return
    note(
        kind,
        invitation.space_id,
        by=by,
        now=now,
        person=person,
        email=invitation.email,
        role=invitation.role,
        tier=invitation.tier.name if invitation.tier is not None else "",
    )


def forget(user: User) -> None:
    """Erase the address of somebody who leaves; their row has no name any more."""
    theirs = Q(person=user)
    if user.email:
        theirs |= Q(email__iexact=user.email)
    TeamEvent.objects.filter(theirs).update(email="")


def forget_addresses(*, now: datetime) -> int:
    """Erase the addresses of long ago; return how many."""
    old = TeamEvent.objects.filter(at__lte=now - ADDRESSES_KEPT).exclude(email="")
    return old.update(email="") if old.exists() else 0
