"""What the front desk calls days, moments and people."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from bookings import words
from bookings.models import Booking
from spaces.slots import Period


def full_day(value: date) -> str:
    """Return «Wed 25 Nov 2026»: here lists go back for years."""
    return formats.date_format(value, pgettext("date format: Wed 25 Nov 2026", "D j M Y"))


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return «Wed 25 Nov 2026, 13:00»."""
    return f"{full_day(at.astimezone(zone).date())}, {words.clock(at, zone)}"


def when(period: Period, zone: ZoneInfo) -> str:
    """Return «Wed 25 Nov 2026, 13:00–15:00»; both days when they differ by more than a night."""
    first, last = (at.astimezone(zone).date() for at in (period.starts_at, period.ends_at))
    if (last - first).days > 1:
        return f"{moment(period.starts_at, zone)} – {moment(period.ends_at, zone)}"
    return f"{full_day(first)}, {words.span(period, zone)}"


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
