"""Keys to screens at doors: made and shown once, found by their hash, revoked."""

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts import replica
from bookings.doors import DoorView
from spaces.models import Place, Space

MOST = 200  # screens of one space
SEEN_IS_NOTED_EVERY = timedelta(minutes=5)


class TooManyDoors(Exception):
    def __str__(self) -> str:
        return _("There are %(n)d screens already. Revoke one that you don’t need.") % {"n": MOST}


class AlreadyMade(Exception):
    """A screen with this code exists: the request came twice."""


@transaction.atomic
def make(
    space: Space,
    *,
    name: str,
    places: list[Place],
    language: str,
    shows_names: bool,
    may_check_in: bool,
    may_walk_in: bool,
    code: UUID,
    now: datetime,
) -> tuple[DoorView, str]:
    """Make a screen of some places, or of all (no `places`); return it and its key, once.

    The caller chooses `code`, so that asking twice makes one. Raises TooManyDoors, AlreadyMade.
    """
    # One at a time for each space: two at once would not see each other in the count.
    Space.objects.select_for_update(no_key=True).get(pk=space.pk)
    if DoorView.objects.filter(code=code).exists():
        raise AlreadyMade
    if DoorView.objects.of(space).count() >= MOST:
        raise TooManyDoors
    key = token_urlsafe(32)
    door = DoorView.objects.create(
        code=code,
        space_id=space.pk,
        name=name,
        places=[str(place.code) for place in places],
        is_of_all=not places,
        language=language,
        shows_names=shows_names,
        may_check_in=may_check_in,
        may_walk_in=may_walk_in,
        digest=digest(key),
        hint=key[-4:],
        created_at=now,
    )
    return door, key


def digest(key: str) -> str:
    """Hash a key. It has 256 random bits, so a plain hash reveals nothing."""
    return sha256(key.encode(errors="replace")).hexdigest()


def find(key: str) -> DoorView | None:
    """Return the screen that a key opens, of a space that members can see."""
    return DoorView.objects.filter(digest=digest(key), space__is_active=True).first()


def note_seen(door: DoorView, *, now: datetime) -> None:
    """Remember that a screen is on, to a few minutes."""
    if replica.is_read():
        return
    if door.last_seen_at is None or door.last_seen_at < now - SEEN_IS_NOTED_EVERY:
        unseen = Q(last_seen_at=None) | Q(last_seen_at__lt=now)
        DoorView.objects.filter(unseen, pk=door.pk).update(last_seen_at=now)


@transaction.atomic
def revoke(door: DoorView) -> None:
    """Delete a screen's row; its address shows nothing from now on."""
    door.delete()
