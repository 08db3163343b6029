"""How often something may be tried per hour, from one address and for one login.

Counted in the database, like wrong passwords: all web processes share it, and no restart
forgets it. See also `accounts.api.limits`, which counts every request, much more cheaply.
"""

from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from accounts.models import Tally, User

WINDOW = timedelta(hours=1)


class TooOften(Exception):
    """There were too many tries; no more are accepted before `until`."""

    def __init__(self, until: datetime, *, now: datetime) -> None:
        self.until = until
        self.seconds = max(1, ceil((until - now).total_seconds()))

    def __str__(self) -> str:
        minutes = ceil(self.seconds / 60)
        return ngettext(
            "That was tried too often. Try again in %(minutes)d minute.",
            "That was tried too often. Try again in %(minutes)d minutes.",
            minutes,
        ) % {"minutes": minutes}


def spend(
    what: str, *, now: datetime, address: str | None = None, login: str | None = None
) -> None:
    """Count one more try for each; raise TooOften when one of them has none left.

    `what` is a key in the setting TRIES. All unknown addresses count as one. The work is
    the same whoever the login belongs to, if anybody.
    """
    limits = settings.TRIES[what]
    asked = {}
    if address is not None or login is None:
        asked[_hash("address", address or "")] = limits["address"]
    if login is not None:
        asked[_hash("login", User.normalize_username(login[:300]))] = limits["login"]
    ends = [
        tally.since + WINDOW
        for tally in _count(what, sorted(asked), now=now)
        if tally.used > asked[tally.who]
    ]
    if ends:
        raise TooOften(max(ends), now=now)


def forget(what: str, *, login: str) -> None:
    """Forget a login's tries: one of them was right."""
    Tally.objects.filter(what=what, who=_hash("login", User.normalize_username(login))).delete()


@transaction.atomic
def _count(what: str, whose: list[str], *, now: datetime) -> list[Tally]:
    """Increment each. Always in the same order, so that no two deadlock."""
    Tally.objects.bulk_create(
        [Tally(what=what, who=who, since=now) for who in whose], ignore_conflicts=True
    )
    held = Tally.objects.select_for_update().filter(what=what, who__in=whose).order_by("who")
    tallies = list(held)
    for tally in tallies:
        if tally.since <= now - WINDOW:
            tally.used, tally.since = 0, now
        tally.used += 1
    Tally.objects.bulk_update(tallies, ["used", "since"])
    return tallies


def forget_old(*, now: datetime) -> int:
    """Delete counts for hours that are over; return how many."""
    old = Tally.objects.filter(since__lte=now - WINDOW)
    if not old.exists():  # workers check all the time, and reading locks nobody out
        return 0
    return old.delete()[0]


def _hash(kind: str, who: str) -> str:
    return salted_hmac("accounts.tries", f"{kind}:{who}", algorithm="sha256").hexdigest()
