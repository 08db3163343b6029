"""Combines policies: the strictest value of each limit wins."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

DEFAULT_STEP = timedelta(minutes=60)
DEFAULT_DAYS_AHEAD = 90
DEFAULT_GRACE = timedelta(minutes=5)
DEFAULT_CHECK_IN_OPENS = timedelta(minutes=15)
LONGEST = timedelta(hours=24)  # whatever a policy says: boards show one day


@dataclass(frozen=True)
class PolicyValues:
    """One policy as stored; None limits nothing. `kind` "" means every kind of place."""

    kind: str = ""
    step_minutes: int | None = None
    min_minutes: int | None = None
    max_minutes: int | None = None
    min_notice_minutes: int | None = None
    max_days_ahead: int | None = None
    cancel_deadline_minutes: int | None = None
    grace_minutes: int | None = None
    max_upcoming: int | None = None
    max_minutes_per_day: int | None = None
    check_in_opens_minutes: int | None = None
    release_after_minutes: int | None = None
    max_no_shows: int | None = None
    no_show_days: int | None = None
    #: The key of the shift in which it counts; None: at any time.
    shift: int | None = None
    changed_at: datetime | None = None


#: A policy's limits, by column name.
LIMITS = tuple(
    f.name for f in fields(PolicyValues) if f.name not in ("kind", "shift", "changed_at")
)


@dataclass(frozen=True)
class Quota:
    """At most `max_upcoming` upcoming bookings of one member; `kind` "" counts every kind."""

    kind: str
    max_upcoming: int


@dataclass(frozen=True)
class Daily:
    """At most so much time of one member in a local day; `kind` "" counts every kind."""

    kind: str
    most: timedelta


@dataclass(frozen=True)
class Strikes:
    """After `max_no_shows` in `days` a member can't book; `kind` "" counts every kind."""

    kind: str
    max_no_shows: int
    days: int


@dataclass(frozen=True)
class Limits:
    """What one kind of place in one space asks of a booking."""

    step: timedelta = DEFAULT_STEP
    min_duration: timedelta = DEFAULT_STEP
    max_duration: timedelta = LONGEST
    min_notice: timedelta = timedelta(0)
    max_days_ahead: int = DEFAULT_DAYS_AHEAD
    cancel_deadline: timedelta = timedelta(0)
    #: How long after booking a member may undo it, whatever the deadline. See `bookings.rules`.
    grace: timedelta = DEFAULT_GRACE
    quotas: tuple[Quota, ...] = ()
    daily: tuple[Daily, ...] = ()
    #: How long before the start check-in opens; None: nobody has to check in.
    check_in_opens: timedelta | None = None
    #: How long after the start a place is held for who hasn't checked in; None: to the end.
    release_after: timedelta | None = None
    #: Since when that is asked for as it is now, if anything is known of it.
    release_since: datetime | None = None
    strikes: tuple[Strikes, ...] = ()

    @property
    def shortest(self) -> timedelta:
        """The shortest booking in whole steps: 130 minutes in hourly steps are three hours."""
        return max(1, -(-self.min_duration // self.step)) * self.step

    @property
    def longest(self) -> timedelta:
        """The longest booking in whole steps; zero if one step is longer than that."""
        return self.max_duration // self.step * self.step


def strictest(
    policies: Iterable[PolicyValues], *, kind: str, shifts: Collection[int] = ()
) -> Limits:
    """Combine the policies that match a kind of place: the largest minima, the smallest maxima.

    Those of a shift count during `shifts`.
    """
    matching = [
        policy
        for policy in policies
        if policy.kind in ("", kind) and (policy.shift is None or policy.shift in shifts)
    ]

    def most(name: str, default: int) -> int:
        return max((v for p in matching if (v := getattr(p, name)) is not None), default=default)

    def least(name: str, default: int) -> int:
        return min((v for p in matching if (v := getattr(p, name)) is not None), default=default)

    step = most("step_minutes", int(DEFAULT_STEP.total_seconds()) // 60)
    released = _least(matching, "release_after_minutes")
    opens = _least(matching, "check_in_opens_minutes")
    if opens is None and released is not None:
        opens = DEFAULT_CHECK_IN_OPENS
    longest = timedelta(minutes=least("max_minutes", int(LONGEST.total_seconds()) // 60))
    return Limits(
        step=timedelta(minutes=step),
        min_duration=timedelta(minutes=most("min_minutes", step)),
        max_duration=min(longest, LONGEST),
        min_notice=timedelta(minutes=most("min_notice_minutes", 0)),
        max_days_ahead=least("max_days_ahead", DEFAULT_DAYS_AHEAD),
        cancel_deadline=timedelta(minutes=most("cancel_deadline_minutes", 0)),
        grace=timedelta(minutes=least("grace_minutes", int(DEFAULT_GRACE.total_seconds()) // 60)),
        quotas=tuple(
            Quota(kind=p.kind, max_upcoming=p.max_upcoming)
            for p in matching
            if p.max_upcoming is not None
        ),
        daily=tuple(
            Daily(kind=p.kind, most=timedelta(minutes=p.max_minutes_per_day))
            for p in matching
            if p.max_minutes_per_day is not None
        ),
        check_in_opens=opens,
        release_after=released,
        release_since=max(
            (
                p.changed_at
                for p in matching
                if p.release_after_minutes is not None and p.changed_at
            ),
            default=None,
        ),
        strikes=tuple(
            Strikes(kind=p.kind, max_no_shows=p.max_no_shows, days=p.no_show_days)
            for p in matching
            if p.max_no_shows is not None and p.no_show_days is not None
        ),
    )


def _least(policies: Iterable[PolicyValues], name: str) -> timedelta | None:
    """Return the shortest time that a policy asks for; None if none does."""
    minutes = [value for policy in policies if (value := getattr(policy, name)) is not None]
    return timedelta(minutes=min(minutes)) if minutes else None
