"""Sets the scene of a run: reads {"members", "hooks"} and writes a Scene, both as JSON.

    echo '{"members": 3, "hooks": {}}' | python -m chaos.prepare

The only part of a run, besides the application itself, that uses the application: a process of its
own. It adds to what is in the database, under names of its own.
"""

import json
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from chaos.scene import Hook, Member, Place, Scene, Space

#: Before every name of a run's.
PREFIX = "chaos"
OPENS, CLOSES = 8, 22


@dataclass(frozen=True)
class Plan:
    """A space to be made."""

    aim: str
    places: int
    kind: str
    step: int  # minutes
    longest: int  # steps
    days: int
    time_zone: str  # one whose clocks never change
    quota: int | None = None
    wholes: tuple[tuple[int, ...], ...] = ()  # composites, by the numbers of their parts


PLANS = (
    # Few places and hours, and times that overlap in part.
    Plan("contested", 3, "DESK", step=15, longest=6, days=2, time_zone="UTC"),
    # Hardly anybody is in anybody's way.
    Plan("free", 24, "DESK", step=60, longest=3, days=40, time_zone="Europe/Moscow"),
    # Halls of rooms; the last consists of halls.
    Plan(
        "halls",
        4,
        "ROOM",
        step=30,
        longest=4,
        days=3,
        time_zone="Asia/Kolkata",
        wholes=((1, 2), (3, 4), (5, 6)),
    ),
    Plan("quota", 6, "DESK", step=60, longest=2, days=7, time_zone="America/Bogota", quota=2),
)


def prepare(members: int, hooks: Mapping[str, Hook]) -> Scene:
    """Make members with tokens, and a space for each plan; return them."""
    from django.db import transaction
    from django.utils import timezone

    run, now = f"{time.time_ns() // 1_000_000:x}", timezone.now()
    with transaction.atomic():
        _forget_earlier_listeners(now)
        return Scene(
            run,
            [_member(f"{PREFIX}-{run}-{n}", now) for n in range(1, members + 1)],
            [_space(plan, run, hooks.get(plan.aim), now) for plan in PLANS],
        )


def _forget_earlier_listeners(now: datetime) -> None:
    """Drop the webhooks of earlier runs; mail and Kafka are new as well, and heard nothing yet."""
    from notifications.models import Endpoint

    Endpoint.objects.filter(space__slug__startswith=f"{PREFIX}-").delete()
    if hasattr(Endpoint, "listens_since"):  # an earlier release has none
        Endpoint.objects.filter(space=None).update(listens_since=now)


def _member(username: str, now: datetime) -> Member:
    from accounts import tokens
    from accounts.factories import UserFactory

    password = secrets.token_urlsafe(12)
    user = UserFactory.create(
        username=username, password=password, email=f"{username}@example.org", language="en"
    )
    until = now + timedelta(days=2)
    _, token = tokens.issue(user, name="Chaos", scope="WRITE", expires_at=until, now=now)
    return Member(username, password, token)


def _space(plan: Plan, run: str, hook: Hook | None, now: datetime) -> Space:
    from spaces.factories import PlaceFactory, PolicyFactory, open_space

    space = open_space(
        slug=f"{PREFIX}-{run}-{plan.aim}",
        name=f"Chaos {plan.aim}",
        places=plan.places,
        place={"kind": plan.kind},
        time_zone=plan.time_zone,
    )
    PolicyFactory.create(space=space, step_minutes=plan.step, max_upcoming=plan.quota)
    for number, parts in enumerate(plan.wholes, start=plan.places + 1):
        whole = PlaceFactory.create(space=space, number=number, kind=plan.kind)
        whole.parts.set(space.places.filter(number__in=parts))
    if hook is not None:
        _listen(space, hook, now)
    return Space(
        slug=space.slug,
        aim=plan.aim,
        time_zone=plan.time_zone,
        step=plan.step,
        longest=plan.longest,
        opens=OPENS,
        closes=CLOSES,
        # Nobody is too late for anything, even where it is still yesterday.
        first_day=f"{(now.astimezone(UTC) + timedelta(days=3)).date()}",
        days=plan.days,
        places=[Place(place.pk, str(place.code)) for place in space.places.order_by("number")],
    )


def _listen(space: Any, hook: Hook, now: datetime) -> None:
    from notifications.models import Endpoint

    Endpoint.objects.create(
        channel=Endpoint.Channel.WEBHOOK,
        space=space,
        url=hook.url,
        secret=hook.secret,
        created_at=now,
    )


def main() -> None:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    asked = json.load(sys.stdin)
    hooks = {aim: Hook(**hook) for aim, hook in asked["hooks"].items()}
    json.dump(asdict(prepare(asked["members"], hooks)), sys.stdout)


if __name__ == "__main__":
    main()
