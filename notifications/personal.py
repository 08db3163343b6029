"""What notifications hold of a person: see `accounts.personal`."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Q

from accounts.models import User
from accounts.personal import ERASERS, EXPORTS, Traces
from bookings.models import Booking, BookingEvent
from notifications.calendars.ics import entry_of, publication
from notifications.models import Attempt, CalendarFeed, Delivery, MailPreference, RefusedRequest


def register() -> None:
    EXPORTS["mail"] = _mail
    EXPORTS["calendars"] = _calendars
    EXPORTS["deliveries"] = _deliveries
    ERASERS.append(erase)


def calendar_of(user: User) -> bytes:
    """Write all bookings that somebody ever held, as they are now, in the active language."""
    held = Booking.objects.of(user).that_ever_held()
    last = BookingEvent.objects.of_bookings(held).last_of_each_booking()
    events = list(last.select_related("booking__place__space", "booking__member"))
    events.sort(key=lambda event: (event.booking.starts_at, event.booking.pk))
    return publication(map(entry_of, events), organizer=settings.MAIL_FROM)


def _mail(user: User) -> dict[str, Any]:
    found = MailPreference.objects.filter(user=user).first()
    return {"reminders": found is None or found.reminders}


def _calendars(user: User) -> list[dict[str, Any]]:
    found = CalendarFeed.objects.of(user).select_related("space", "place").order_by("pk")
    return [
        {
            "space": feed.space.slug if feed.space else None,
            "place": str(feed.place) if feed.place else None,
            "created_at": feed.created_at.isoformat(),
            "last_read_at": feed.last_read_at.isoformat() if feed.last_read_at else None,
        }
        for feed in found
    ]


def _about(user: User) -> Q:
    return Q(booking__member=user) | Q(event__booking__member=user)


def _deliveries(user: User) -> list[dict[str, Any]]:
    """Return who was told of a person's bookings, and when; addresses of webhooks are a space's."""
    found = Delivery.objects.filter(_about(user)).select_related("endpoint").order_by("pk")
    return [
        {
            "purpose": each.purpose,
            "by": each.endpoint.channel,
            "state": each.state,
            "created_at": each.created_at.isoformat(),
            "settled_at": each.settled_at.isoformat() if each.settled_at else None,
            "error": each.error if each.endpoint.channel == "MAIL" else "",
        }
        for each in found
    ]


def erase(traces: Traces, now: datetime) -> None:
    """Forget what was answered to letters and webhooks about a person, and their calendars."""
    about = list(Delivery.objects.filter(_about(traces.user)).values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=about).exclude(error="").update(error="")
    Attempt.objects.filter(delivery__in=about).update(
        request_headers={}, response_headers={}, response_body="", error=""
    )
    CalendarFeed.objects.of(traces.user).delete()
    MailPreference.objects.filter(user=traces.user).delete()
    refused = RefusedRequest.objects.filter(traces.may_be_in("value", "reason"))
    keys = [row.pk for row in refused if traces.are_in(row.value) or traces.are_in(row.reason)]
    RefusedRequest.objects.filter(pk__in=keys).delete()
