"""The time zones a person can choose from."""

from functools import cache
from itertools import groupby
from zoneinfo import available_timezones

# The rest of the database (US/…, Etc/…, bare names) are old names of these.
REGIONS = {
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
}


@cache
def by_region() -> list[tuple[str, list[tuple[str, str]]]]:
    """Group the names of all zones by part of the world, as choices of a select."""
    names = sorted(name for name in available_timezones() if _region(name) in REGIONS)
    return [
        (region, [(name, name.partition("/")[2].replace("_", " ")) for name in zones])
        for region, zones in groupby(names, key=_region)
    ]


def _region(name: str) -> str:
    return name.partition("/")[0]
