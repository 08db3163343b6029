"""People enter and leave tiers: other rules apply to their bookings from then on, which stay."""

from collections.abc import Collection, Iterable
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
        there = lock_tiers([tier])
        before = TierMember.objects.filter(tier=tier, user__in=keys).count()
        put_in([(key, tier.pk) for key in keys if tier.pk in there])
        after = TierMember.objects.filter(tier=tier, user__in=keys).count()
    return after - before


@transaction.atomic
def set_tiers(
    person: User, tiers: Collection[Tier], *, among: Collection[Tier], by: User, now: datetime
) -> bool:
    """Let somebody be in exactly these of some tiers; tell whether that changes anything."""
    with changing(Scope(people=[person.pk]), Act(by=by, now=now, answer=KEPT)):
        known = lock_tiers([*among, *tiers])
        wanted = {tier.pk for tier in tiers} & known
        mine = TierMember.objects.filter(user=person, tier__in=known)
        before = set(mine.values_list("tier", flat=True))
        mine.exclude(tier__in=wanted).delete()
        put_in([(person.pk, key) for key in sorted(wanted - before)])
    return before != wanted


def lock_tiers(tiers: Iterable[Tier]) -> set[int]:
    """Lock tiers, after what `changing` locks; return the keys of those that are still there.

    Foreign keys are compared when the transaction ends, too late to answer nicely.
    """
    found = Tier.objects.filter(pk__in={tier.pk for tier in tiers}).order_by("pk")
    return set(found.select_for_update(no_key=True).values_list("pk", flat=True))


def put_in(memberships: Iterable[tuple[int, int]]) -> None:
    """Put people into locked tiers, by the keys of both, unless they are in them already."""
    made = [TierMember(user_id=user, tier_id=tier) for user, tier in memberships]
    TierMember.objects.bulk_create(made, ignore_conflicts=True)


@transaction.atomic
def delete_tier(tier: Tier, *, by: User, now: datetime) -> None:
    """Delete a tier, its rules and its open invitations. Its people stay, and their bookings."""
    with changing(Scope(spaces=[tier.space_id]), Act(by=by, now=now, answer=KEPT)):
        lock_tiers([tier])
        Tier.objects.filter(pk=tier.pk).delete()


@transaction.atomic
def leave_tier(tier: Tier, person: User, *, by: User | None, now: datetime) -> bool:
    """Take somebody out of a tier; False if they weren't in it."""
    with changing(Scope(people=[person.pk]), Act(by=by, now=now, answer=KEPT)):
        return TierMember.objects.filter(tier=tier, user=person).delete()[0] == 1
