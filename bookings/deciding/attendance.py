"""Checking in and not coming, by the rules of a space: pure, no row is read or written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bookings.deciding.rules import Problem
from bookings.models import Booking
from bookings.words import words
from spaces.limits import Limits, Strikes
from spaces.venue import Venue


@dataclass(frozen=True)
class CheckIn:
    """When a member can check in, and until when the place is held for somebody who hasn't."""

    opens_at: datetime
    #: None: to the end.
    held_until: datetime | None
    ends_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Tell whether they can check in: even after `held_until`, while nobody has released it."""
        return self.opens_at <= now < self.ends_at

    def is_lost(self, now: datetime) -> bool:
        return self.held_until is not None and self.held_until <= now


def check_in(limits: Limits, booking: Booking) -> CheckIn | None:
    """Return when to check in for a decided booking; None where nobody has to.

    Who books a time that has already begun has as long as everybody else; so has who is there when
    the space begins to ask for it.
    """
    if limits.check_in_opens is None:
        return None
    held_until = None
    if limits.release_after is not None:
        known = (booking.starts_at, booking.decided_at, limits.release_since)
        held_until = max(filter(None, known)) + limits.release_after
    return CheckIn(
        opens_at=booking.starts_at - limits.check_in_opens,
        held_until=held_until if held_until and held_until < booking.ends_at else None,
        ends_at=booking.ends_at,
    )


@dataclass(frozen=True)
class Missed:
    """A member's no-show that counts: the kind of place, and when it would have begun."""

    kind: str
    starts_at: datetime


def longest_memory(strikes: Iterable[Strikes]) -> timedelta:
    """Return how long ago a no-show can be that still counts for one of these rules."""
    return timedelta(days=max((rule.days for rule in strikes), default=0))


def barred_until(rule: Strikes, missed: Iterable[Missed], now: datetime) -> datetime | None:
    """Return when a member may book again; None if now."""
    since = now - timedelta(days=rule.days)
    counted = sorted(
        each.starts_at for each in missed if each.starts_at > since and rule.kind in ("", each.kind)
    )
    if len(counted) < rule.max_no_shows:
        return None
    return counted[-rule.max_no_shows] + timedelta(days=rule.days)


def too_many_no_shows(
    venue: Venue, strikes: Iterable[Strikes], missed: Iterable[Missed], now: datetime
) -> list[Problem]:
    """Return the rule that keeps a member from booking who didn't come too often, at most one."""
    missed = list(missed)
    barred = [
        (until, rule) for rule in strikes if (until := barred_until(rule, missed, now)) is not None
    ]
    if not barred:
        return []
    until, rule = max(barred, key=lambda found: found[0])
    day = words.day_at(until + timedelta(days=1), venue.zone, now)
    message = _("%(no_shows)s in %(days)s: no booking here before %(day)s.")
    named = {"no_shows": _no_shows(rule), "days": _days(rule), "day": day}
    return [Problem("too_many_no_shows", message % named)]


def fair_warning(strikes: Iterable[Strikes]) -> list[str]:
    """Say beforehand what comes of not coming."""
    message = _(
        "Please come or cancel: after %(no_shows)s in %(days)s you can’t book here for a while."
    )
    return [message % {"no_shows": _no_shows(rule), "days": _days(rule)} for rule in strikes]


def reminders(
    window: CheckIn | None, strikes: Iterable[Strikes], *, clock: Callable[[datetime], str]
) -> list[str]:
    """Say when to check in, until when the place is held, and what comes of not coming."""
    said = []
    if window is not None:
        said.append(_("You can check in from %(opens)s.") % {"opens": clock(window.opens_at)})
        if window.held_until is not None:
            until = {"until": clock(window.held_until)}
            said.append(_("The place is held for you until %(until)s.") % until)
    return [*filter(None, [" ".join(said)]), *fair_warning(strikes)]


def _no_shows(rule: Strikes) -> str:
    return ngettext("%(n)d no-show", "%(n)d no-shows", rule.max_no_shows) % {"n": rule.max_no_shows}


def _days(rule: Strikes) -> str:
    return ngettext("%(n)d day", "%(n)d days", rule.days) % {"n": rule.days}
