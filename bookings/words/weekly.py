"""A week's opening hours in a line, as on a door: «Mon–Fri 8:00–22:00, Sat 10:00–18:00»."""

from collections.abc import Iterable
from itertools import groupby

from bookings.words.words import WEEKDAYS
from spaces.slots import Hours, clock


def weekly(hours: Iterable[Hours]) -> str:
    """Join the days that follow each other and have the same hours; closed ones are left out."""
    by_day: list[list[str]] = [[] for _day in WEEKDAYS]
    for each in sorted(hours, key=lambda each: (each.weekday, each.opens_at)):
        by_day[each.weekday].append(f"{clock(each.opens_at)}–{clock(each.closes_at)}")
    parts = []
    for times, group in groupby(range(len(by_day)), key=lambda day: ", ".join(by_day[day])):
        days = list(group)
        if times:
            first, last = str(WEEKDAYS[days[0]]), str(WEEKDAYS[days[-1]])
            between = "–" if len(days) > 2 else ", "
            parts.append(f"{first if first == last else f'{first}{between}{last}'} {times}")
    return ", ".join(parts)
