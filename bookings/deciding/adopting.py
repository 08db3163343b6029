"""A guest becomes a member: what was booked with an address is its owner's, once confirmed."""

from collections import Counter
from datetime import datetime

from accounts.models import User
from bookings.deciding import daily, links, rules
from bookings.deciding.knowing import contacts
from bookings.deciding.transitions import change, record
from bookings.models import Booking, BookingEvent
from bookings.states import OCCUPYING, State
from spaces import setups


def adopt(user: User, address: str, *, now: datetime) -> int:
    """Give a person the guests' bookings with this confirmed address; return how many.

    For use in the transaction that confirms it, which has locked the member. A member's quotas keep
    holding: what would exceed one stays a guest's, and its link goes on working. What is over gets
    no event: a life that has ended stays as it was. Of what isn't decided yet, nobody knows.
    """
    email = address.strip().lower()
    rows = Booking.objects.decided_of_guests_at(email).select_for_update(no_key=True, of=("self",))
    held: dict[int, Counter[str]] = {}
    adopted = 0
    for booking in rows.with_place().order_by("starts_at", "pk"):
        # The guest may be known by another contact of the same person.
        if contacts(booking.guest_contact)[1] == email:
            adopted += _adopt(booking, user, held, now=now)
    return adopted


def _adopt(booking: Booking, user: User, held: dict[int, Counter[str]], *, now: datetime) -> bool:
    space, kind = booking.place.space_id, booking.place.kind
    if booking.is_upcoming(now):
        if space not in held:
            mine = Booking.objects.of(user).in_space(booking.place.space).upcoming(now)
            held[space] = Counter(mine.values_list("place__kind", flat=True))
        venue = setups.current(space).venue_for(user, now)
        if rules.of_quotas(venue.limits(kind).quotas, held[space]):
            return False
        if daily.problems(venue, booking.place, booking.period, member=user, now=now):
            return False
        held[space][kind] += 1
    # The guest's request is done with: its key must not meet one of the member's.
    changes = {"member": user, "guest_name": "", "guest_contact": "", "request_key": None}
    change(booking, [State(booking.state)], expected={"member": None}, changes=changes)
    booking.events.update(contact_before={})
    links.revoke(booking, now=now)
    if booking.state in OCCUPYING:
        record(BookingEvent.Kind.AMENDED, booking, by=user, now=now)
    return True
