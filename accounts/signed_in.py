"""Where a person is signed in: one session for each browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import devices
from accounts.addresses import address_of
from accounts.models import Session, User
from accounts.sessions import DEVICE, SessionStore

MOST_LETTERS = 300


@dataclass(frozen=True)
class Place:
    """One browser in which somebody is signed in."""

    key: str  # of the session: never shown
    device: str
    address: str
    since: datetime | None  # None: before we remembered it
    seen_at: datetime | None
    is_this: bool

    @property
    def code(self) -> str:
        """Name it, so that nobody can sign in with the name."""
        return salted_hmac("accounts.signed_in", self.key, algorithm="sha256").hexdigest()[:32]


def note(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Remember with what, from where and since when; programs that sign in have no session."""
    if request.session.get(SESSION_KEY) == str(user.pk):
        request.session[DEVICE] = {
            "agent": request.META.get("HTTP_USER_AGENT", "")[:MOST_LETTERS],
            "address": devices.shortened(address_of(request)),
            "since": timezone.now().isoformat(),
        }


def of(user: User, *, this: str | None, now: datetime) -> list[Place]:
    """Return a person's sessions that work, this one first, then the latest seen."""
    rows = Session.objects.filter(user=user.pk, expire_date__gt=now)
    found = [place for row in rows if (place := _place(row, user, this))]
    return sorted(found, key=lambda each: (each.is_this, each.seen_at or now), reverse=True)


def _place(row: Session, user: User, this: str | None) -> Place | None:
    """Return None for what a new password, or signing in as somebody else, has ended."""
    data = SessionStore().decode(row.session_data)
    if data.get(SESSION_KEY) != str(user.pk) or not _is_valid(data, user):
        return None
    device = data.get(DEVICE, {})
    since = device.get("since")
    return Place(
        key=row.session_key,
        device=devices.in_words(device.get("agent", "")),
        address=device.get("address", ""),
        since=datetime.fromisoformat(since) if since else None,
        seen_at=row.seen_at,
        is_this=row.session_key == this,
    )


def _is_valid(data: dict[str, Any], user: User) -> bool:
    kept = data.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(kept, each) for each in hashes)


def end(places: Sequence[Place]) -> int:
    """Sign these browsers out; return how many still were signed in."""
    if not places:
        return 0
    return Session.objects.filter(pk__in=[each.key for each in places]).delete()[0]
