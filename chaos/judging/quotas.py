"""Whether anybody had more bookings at a time than the space's policies allow.

A group's policy is taken to have applied to its members for the whole run.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from chaos import checker
from chaos.checker import Quota
from chaos.judging.holds import Hold
from chaos.judging.run import Run, clock


def exceeded(run: Run, holds: Iterable[Hold]) -> Iterator[str]:
    """Find members who had too many, at the end or at a moment in between."""
    tables = run.tables
    end = datetime.fromtimestamp(run.ended, UTC)
    yield from checker.exceeded(tables.bookings, tables.quotas, end)
    by_member: dict[str, list[Hold]] = defaultdict(list)
    for hold in holds:
        if hold.member and hold.surely_since < hold.surely_until:
            by_member[hold.member].append(hold)
    for quota in tables.quotas:
        for member, theirs in by_member.items():
            if quota.members is None or tables.members.get(member) in quota.members:
                yield from _meanwhile(quota, member, theirs)


def _meanwhile(quota: Quota, member: str, theirs: Iterable[Hold]) -> Iterator[str]:
    """Count what they surely had at the same moment."""
    set_at = quota.since.timestamp()
    steps: list[tuple[float, int]] = []
    for hold in theirs:
        if hold.since > set_at and hold.place in quota.places:
            steps += [(hold.surely_since, 1), (hold.surely_until, -1)]
    count, most, when = 0, 0, 0.0
    for at, step in sorted(steps):  # what ends at a moment is not counted with what begins then
        count += step
        if count > most:
            most, when = count, at
    if most > quota.most:
        yield f"{member} had {most} upcoming bookings at {clock(when)}, and {quota}"
