"""What somebody wants to book."""

from dataclasses import dataclass, fields
from datetime import datetime

from accounts.models import User
from bookings.guests import Guest
from bookings.models import Booking
from bookings.states import State
from spaces.models import Place, Space
from spaces.slots import Period


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A place from one aware instant to another, for a member or (None) a guest.

    A wish sent again with the same `(member, request_key)` is the same wish.
    """

    place: Place
    member: User | None
    starts_at: datetime
    ends_at: datetime
    party_size: int = 1
    request_key: str | None = None
    note: str = ""
    guest_name: str = ""
    guest_contact: str = ""
    guest: Guest | None = None
    channel: Booking.Channel = Booking.Channel.PAGE

    @property
    def period(self) -> Period:
        return Period(self.starts_at, self.ends_at)

    def booking(self, state: State, *, now: datetime) -> Booking:
        """Return the row that the wish becomes, unsaved."""
        return Booking(
            place=self.place,
            member=self.member,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            party_size=self.party_size,
            request_key=self.request_key or None,
            note=self.note,
            guest_name=self.guest_name,
            guest_contact=self.guest_contact,
            guest=self.guest,
            channel=self.channel,
            state=state,
            created_at=now,
        )


@dataclass(frozen=True, kw_only=True)
class PartyWish:
    """A party and a time in a space, for a member or (None) a guest; which place is all the same.

    Without an end, the house's turn time counts. `kind` is that of most places unless it is given.
    """

    space: Space
    member: User | None
    starts_at: datetime
    ends_at: datetime | None = None
    party_size: int = 1
    kind: str = ""
    features: tuple[str, ...] = ()
    area: str = ""
    request_key: str | None = None
    note: str = ""
    guest_name: str = ""
    guest_contact: str = ""
    guest: Guest | None = None
    channel: Booking.Channel = Booking.Channel.PAGE

    @classmethod
    def like(cls, wish: Wish) -> "PartyWish":
        """Return the wish for any place of the same kind."""
        shared = {each.name for each in fields(Wish)} & {each.name for each in fields(cls)}
        values = {name: getattr(wish, name) for name in shared}
        return cls(space=wish.place.space, kind=wish.place.kind, **values)

    def at(self, place: Place, period: Period) -> Wish:
        """Return the wish for one place."""
        shared = {each.name for each in fields(Wish)} & {each.name for each in fields(self)}
        values = {name: getattr(self, name) for name in shared - {"starts_at", "ends_at"}}
        return Wish(place=place, starts_at=period.starts_at, ends_at=period.ends_at, **values)
