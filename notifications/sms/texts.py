"""What a guest reads on the phone: one line, and the link."""

from datetime import datetime

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from bookings.deciding import links
from bookings.models import BookingEvent
from bookings.words import words
from bookings.words.representation import places_of, stays_put
from notifications.models import Delivery
from spaces.slots import Period


def text_of(delivery: Delivery, *, now: datetime) -> str:
    """Write about a delivery's event, or its reminder, in its reader's language."""
    booking = delivery.booking
    assert booking is not None
    link = links.link_of(booking, now=now)
    with translation.override(link.language or settings.LANGUAGE_CODE):
        event, zone = delivery.event, booking.place.space.zone
        place, period = str(booking.place), booking.period
        if event is not None:
            found = places_of([event.data]).get(event.data["place"]["code"])
            place = str(found or booking.place)
            period = Period(
                datetime.fromisoformat(event.data["starts_at"]),
                datetime.fromisoformat(event.data["ends_at"]),
            )
        said = {
            "place": place,
            "when": words.when(period, zone, now),
            "space": booking.place.space.name,
        }
        url = f"{settings.SITE_URL}{links.path_of(link)}"
        return f"{_sentence(event) % said} {url}"


def _sentence(event: BookingEvent | None) -> str:
    kind = event.kind if event else ""
    if event and kind == BookingEvent.Kind.MOVED:
        earlier = BookingEvent.objects.before(event.sequence, of=event.booking).first()
        if earlier is not None and stays_put(earlier.data, event.data):
            return _("Changed: %(place)s, %(when)s, %(space)s.")
        return _("Moved: %(place)s, %(when)s, %(space)s.")
    if kind == BookingEvent.Kind.CANCELLED:
        return _("Cancelled: %(place)s, %(when)s, %(space)s.")
    if kind == BookingEvent.Kind.CONFIRMED:
        return _("Booked: %(place)s, %(when)s, %(space)s.")
    return _("See you soon: %(place)s, %(when)s, %(space)s.")
