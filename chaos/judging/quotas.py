"""Whether anybody had more bookings at a time than the space's policies allow."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from chaos.judging.holds import SKEW, Hold
from chaos.judging.run import Run, clock
from chaos.judging.tables import Quota


def exceeded(run: Run, holds: Iterable[Hold]) -> Iterator[str]:
    """Find members who had too many, at the end or at a moment in between.

    A group's policy is taken to have applied to its members for the whole run.
    """
    by_member: dict[str, list[Hold]] = defaultdict(list)
    for hold in holds:
        if hold.is_sure and hold.member:
            by_member[hold.member].append(hold)
    for quota in run.tables.quotas:
        yield from _left(run, quota)
        for member, theirs in by_member.items():
            if _applies(run, quota, member):
                yield from _meanwhile(run, quota, member, theirs)


def _left(run: Run, quota: Quota) -> Iterator[str]:
    """Count what the database says, of what was asked for after the quota was set."""
    counts: dict[str, int] = defaultdict(int)
    for row in run.tables.rows:
        booking = row.booking
        if (
            row.login is not None
            and booking.occupies
            and booking.ends_at.timestamp() > run.ended
            and row.created_at > quota.set_at
            and _counts(run, quota, booking.place)
        ):
            counts[row.login] += 1
    for login, count in counts.items():
        if count > quota.most and _applies(run, quota, login):
            yield f"{login} has {count} upcoming bookings, policy {quota.id} allows {quota.most}"


def _meanwhile(run: Run, quota: Quota, member: str, theirs: Iterable[Hold]) -> Iterator[str]:
    """Count what they surely had at the same moment."""
    steps: list[tuple[float, int]] = []
    for hold in theirs:
        is_new = hold.since > quota.set_at + SKEW or hold.since == quota.set_at
        is_one = hold.surely_since < hold.surely_until
        if is_new and is_one and _counts(run, quota, hold.place):
            steps += [(hold.surely_since, 1), (hold.surely_until, -1)]
    count, most, when = 0, 0, 0.0
    for at, step in sorted(steps):  # what ends at a moment is not counted with what begins then
        count += step
        if count > most:
            most, when = count, at
    if most > quota.most:
        yield f"{member} had {most} at {clock(when)}, policy {quota.id} allows {quota.most}"


def _counts(run: Run, quota: Quota, place: int) -> bool:
    known = run.tables.places.get(place)
    return known is not None and known.space == quota.space and quota.kind in ("", known.kind)


def _applies(run: Run, quota: Quota, login: str) -> bool:
    return quota.group is None or quota.group in run.tables.groups.get(login, ())
