"""The members of a space: whoever is in one of its tiers, or has had a booking there.

Anybody with an account may book in most spaces, so that more than these aren't the space's
business: its managers neither see nor find them.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.joining import Tier, TierMember
from accounts.models import User
from bookings.models import Booking
from spaces.models import Space

#: How many a page shows; a search finds the others.
MOST_SHOWN = 50


@dataclass(frozen=True)
class Member:
    """Somebody, and the tiers of the space that they are in, by name."""

    user: User
    tiers: tuple[Tier, ...]

    @property
    def email(self) -> str:
        """The address, if it is known to be theirs."""
        return self.user.email if self.user.email_confirmed_at else ""


def people_of(space: Space) -> QuerySet[User]:
    """Return a space's members, by login."""
    # Person by person, so that of years of bookings one is read.
    in_tiers = TierMember.objects.filter(tier__space=space.pk, user=OuterRef("pk"))
    booked = Booking.objects.in_space(space).that_ever_held().filter(member=OuterRef("pk"))
    here = Exists(in_tiers) | Exists(booked.order_by())
    return User.objects.filter(here, is_active=True).order_by("username")


def found(space: Space, typed: str, tier: Tier | None = None) -> QuerySet[User]:
    """Return the members whose login, name or address has this text; in a tier, if one is given."""
    people = people_of(space)
    if tier is not None:
        people = people.filter(tiers=tier)
    for word in typed.split()[:5]:
        address = Q(email__icontains=word, email_confirmed_at__isnull=False)
        login = Q(username__contains=User.normalize_username(word))
        people = people.filter(login | Q(name__icontains=word) | address)
    return people


def with_tiers(space: Space, people: QuerySet[User]) -> list[Member]:
    """Return people with their tiers in the space, in two statements."""
    memberships = TierMember.objects.filter(tier__space=space.pk).select_related("tier")
    theirs = Prefetch("memberships", memberships.order_by("tier__name"), to_attr="here")
    return [
        Member(user, tuple(each.tier for each in user.here))
        for user in people.prefetch_related(theirs)
    ]


def tiers_of(space: Space) -> list[Tier]:
    """Return a space's tiers by name, each with its numbers of `people` and of `rules`."""
    people = Count("memberships", filter=Q(memberships__user__is_active=True), distinct=True)
    rules = Count("policies", distinct=True)
    tiers: Iterable[Tier] = Tier.objects.filter(space=space.pk).annotate(people=people, rules=rules)
    return sorted(tiers, key=lambda tier: tier.name.casefold())
