"""Changes of a space's policies: looked at before they are made, and made with an answer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from bookings.deciding.stranding import Act, Outcome, Scope, Stranded, changing, foresee
from bookings.models import Booking
from bookings.querysets import BookingQuerySet
from spaces import setups
from spaces.models import Policy, Space


class ChangedMeanwhile(Exception):
    """Somebody else changed or removed this policy since it was read."""


@dataclass(frozen=True)
class Preview:
    """Whom a change hits: people with upcoming bookings, their bookings, and those outside."""

    #: How many are in the tier or group that it is for; None: it is for everybody.
    members: int | None
    people: int
    bookings: int
    outside: list[Stranded]


def preview(space: Space, policy: Policy, change: Callable[[], object], act: Act) -> Preview:
    """Make a change, look, and take it back."""
    outside = foresee(space, change, act)
    members = _concerned(space, policy, now=act.now)
    return Preview(
        members=_members(policy),
        people=len({member for member in members if member is not None}),
        bookings=len(members),
        outside=outside,
    )


def _members(policy: Policy) -> int | None:
    """Count those whose account is open."""
    people = User.objects.filter(is_active=True)
    if policy.tier_id is not None:
        return people.filter(tiers=policy.tier_id).count()
    return people.filter(groups=policy.group_id).count() if policy.group_id is not None else None


def _concerned(space: Space, policy: Policy, *, now: datetime) -> list[int | None]:
    """Return whose upcoming bookings a policy is about, booking by booking; None for guests."""
    found: BookingQuerySet[Booking] = Booking.objects.in_space(space).upcoming(now).order_by()
    if policy.kind:
        found = found.filter(place__kind=policy.kind)
    if policy.group_id is not None:
        found = found.filter(member__groups=policy.group_id)
    if policy.tier_id is not None:
        found = found.filter(member__tiers=policy.tier_id)
    rows = found.values_list("member", "starts_at")
    if policy.shift_id is None:
        return [member for member, _at in rows]
    venue = setups.current(space.pk).venue((), now)
    return [
        member
        for member, at in rows
        if any(seating.shift.pk == policy.shift_id for seating in venue.seatings_at(at))
    ]


@transaction.atomic
def save(space: Space, policy: Policy, act: Act, *, seen: datetime | None) -> Outcome:
    """Write a policy, new or read at `seen`. Raises Question, ChangedMeanwhile."""
    with changing(Scope(spaces=[space.pk]), act) as outcome:
        _hold(policy, seen)
        policy.save()
    return outcome


@transaction.atomic
def remove(space: Space, policy: Policy, act: Act, *, seen: datetime | None) -> Outcome:
    """Remove a policy that was read at `seen`. Raises Question, ChangedMeanwhile."""
    with changing(Scope(spaces=[space.pk]), act) as outcome:
        _hold(policy, seen)
        Policy.objects.filter(pk=policy.pk).delete()
    return outcome


def _hold(policy: Policy, seen: datetime | None) -> None:
    """Check that nobody changed it since; the locks of `changing` keep that true."""
    if policy._state.adding:
        return
    if seen is None or not Policy.objects.filter(pk=policy.pk, changed_at=seen).exists():
        raise ChangedMeanwhile
