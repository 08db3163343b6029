"""A coworking space, a restaurant and their recent visitors, to try Mesto with.

The set-up is written directly; bookings go through the services, each at its own time.
"""

import random
from datetime import datetime

from django.db import transaction

from config.demo import house, setup
from config.demo.fortnight import (
    COWORKING,
    DAY,
    LONGEST_AHEAD,
    RESTAURANT,
    Planner,
    live_through,
    of_demo_member,
)
from config.demo.setup import LOGINS, PASSWORD
from spaces.models import Policy

__all__ = ["LOGINS", "PASSWORD", "create"]


def create(*, now: datetime, days: int = 7, scale: int = 1, seed: int = 1) -> list[str]:
    """Fill an empty database with `days` before and after now, `scale` times the places and people.

    The same arguments make the same data (codes, keys and password hashes aside). Return the
    addresses of the screens at its doors, which nobody can find out later.
    """
    chance = random.Random(seed)  # noqa: S311 - plays, hides nothing
    opened_at = now - days * DAY - LONGEST_AHEAD - DAY
    with transaction.atomic():
        coworking = setup.coworking(scale, now)
        restaurant = setup.restaurant(scale, now)
        people = setup.people(60 * scale, opened_at, chance)
        member, host = setup.staff(people, [coworking, restaurant])
        setup.tier(coworking, [member, *people[:8]])
        Policy.objects.update(changed_at=opened_at)
    visits = of_demo_member(member, coworking, restaurant, now)
    acts = [*house.released(now, since=now - DAY)]
    for space, habits, guests in (
        (coworking, COWORKING, house.OF_COWORKING),
        (restaurant, RESTAURANT, house.OF_RESTAURANT),
    ):
        planner = Planner(space, habits, people, chance, now=now, planned=visits)
        visits += planner.visits(days, scale)
        acts += house.known(space, guests, host=host, now=now)
        acts += house.walked_in(space, host=host, now=now)
    acts += house.waiting(restaurant, host=host, now=now)
    live_through(visits, acts, host=host, now=now, chance=chance)
    return [house.screen(space, "Entrance", now=now) for space in (coworking, restaurant)]
