"""How the front desk writes days, instants and people."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from bookings.models import Booking
from bookings.words import words, zones
from spaces.slots import Period


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return «Wed 25 Nov 2026, 13:00», with its zone if the reader can't know it."""
    return zones.of_staff().noted(_moment(at, zone), zone)


def when(period: Period, zone: ZoneInfo) -> str:
    """Return «Wed 25 Nov 2026, 13:00–15:00»; both days when it is a day long or longer."""
    if period.duration >= timedelta(days=1):
        time = f"{_moment(period.starts_at, zone)} – {_moment(period.ends_at, zone)}"
    else:
        day = period.starts_at.astimezone(zone).date()
        time = f"{words.day_of_year(day)}, {words.span(period, zone)}"
    return zones.of_staff().noted(time, zone)


def span(period: Period, zone: ZoneInfo) -> str:
    """Return «13:00–15:00», with its zone if the reader can't know it."""
    return zones.of_staff().noted(words.span(period, zone), zone)


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{words.day_of_year(at.astimezone(zone).date())}, {words.clock(at, zone)}"


def whose(booking: Booking) -> str:
    """Return a member's login and name, or a guest's name."""
    if booking.member is None:
        return _("%(name)s (guest)") % {"name": booking.guest_name}
    name = booking.member.name
    return f"{booking.member} ({name})" if name else str(booking.member)


def described(booking: Booking) -> str:
    """Return «Desk 4, Wed 25 Nov 2026, 13:00–15:00, alice»."""
    time = when(booking.period, booking.place.space.zone)
    return f"{booking.place}, {time}, {whose(booking)}"
