"""What the matrix sends: for each row of its table, which booking it is about and what is posted.

Rows that aren't here are about the booking that has `begun`, and post nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from bookings.deciding import furnishing
from bookings.deciding.stranding import Choice
from bookings.finding import day, marks
from bookings.finding.shelf import digest_of
from bookings.models import Booking
from bookings.staff.waiting import MINUTE
from config.tests.stage import DAY, HOUR, Venue
from notifications.webhooks.services import secret_mark
from spaces import setups

type Fields = dict[str, Any]

#: Whose code the address has, or what is posted about.
ABOUT = {
    "POST cancel": "ahead",
    "POST reschedule": "ahead",
    "GET cancel": "ahead",
    "GET guest_booking": "visit",
    "POST guest_check_in": "visit",
    "GET guest_cancel": "later",
    "GET guest_move": "later",
    "POST guest_cancel": "later",
    "POST guest_move": "later",
    "POST undo_walk_in": "walk_in",
    "POST staff_visit undo": "arrived",
    "POST staff_no_shows": "missed",
    "POST staff_cancel": "ahead",
    "POST staff_booking move": "ahead",
}
#: A press that comes twice does it once.
ONCE = UUID("7a0d3c1e-0b1e-4c57-9c59-3f6b5a2f6d11")


def about(row: str, venue: Venue) -> Booking:
    found: Booking = getattr(venue, ABOUT.get(row, "begun"))
    return found


def pressed(row: str, venue: Venue) -> Fields:
    """Return the button that is pressed in a row of the day."""
    booking, verb = about(row, venue), row.split()[-1]
    return {verb: f"{booking.code}.2" if verb == "undo" else str(booking.code)}


def at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}"


def times(venue: Venue, after: int = 2) -> Fields:
    starts_at = venue.now + DAY + after * HOUR
    return {"starts_at": at(starts_at), "ends_at": at(starts_at + HOUR)}


def wish(venue: Venue) -> Fields:
    return {"place": str(venue.free.code), **times(venue), "party_size": "1"}


def call(venue: Venue) -> Fields:
    """Return a booking by telephone, of the guest whom the staff found."""
    on = venue.now + DAY
    when = {"date": f"{on:%Y-%m-%d}", "from": "17:00", "people": "1", "place": venue.free.code}
    return {**when, "guest_name": "Boris", "choice": f"guest:{venue.rows['guest'].code}"}


def founding(venue: Venue) -> Fields:
    opens = {"opens": "12:00", "closes": "15:00", "time_zone": "Europe/Oslo"}
    about = {"name": "Bistro Nord", "kind": "RESTAURANT", "tables": "10 × 2", **opens}
    return {**about, "hosts": f"new-{venue.space.slug}@example.org", "request_key": ONCE}


def sure(venue: Venue) -> Fields:
    """Return the answer that bookings outside a rule are kept."""
    seen = venue.space.policies.get().changed_at.isoformat()
    shown = ",".join(str(code) for code in Booking.objects.values_list("code", flat=True))
    return {"choice": Choice.KEEP, "shown": shown, "seen": seen}


def shift(venue: Venue) -> Fields:
    """Return a shift as it is, and what it was when the page showed it."""
    known = venue.space.shifts.get()
    return {
        "name": known.name,
        "weekdays": list(known.weekdays),
        "first_seating": "21:00",
        "last_seating": "21:00",
        "seen": furnishing.mark_of_shift(known.pk),
    }


def combination(venue: Venue) -> Fields:
    whole = venue.rows["combination"]
    parts = [part.code for part in whole.parts.all()]
    return {"parts": parts, "is_bookable": "on", "seen": furnishing.mark_of_place(whole.pk)}


def mark_of_today(venue: Venue, step: timedelta = marks.STEP) -> str:
    """Return what an open page has seen: nothing has changed since."""
    setup = setups.current(venue.space.pk)
    hours = setup.venue((), venue.now)
    span = day.span_of(hours, hours.day_of(venue.now))
    return str(marks.mark(venue.host, venue.space.slug, span, now=venue.now, step=step))


#: What a row posts, or asks for.
SENT: dict[str, Callable[[Venue], Fields]] = {
    "GET guest": wish,
    "GET staff_day live": lambda v: {"seen": mark_of_today(v)},
    "POST bookings": wish,
    "POST reschedule": wish,
    "POST guest": lambda v: {**wish(v), "name": "Boris", "email": "boris@example.org"},
    "POST guest_move": wish,
    "POST door check_in": lambda v: {"act": "check_in", "booking": v.begun.code},
    "POST door use": lambda v: {
        "act": "use",
        "place": v.free.code,
        "ends_at": at(v.now + HOUR / 2),
        "request_key": ONCE,
    },
    "POST staff_booking edit": lambda v: {"note": "By the window"},
    "POST staff_booking move": lambda v: {"place": v.free.code, **times(v)},
    "POST staff_cancel": lambda v: {"reason": "A pipe burst"},
    "POST staff_no_shows": lambda v: {"booking": v.missed.code, "reason": "A late train"},
    "POST staff_walk_in": lambda v: {"people": "1", "place": v.free.code},
    "POST staff_phone": call,
    "GET staff_waiting live": lambda v: {"seen": mark_of_today(v, step=MINUTE)},
    "POST staff_waiting": lambda v: {"guest_name": "Boris", "people": "2", "request_key": ONCE},
    "POST staff_waiting_act ready": lambda v: {"ready": f"{v.waiting.code}.{v.free.code}"},
    "POST staff_waiting_act too": lambda v: {"too": f"{v.waiting.code}.{v.told.booking.code}"},
    "POST staff_waiting_act seat": lambda v: {"seat": f"{v.waiting.code}.{v.free.code}"},
    "POST staff_waiting_act come": lambda v: {"come": v.told.code},
    "POST staff_waiting_act left": lambda v: {"left": v.waiting.code},
    "POST staff_waiting_act undo": lambda v: {"undo": f"{v.told.code}.{v.told.version}"},
    "POST staff_guest": lambda v: {"name": "Anna Karenina"},
    "POST staff_people": lambda v: {"email": "vera@example.org", "role": "HOST"},
    "POST staff_role": lambda v: {"login": v.host.username, "role": "MANAGER"},
    "POST staff_role away": lambda v: {"login": v.host.username, "role": ""},
    "POST staff_invitation resend": lambda v: {"code": v.rows["invitation"].code, "act": "resend"},
    "POST staff_invitation revoke": lambda v: {"code": v.rows["invitation"].code, "act": "revoke"},
    "POST staff_tiers": lambda v: {"email": "vera@example.org", "tier": v.rows["tier"].code},
    "POST staff_tier_new": lambda v: {"name": "Residents"},
    "POST passkey_name": lambda v: {"name": "Laptop"},
    "POST staff_tier rename": lambda v: {"name": "Locals"},
    "POST staff_tier delete": lambda v: {"delete": "1"},
    "POST staff_member": lambda v: {
        "login": v.member.username,
        "tier": v.rows["tier"].code,
        "shown": v.rows["tier"].code,
    },
    "POST staff_members_import": lambda v: {
        "lines": "email,tiers\nvera@example.org,Part-time\n",
        "shown": digest_of((f"vera@example.org {v.rows['tier'].pk}",)),
    },
    "POST staff_rule": lambda v: {"max_days_ahead": "9", **sure(v)},
    "POST staff_rule remove": lambda v: {"remove": "1", **sure(v)},
    "POST staff_shift": lambda v: {**shift(v), "covers_online": "4"},
    "POST staff_shift remove": lambda v: {**shift(v), "remove": "1", "choice": Choice.KEEP},
    "POST staff_turns": lambda v: {
        "from_0": "5",
        "length_0": "2 h",
        "seen": furnishing.mark_of_turns(v.space),
    },
    "POST staff_combination_new": lambda v: {
        **combination(v),
        "seen": furnishing.mark_of_place(0),
    },
    "POST staff_combination": lambda v: {**combination(v), "name": "Long table"},
    "POST staff_combination remove": lambda v: {
        **combination(v),
        "remove": "1",
        "choice": Choice.KEEP,
    },
    "POST staff_holidays yearly": lambda v: {
        "act": "yearly",
        "day": "1",
        "month": "6",
        "days": "1",
        "reason": "Summer",
    },
    "POST staff_holidays stop": lambda v: {"act": "stop", "code": v.rows["yearly"].code},
    "POST staff_doors": lambda v: {
        "name": "Lift",
        "places": [v.desk.code],
        "language": "en",
        "request_key": ONCE,
    },
    "POST staff_setup": founding,
    "POST space_calendars": lambda v: {"what": v.desk.code},
    "POST webhooks": lambda v: {
        "url": "https://hooks.example/new",
        "kinds": ["CONFIRMED"],
        "request_key": ONCE,
    },
    "POST webhook": lambda v: {"url": "https://hooks.example/other", "kinds": ["CONFIRMED"]},
    "POST webhook_secret": lambda v: {"seen": secret_mark(v.rows["endpoint"])},
    "POST webhook_switch": lambda v: {"on": "0"},
    "POST unsubscribe": lambda v: {"List-Unsubscribe": "One-Click"},
}


def sent(row: str, venue: Venue) -> Fields:
    if row.startswith("POST staff_visit"):
        return pressed(row, venue)
    return SENT[row](venue) if row in SENT else {}
