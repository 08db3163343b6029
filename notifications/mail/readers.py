"""Who reads a mail about a booking: its member, or a guest without an account."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.conf import settings
from django.urls import reverse

from accounts.models import User
from bookings.deciding import links
from bookings.deciding.knowing import contacts
from bookings.models import Booking, BookingEvent


@dataclass(frozen=True)
class Reader:
    email: str
    language: str
    #: None for a guest.
    member: User | None
    #: The reader's own page of the booking.
    ticket: str
    #: The reader's page of what Mesto writes; guests have none.
    settings: str = ""

    @classmethod
    def of_member(cls, booking: Booking, member: User) -> Self:
        return cls(
            email=member.email,
            # What their browser asks for isn't known here.
            language=member.language or settings.LANGUAGE_CODE,
            member=member,
            ticket=booking.get_absolute_url(),
            settings=reverse("notifications"),
        )

    @classmethod
    def of_guest(cls, booking: Booking, *, now: datetime) -> Self | None:
        """Return a guest who gave an e-mail address; the link is made unless there is one."""
        _phone, email = contacts(booking.guest_contact)
        if not email:
            return None
        link = links.link_of(booking, now=now)
        language = link.language or settings.LANGUAGE_CODE
        return cls(email=email, language=language, member=None, ticket=links.path_of(link))

    def did(self, event: BookingEvent) -> bool:
        """Tell whether an event is the reader's own doing."""
        if self.member is None:
            return event.by_guest
        return event.actor_id == self.member.pk


def reader_of(
    booking: Booking | None, members: Mapping[int, User], *, now: datetime
) -> Reader | None:
    """Return who reads about a booking; None when there is nobody to write to."""
    if booking is None:
        return None
    if booking.member_id is None:
        return Reader.of_guest(booking, now=now)
    member = members.get(booking.member_id)
    return Reader.of_member(booking, member) if member else None


def members_of(bookings: Collection[Booking | None]) -> dict[int, User]:
    """Return the members of bookings by their keys, in one query."""
    keys = {
        booking.member_id
        for booking in bookings
        if booking is not None and booking.member_id is not None
    }
    return {user.pk: user for user in User.objects.filter(pk__in=keys)}
