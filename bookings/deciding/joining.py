"""People enter and leave tiers: other rules apply to their bookings from then on, which stay."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts import invitations
from accounts.joining import Invitation, Tier, TierMember
from accounts.models import User
from bookings.deciding.stranding import Act, Answer, Choice, Scope, changing

#: What people have booked before stays as it is, and its page says so.
KEPT = Answer(shown=None, choice=Choice.KEEP)


def accept(invitation: Invitation, *, by: User, now: datetime) -> None:
    """Accept an invitation as somebody who has an account. Raises `invitations.NoLongerValid`."""
    invitations.accept(
        invitation, by=by, now=now, joining=lambda tier, user: enter(tier, [user], by=user, now=now)
    )


@transaction.atomic
def enter(tier: Tier, people: Collection[User], *, by: User | None, now: datetime) -> int:
    """Put people into a tier; return how many were not in it."""
    keys = [person.pk for person in people]
    with changing(Scope(people=keys), Act(by=by, now=now, answer=KEPT)):
        before = TierMember.objects.filter(tier=tier, user__in=keys).count()
        TierMember.objects.bulk_create(
            [TierMember(tier=tier, user_id=key) for key in keys], ignore_conflicts=True
        )
        after = TierMember.objects.filter(tier=tier, user__in=keys).count()
    return after - before


@transaction.atomic
def leave_tier(tier: Tier, person: User, *, by: User | None, now: datetime) -> bool:
    """Take somebody out of a tier; False if they weren't in it."""
    with changing(Scope(people=[person.pk]), Act(by=by, now=now, answer=KEPT)):
        return TierMember.objects.filter(tier=tier, user=person).delete()[0] == 1
