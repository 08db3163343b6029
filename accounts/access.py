"""What lets somebody in without the password: programs by tokens, calendars by their addresses.

A new password ends sessions and not these, so whoever chooses one is shown what stays. Apps above
this one add their kinds when they are loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User


@dataclass(frozen=True)
class Kind:
    """One kind of way in. `page` names the page where each can be closed by itself."""

    title: Promise
    page: str
    names: Callable[[User, datetime], list[str]]
    close_all: Callable[[User, datetime], int]


@dataclass(frozen=True)
class Open:
    """The ways in of one kind that a person has."""

    kind: Kind
    names: list[str]


KINDS: list[Kind] = []


def left_open(user: User, *, now: datetime) -> list[Open]:
    """Return what a new password doesn't close."""
    found = [Open(kind, kind.names(user, now)) for kind in KINDS]
    return [ways for ways in found if ways.names]


@transaction.atomic
def close_all(user: User, *, now: datetime) -> int:
    """Close everything that a new password leaves open; return how many ways in that were."""
    return sum(kind.close_all(user, now) for kind in KINDS)


def told(ended: int, left: list[Open]) -> list[str]:
    """Say what a password that was set without the old one has ended, and what it has left."""
    found = []
    if ended:
        words = ngettext(
            "%(n)d API token is revoked. Programs that used it need a new one.",
            "%(n)d API tokens are revoked. Programs that used them need new ones.",
            ended,
        )
        found.append(words % {"n": ended})
    if left:
        names = ", ".join(name for ways in left for name in ways.names)
        found.append(
            _("These stay, for whoever has their addresses: %(names)s.") % {"names": names}
        )
    return found
