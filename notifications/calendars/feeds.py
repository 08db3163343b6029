"""Calendars that apps poll, at addresses that only their owner knows."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from hashlib import sha256
from uuid import UUID, uuid4

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import replica
from accounts.models import User
from bookings.admin.wording import whose
from bookings.models import Booking, BookingEvent
from bookings.querysets import BookingQuerySet
from notifications.calendars.ics import Entry, entry_of, people, publication
from notifications.models import CalendarFeed
from spaces.models import Place, Space
from spaces.venue import neighbours

SHOWN_BACK = timedelta(days=30)
MOST = 2000  # bookings in one calendar: the latest
READING_IS_NOTED_EVERY = timedelta(hours=1)

#: Raise it when the same entries are written differently, so that apps fetch them again.
EDITION = 2


@dataclass(frozen=True)
class Contents:
    """What a calendar contains. The same contents are the same bytes, whenever they are fetched."""

    name: str
    time_zone: str
    changed_at: datetime
    entries: tuple[Entry, ...]

    @cached_property
    def etag(self) -> str:
        """Tell these contents from others (RFC 9110, 8.8.3), without writing them out."""
        written_of = (EDITION, settings.MAIL_FROM, self.name, self.time_zone, self.entries)
        return f'"{sha256(repr(written_of).encode()).hexdigest()[:32]}"'

    def written(self) -> bytes:
        return publication(
            self.entries,
            organizer=settings.MAIL_FROM,
            name=self.name,
            time_zone=self.time_zone,
        )


def make(user: User, *, space: Space | None, place: Place | None, now: datetime) -> CalendarFeed:
    """Return a person's feed of their own bookings, a space or a place; make it if need be."""
    feed, _made = CalendarFeed.objects.get_or_create(
        user=user, space=space, place=place, defaults={"created_at": now}
    )
    return feed


def renew(feed: CalendarFeed, *, now: datetime) -> None:
    """Give a feed a new address. The old one stops answering."""
    found = CalendarFeed.objects.filter(pk=feed.pk)  # empty if it was closed a moment ago
    found.update(code=uuid4(), created_at=now, last_read_at=None)


def close(feed: CalendarFeed) -> None:
    feed.delete()


def names(user: User, now: datetime) -> list[str]:
    """Return the names of the calendars that a person has addresses for."""
    found = CalendarFeed.objects.of(user).select_related("space", "place__space")
    return [title(feed) for feed in found.order_by("pk")]


def close_all(user: User, now: datetime) -> int:
    """Close all of a person's calendars; return how many."""
    return CalendarFeed.objects.of(user).delete()[0]


def token_of(feed: CalendarFeed) -> str:
    """Return what makes the address secret: the code with our signature.

    Reading the database, or an old copy of it, isn't enough to get an address.
    """
    return _signer().sign(feed.code.hex)


def find(token: str) -> CalendarFeed | None:
    """Return a token's feed; None when it is forged, closed or no longer the person's.

    A space's or a place's only while the person still works here and runs that space's day.
    """
    try:
        code = UUID(_signer().unsign(token))
    except (BadSignature, ValueError):
        return None
    people_here = CalendarFeed.objects.of_people_here()
    feed = people_here.select_related("user", "space", "place__space").filter(code=code).first()
    if feed is None or feed.space is None:
        return feed
    return feed if Space.objects.run_by(feed.user).contains(feed.space) else None


def contents(feed: CalendarFeed, *, now: datetime) -> Contents:
    """Return what a feed shows now, in the active language, soonest first."""
    shown = _bookings(feed).that_ever_held().held_after(now - SHOWN_BACK)
    latest = shown.newest_first()[:MOST]
    last = BookingEvent.objects.of_bookings(latest).last_of_each_booking()
    events = list(last.select_related("booking__place__space", "booking__member"))
    events.sort(key=lambda event: (event.booking.starts_at, event.booking.pk))
    show = entry_of if feed.space is None else _entry_for_staff
    return Contents(
        name=title(feed),
        time_zone=feed.space.time_zone if feed.space else "",
        changed_at=max([feed.created_at, *(event.at for event in events)]),
        entries=tuple(show(event) for event in events),
    )


def title(feed: CalendarFeed) -> str:
    """Return the feed's name, as calendar apps show it."""
    if feed.place is not None:
        return f"{feed.place} · {feed.place.space.name}"
    return feed.space.name if feed.space else _("My bookings at Mesto")


def note_reading(feed: CalendarFeed, *, now: datetime) -> None:
    """Remember that an app has read a feed, to the hour."""
    if replica.is_read():
        return
    if feed.last_read_at is None or now - feed.last_read_at >= READING_IS_NOTED_EVERY:
        CalendarFeed.objects.filter(pk=feed.pk).update(last_read_at=now)


def _signer() -> Signer:
    return Signer(salt="calendar", sep=".")


def _bookings(feed: CalendarFeed) -> BookingQuerySet[Booking]:
    """Return a feed's bookings: for a place, all that keep it from being free."""
    if feed.space is None:
        return Booking.objects.of(feed.user)
    if feed.place is None:
        return Booking.objects.in_space(feed.space)
    parts = defaultdict(list)
    for whole, part in Place.objects.pairs_of_parts(feed.space):
        parts[whole].append(part)
    return Booking.objects.at_places(neighbours(dict(parts), feed.place.pk))


def _entry_for_staff(event: BookingEvent) -> Entry:
    """Say who is coming and how many, and link to the staff's page."""
    booking = event.booking
    is_nobody = booking.member is not None and booking.member.is_erased
    what = [str(booking.place), _("a former member") if is_nobody else whose(booking)]
    if booking.party_size > 1:
        what.append(people(booking.party_size))
    page = reverse("admin:bookings_booking_change", args=[booking.pk])
    return entry_of(event, what=" · ".join(what), url=f"{settings.SITE_URL}{page}")
