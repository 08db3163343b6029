"""What a program requests, parsed into what the services take."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.api.problems import FORBIDDEN, INVALID, ApiProblem
from accounts.models import User
from bookings.api.problems import SLOT_TAKEN, problem_of
from bookings.api.schemas import BookingChange, BookingIn, BookingOut
from bookings.deciding import services
from bookings.deciding.details import Details
from bookings.deciding.errors import BookingError, SlotTaken
from bookings.deciding.wish import Wish
from bookings.models import Booking
from bookings.states import State
from bookings.words.representation import booking_data
from spaces.models import Place, Space


@dataclass(frozen=True)
class Asked:
    """Who is asking, and for what."""

    by: User
    wish: Wish


def read(content: BookingIn, *, by: User, request_key: str | None) -> Asked:
    """Find the place and the person. Raises ApiProblem: unknown ones, or not staff of the space."""
    place = find_place(content.place)
    login = by.username if content.member is None else User.normalize_username(content.member)
    member: User | None = by
    if login != by.username or content.guest_name:
        if not Space.objects.run_by(by).filter(pk=place.space_id).exists():
            raise ApiProblem(FORBIDDEN, _("Only the staff of the space may book for others."))
        member = None if content.member is None else find_member(content.member)
    what = content.model_dump(exclude={"place", "member"})
    wish = Wish(
        place=place,
        member=member,
        request_key=request_key,
        channel=Booking.Channel.API,
        **what,
    )
    return Asked(by, wish)


def find_member(login: str) -> User:
    login = User.normalize_username(login)
    member = User.objects.filter(username=login, is_active=True).first()
    if member is None:
        raise _invalid("body.member", _("Nobody has this login."))
    return member


def find_place(code: UUID) -> Place:
    place = Place.objects.select_related("space").filter(code=code).first()
    if place is None:
        raise _invalid("body.place", _("There is no such place."))
    return place


def details(content: BookingChange, booking: Booking) -> Details:
    """Parse a booking's details. Raises ApiProblem: only a guest's booking has a guest."""
    found = Details(**content.model_dump(include={"note", "guest_name", "guest_contact"}))
    if booking.member_id is not None:
        for name in ("guest_name", "guest_contact"):
            if getattr(found, name) is not None:
                raise _invalid(f"body.{name}", _("This booking is a member's; it has no guest."))
    return found


def _invalid(field: str, message: str) -> ApiProblem:
    return ApiProblem(INVALID, message, errors=[{"field": field, "message": message}])


def book(asked: Asked, *, now: datetime) -> Booking:
    """Have a booking decided now. Raises ApiProblem when it isn't confirmed."""
    booking = None
    try:
        booking = services.book(asked.wish, by=asked.by, now=now)
        if booking.state == State.REJECTED:
            raise SlotTaken(str(SLOT_TAKEN.title))
    except BookingError as error:
        raise refusal(error, asked.wish, now=now, booking=booking) from error
    return booking


def accept(asked: Asked, *, now: datetime) -> Booking:
    """Queue a booking for decision. Raises ApiProblem for what can never be a booking."""
    try:
        return services.request(asked.wish, by=asked.by, now=now)
    except BookingError as error:
        raise refusal(error, asked.wish, now=now) from error


def refusal(
    error: BookingError, wish: Wish, *, now: datetime, booking: Booking | None = None
) -> ApiProblem:
    return problem_of(
        error,
        wish.place,
        wish.period,
        member=wish.member,
        party_size=wish.party_size,
        now=now,
        booking=booking,
    )


def shown(booking: Booking) -> BookingOut:
    """Return a booking, loaded `with_person`, as its member and the staff see it."""
    return {
        **booking_data(booking),
        "member": booking.member.username if booking.member else None,
        "guest_name": booking.guest_name,
        "guest_contact": booking.guest_contact,
    }
