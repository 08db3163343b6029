"""A new venue in one step: the space, its hours, its places, and whoever is invited to run it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from anyascii import anyascii
from babel.core import get_global
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts import invitations
from accounts.models import IdempotencyKey, User
from spaces.models import OpeningHours, Policy, Space
from spaces.services import generate_places
from spaces.validators import NO_COUNTRIES, RESERVED_SLUGS

#: The longest address that we make of a name: what follows tells it from others.
LONGEST_SLUG = 40
MOST_OF_A_NAME = 100_000

#: The first rule of a restaurant, which its page of rules shows: guests come at 19:15, and not
#: on the hour alone, as people come to a desk.
AT_TABLE = {"step_minutes": 15, "min_minutes": 30}

#: Each kind of place is numbered from 1, or from the next hundred after another kind.
HUNDRED = 100


@dataclass(frozen=True)
class Stretch:
    """One stretch of one weekday; see `OpeningHours`."""

    weekday: int
    opens_at: time
    closes_at: time


@dataclass(frozen=True)
class Some:
    """So many places of a kind, each for so many people."""

    kind: str
    count: int
    capacity: int


@dataclass(frozen=True)
class Plan:
    """What somebody wants to open. `key` makes asking twice make one."""

    key: UUID
    name: str
    kind: str
    time_zone: str
    country: str
    address: str
    hours: Sequence[Stretch]
    places: Sequence[Some]
    hosts: Collection[str] = ()
    managers: Collection[str] = ()


@transaction.atomic
def found(plan: Plan, *, by: User, now: datetime) -> tuple[Space, bool]:
    """Open a venue, all or nothing; return it, and False if this plan was carried out before.

    Raises `tries.TooOften` after too many letters to one of the addresses.
    """
    done, is_new = IdempotencyKey.objects.get_or_create(
        user=by,
        key=f"set-up:{plan.key}",
        defaults={"fingerprint": "", "created_at": now, "started_at": now},
    )
    if not is_new:
        earlier = Space.objects.filter(slug=done.body).first()
        if earlier is not None:
            return earlier, False
    space = _space(plan)
    IdempotencyKey.objects.filter(pk=done.pk).update(body=space.slug, status=303)
    OpeningHours.objects.bulk_create(
        OpeningHours(
            space=space, weekday=each.weekday, opens_at=each.opens_at, closes_at=each.closes_at
        )
        for each in plan.hours
    )
    _furnish(space, plan.places)
    if plan.kind == Space.Kind.RESTAURANT:
        Policy.objects.create(space=space, **AT_TABLE)
    roles = [("MANAGER", plan.managers), ("HOST", plan.hosts)]
    for email, role in {
        email: role for role, emails in reversed(roles) for email in emails
    }.items():
        invitations.invite(email, role=role, space=space, by=by, now=now)
    return space, True


def _space(plan: Plan) -> Space:
    """Insert the row at the first address that is free: if two want one, the constraint decides."""
    base = slug_of(plan.name) or plan.kind.lower()
    for number in range(1, MOST_OF_A_NAME):
        slug = base if number == 1 else f"{base}-{number}"
        if slug in RESERVED_SLUGS or Space.objects.filter(slug=slug).exists():
            continue
        space = Space(
            slug=slug,
            name=plan.name,
            kind=plan.kind,
            time_zone=plan.time_zone,
            country=plan.country,
            address=plan.address,
        )
        try:
            with transaction.atomic():
                space.save()
        except IntegrityError:
            if not Space.objects.filter(slug=slug).exists():
                raise
            continue
        return space
    raise AssertionError("no address is left")


def _furnish(space: Space, places: Sequence[Some]) -> None:
    last, kind = 0, ""
    for some in places:
        if some.kind != kind and last:
            last = -(-last // HUNDRED) * HUNDRED
        kind = some.kind
        made = generate_places(
            space,
            kind=some.kind,
            first_number=last + 1,
            count=some.count,
            capacity=some.capacity,
        )
        last = made[-1].number


def slug_of(name: str) -> str:
    """Write a name of any script with the letters of an address; "" if nothing is left."""
    return slugify(anyascii(name))[:LONGEST_SLUG].strip("-_")


def country_of(time_zone: str) -> str:
    """Return the country whose zone this is, as far as the zone tells; "" otherwise."""
    aliases, territories = get_global("zone_aliases"), get_global("zone_territories")
    found = str(territories.get(time_zone) or territories.get(aliases.get(time_zone, "")) or "")
    return "" if found in NO_COUNTRIES else found
