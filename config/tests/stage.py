"""Who comes to the pages in the matrix, and what there is for them to reach.

Two spaces, Loft and Away, with the same rows in each.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from accounts import invitations
from accounts.factories import StaffRoleFactory, TierFactory, UserFactory
from accounts.models import StaffRole, User
from accounts.tests.programs import issue
from accounts.tests.second_factor import passkey_of
from bookings.deciding import links, visits
from bookings.guests import GuestLink
from bookings.models import Booking
from bookings.tests.acts import book
from bookings.tests.door import add, told
from config.tests.walk import key_of, screen_at_a_door, seated
from notifications.calendars import feeds
from notifications.factories import WebhookFactory
from notifications.relay import fan_out
from spaces.factories import PolicyFactory, open_space
from spaces.models import Place, Space
from spaces.yearly import YearlyClosure

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
#: A Wednesday.
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def sessions(loft: "Venue", away: "Venue") -> dict[str, str]:
    """Return everybody's session, and that of `both`, who manages both spaces."""
    people = {
        "member": loft.member,
        "other": UserFactory.create(username="bob"),
        "abroad": away.host,
        "ruler": staff_of(away.space, "MANAGER", "ruler"),
        "former": staff_of(loft.space, "HOST", "former"),
        "closed": staff_of(loft.space, "MANAGER", "closed"),
        "host": loft.host,
        "manager": staff_of(loft.space, "MANAGER", "marat"),
        "boss": UserFactory.create(username="boss", is_superuser=True),
        "both": staff_of(loft.space, "MANAGER", "both"),
    }
    StaffRoleFactory.create(user=people["both"], space=away.space, role="MANAGER")
    found = {name: key_of(person) for name, person in people.items()}
    StaffRole.objects.filter(user=people["former"]).delete()
    User.objects.filter(username="closed").update(is_active=False)
    return found


def staff_of(space: Space, role: str, login: str) -> User:
    found: User = StaffRoleFactory.create(user__username=login, space=space, role=role).user
    return found


OPEN = {"guests_may_book": True, "places": 6}


@dataclass
class Venue:
    """A space, and a row of each kind that an address or a form can name."""

    name: str
    member: User
    now: datetime

    def __post_init__(self) -> None:
        now = self.now
        self.space = open_space(
            slug=self.name.lower(), name=self.name, guests_may_book=True, places=6
        )
        self.host = staff_of(self.space, "HOST", f"{self.space.slug}-host")
        PolicyFactory.create(
            space=self.space, check_in_opens_minutes=30, step_minutes=15, cancel_deadline_minutes=0
        )
        desks = self.space.places.by_number()
        self.begun = self.of_member(desks[0], now - QUARTER)
        self.missed = self.of_member(desks[0], now - 2 * HOUR)
        self.ahead = self.of_member(desks[0], now + DAY)
        self.visit = self.of_guest(desks[1], "Anna", now - QUARTER)
        self.later = self.of_guest(desks[1], "Anna", now + DAY)
        self.arrived = self.of_guest(desks[2], "Olga", now - QUARTER)
        visits.no_show(self.missed, by=self.host, now=now - HOUR)
        visits.arrive(self.arrived, by=self.host, now=now)
        self.walk_in = visits.walk_in(
            desks[3], party_size=1, ends_at=now + HOUR, by=self.host, now=now
        )
        name = f"Anna of {self.name}"
        self.waiting = add(self.space, name, party_size=1, by=self.host, now=now)
        self.told = told(desks[5], name, party_size=1, by=self.host, now=now)
        self.desk, self.free = desks[0], desks[4]
        self.rows = self._rows()

    def of_member(self, place: Place, starts_at: datetime) -> Booking:
        return book(place, self.member, self.now - DAY, starts_at, length=1)

    def of_guest(self, place: Place, name: str, starts_at: datetime) -> Booking:
        about = {
            "guest_name": f"{name} of {self.name}",
            "guest_contact": f"{name}-{self.name}@example.org".lower(),
        }
        return book(place, None, self.now - DAY, starts_at, length=1, by=self.host, **about)

    def link_to(self, booking: Booking) -> GuestLink:
        return links.link_of(booking, now=self.now)

    def _rows(self) -> dict[str, Any]:
        now, space = self.now, self.space
        feed = feeds.make(self.member, space=None, place=None, now=now)
        webhook = WebhookFactory.create(space=space)
        fan_out(now=now)
        address = f"new-{space.slug}@example.org"
        invited = invitations.invite(address, role="HOST", space=space, by=self.host, now=now)
        yearly = {"month": 5, "day": 9, "reason": "Spring", "closed_through": now.year}
        return {
            "space": space,
            "place": self.desk,
            "booking": self.begun,
            "member": self.member,
            "guest": self.visit.guest,
            "guestlink": self.link_to(self.visit),
            "waitingparty": self.told,
            "feed": feed,
            "apitoken": issue(self.member, now=now)[0],
            "passkey": passkey_of(self.member, now=now),
            "endpoint": webhook,
            "delivery": webhook.deliveries.get(event__booking=self.begun),
            "doorview": screen_at_a_door(space, now),
            "invitation": invited,
            "tier": TierFactory.create(space=space, name="Part-time"),
            "combination": seated(space),
            "yearly": YearlyClosure.objects.create(space=space, **yearly),
        }
