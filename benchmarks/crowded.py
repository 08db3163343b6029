"""Makes what `--scaling` fights for: single places that everybody wants, and a thousand places.

It runs in the checkout that is measured, after scene.py: `python crowded.py HOT_PLACES`.
"""

import json
import os
import random
import sys
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any

WIDE = 1000  # places
DAYS = range(2, 110)
HOUR = timedelta(hours=1)


def crowd(hot: int) -> dict[str, Any]:
    """Make the spaces; return the hours of each as the forms post them, in a random order."""
    from django.utils import timezone

    today = timezone.now().date()
    places = [_space(f"Hot {n}", 1)[0] for n in range(1, hot + 1)]
    wide = _space("Wide", WIDE)
    return {
        "hot": [_hours([place], today) for place in places],
        # As many as may be asked for; the rest of a thousand places for months is never looked at.
        "wide": _hours(wide, today, at_most=100_000),
    }


def _space(name: str, places: int) -> list[Any]:
    """Open a space around the clock, with a quota to be counted that nobody reaches."""
    from spaces.models import OpeningHours, Place, Policy, Space

    space = Space.objects.create(name=name, slug=name.lower().replace(" ", "-"))
    for weekday in OpeningHours.Weekday:
        OpeningHours.objects.create(
            space=space, weekday=weekday, opens_at=time(0), closes_at=time(0)
        )
    Policy.objects.create(space=space, max_upcoming=1000, max_days_ahead=120)
    return Place.objects.bulk_create(
        Place(space=space, kind=Place.Kind.DESK, number=n) for n in range(1, places + 1)
    )


def _hours(
    places: list[Any], today: date, at_most: int | None = None
) -> list[tuple[str, str, str]]:
    starts = [
        datetime.combine(today + timedelta(days=day), time(hour))
        for day, hour in product(DAYS, range(24))
    ]
    chance = random.Random(1)
    if at_most:
        chosen = {
            (chance.randrange(len(places)), chance.randrange(len(starts))) for _ in range(at_most)
        }
    else:
        chosen = set(product(range(len(places)), range(len(starts))))
    found = sorted(chosen)
    chance.shuffle(found)
    return [_written(places[place], starts[start]) for place, start in found]


def _written(place: Any, starts_at: datetime) -> tuple[str, str, str]:
    ends_at = starts_at + HOUR
    return str(place.code), f"{starts_at:%Y-%m-%dT%H:%M}", f"{ends_at:%Y-%m-%dT%H:%M}"


if __name__ == "__main__":
    sys.path[0] = os.getcwd()  # the checkout, not this folder
    import django

    django.setup()
    print(json.dumps(crowd(int(sys.argv[1]))))
