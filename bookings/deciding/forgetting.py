"""Guests are forgotten: at their wish, or once they haven't been seen for as long as a space says.

Rows and events stay, for the space's history, and name nobody. See also
`bookings.deciding.leaving`.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from accounts.models import User
from bookings.deciding.transactions import transactional
from bookings.deciding.transitions import cancel_all
from bookings.deciding.waiting_list import forget_parties
from bookings.guests import Guest
from bookings.models import Booking, BookingEvent
from bookings.querysets import BookingQuerySet
from bookings.states import State
from bookings.waiting import WaitingParty
from spaces.models import Space

#: Stands for the name in bookings of guests who were forgotten: a booking is for somebody.
NAMELESS = "—"

#: How many guests, or bookings, one unit of a worker's work forgets.
BATCH = 200


@transactional
def forget(guest: Guest, *, by: User | None, now: datetime) -> int:
    """Erase a guest, in the row and in every booking; cancel what is upcoming, return how many."""
    return forget_now(guest, by=by, now=now)


def forget_now(guest: Guest, *, by: User | None, now: datetime) -> int:
    """Do what `forget` does, in a transaction that is open already."""
    locked = Guest.objects.select_for_update().filter(pk=guest.pk).first()
    if locked is None:  # somebody else was first
        return 0
    theirs = Booking.objects.filter(guest=locked)
    upcoming = theirs.filter(member=None).upcoming(now).with_place()
    # A held table is nobody's yet: others may have been told of it, see `forget_parties`.
    upcoming = upcoming.exclude(state=State.OFFERED)
    cancelled = cancel_all(list(upcoming), by=by, now=now)
    _blank(theirs.filter(member=None))
    theirs.update(guest=None)  # a member's stays the member's
    forget_parties(locked, by=by, now=now)
    locked.delete()
    return len(cancelled)


def _blank(bookings: BookingQuerySet[Booking]) -> None:
    """Take out of guests' bookings, and of their events, whom they name."""
    keys = list(bookings.order_by().values_list("pk", flat=True))
    rows = Booking.objects.filter(pk__in=keys)
    for booking in rows:
        booking.guest_links.all().delete()
    events = BookingEvent.objects.filter(booking__in=keys)
    events.update(contact_before={})
    for event in events.exclude(data__note=""):
        event.data["note"] = ""
        event.save(update_fields=["data"])
    rows.update(guest_name=NAMELESS, guest_contact="", note="", guest=None)


def forget_as_guest(member: User, *, now: datetime) -> None:
    """Forget what spaces know, from before, of a member who leaves; in the open transaction."""
    known = list(Guest.objects.filter(bookings__member=member).distinct())
    if member.email and member.email_confirmed_at:
        # Somebody who calls, or stands at the door, and leaves this address.
        known += Guest.objects.filter(email=member.email.lower()).exclude(
            pk__in=[g.pk for g in known]
        )
    Booking.objects.of(member).exclude(guest=None).update(guest=None)
    for guest in known:
        # Whoever shares a phone, and books with another address, is somebody else.
        is_same = bool(guest.email) and guest.email == member.email.lower()
        if is_same or not guest.bookings.exists():
            forget_now(guest, by=None, now=now)


# --- For the worker -------------------------------------------------------------------------------


def forget_unseen_guests(*, now: datetime) -> int:
    """Forget some guests who were last seen longer ago than their space keeps them."""
    return sum(_forget_unseen(space, now=now) for space in Space.objects.that_forget_guests())


def _forget_unseen(space: Space, *, now: datetime) -> int:
    assert space.guest_retention_days is not None
    before = now - timedelta(days=space.guest_retention_days)
    done = 0
    for guest in Guest.objects.of(space).unseen_since(before)[:BATCH]:
        done += _forget_if_unseen(guest, before, now=now)
    # Named, but known to nobody: only the bookings have to forget them.
    nameless = list(
        Booking.objects.in_space(space)
        .of_strangers_before(before, nameless=NAMELESS)
        .values_list("pk", flat=True)[:BATCH]
    )
    done += _forget_parties(space, before)
    return done + (_blank_all(nameless) if nameless else 0)


@transactional
def _forget_if_unseen(guest: Guest, before: datetime, *, now: datetime) -> int:
    # Whoever books right now locks the row first.
    Guest.objects.select_for_update().filter(pk=guest.pk).first()
    if not Guest.objects.unseen_since(before).filter(pk=guest.pk).exists():
        return 0
    forget_now(guest, by=None, now=now)
    return 1


@transactional
def _forget_parties(space: Space, before: datetime) -> int:
    """Forget who stood at the door, known or not: that is of no use to anybody later."""
    old = WaitingParty.objects.of(space).off_the_list().filter(created_at__lt=before)
    keys = list(old.values_list("pk", flat=True)[:BATCH])
    WaitingParty.objects.filter(pk__in=keys).delete()
    return len(keys)


def forget_old_notes(*, now: datetime) -> int:
    """Erase what was written about some bookings that ended long ago, as a setting says."""
    days: int = settings.NOTES_RETENTION_DAYS
    if not days:
        return 0
    reasoned = BookingEvent.objects.filter(booking=OuterRef("pk")).exclude(reason="")
    old = Booking.objects.filter(~Q(note="") | Exists(reasoned), ends_at__lt=now - timedelta(days))
    keys = list(old.order_by("ends_at").values_list("pk", flat=True)[:BATCH])
    return _forget_notes(keys) if keys else 0


@transactional
def _forget_notes(keys: list[int]) -> int:
    events = BookingEvent.objects.filter(booking__in=keys)
    events.exclude(reason="").update(reason="")
    for event in events.exclude(data__note=""):
        event.data["note"] = ""
        event.save(update_fields=["data"])
    return Booking.objects.filter(pk__in=keys).update(note="") and len(keys)


@transactional
def _blank_all(keys: list[int]) -> int:
    _blank(Booking.objects.filter(pk__in=keys))
    return len(keys)
