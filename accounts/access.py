"""Ways in without the password: tokens for programs, secret addresses for calendars.

A new password ends sessions but not these, so we show people what stays. Apps above
this one add their kinds when they load.
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
    """One kind of way in. `page` names the page where each can be closed individually."""

    title: Promise
    page: str
    names: Callable[[User, datetime], list[str]]
    close_all: Callable[[User, datetime], int]


@dataclass(frozen=True)
class Open:
    """A person's ways in of one kind."""

    kind: Kind
    names: list[str]


KINDS: list[Kind] = []


def left_open(user: User, *, now: datetime) -> list[Open]:
    """Return the ways in that a new password doesn't close."""
    found = [Open(kind, kind.names(user, now)) for kind in KINDS]
    return [ways for ways in found if ways.names]


@transaction.atomic
def close_all(user: User, *, now: datetime) -> int:
    """Close everything that a new password leaves open; return how many ways in there were."""
    return sum(kind.close_all(user, now) for kind in KINDS)


def told(ended: int, left: list[Open]) -> list[str]:
    """Say what setting a password without the old one has ended, and what it has left open."""
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
            _("These stay open to anyone who has their addresses: %(names)s.") % {"names": names}
        )
    return found
