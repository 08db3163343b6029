"""What a program requests, parsed into what the services take."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.api import scopes
from accounts.api.problems import FORBIDDEN, INVALID, ApiProblem
from accounts.api.requests import SignedInProgramRequest
from accounts.models import User
from bookings.api.problems import SLOT_TAKEN, problem_of
from bookings.api.schemas import BookingChange, BookingIn, BookingOut
from bookings.deciding import choosing, lengths, services
from bookings.deciding.details import Details
from bookings.deciding.errors import BookingError, SlotTaken
from bookings.deciding.wish import PartyWish, Wish
from bookings.models import Booking
from bookings.states import State
from bookings.words.representation import booking_data
from spaces import setups
from spaces.models import Place, Space
from spaces.slots import Period


@dataclass(frozen=True)
class Asked:
    """Who is asking, and for what."""

    by: User
    wish: Wish | PartyWish


def read(content: BookingIn, request: SignedInProgramRequest, *, request_key: str | None) -> Asked:
    """Find the place and the person.

    Raises ApiProblem: unknown ones, not staff of the space, or a token for less than that.
    """
    by = request.user
    place = None if content.place is None else find_place(content.place)
    space = find_space(content.space) if place is None else place.space
    scopes.require_space(request, space.pk, space.slug)
    login = by.username if content.member is None else User.normalize_username(content.member)
    member: User | None = by
    if login != by.username or content.guest_name:
        if not Space.objects.run_by(by).filter(pk=space.pk).exists():
            raise ApiProblem(FORBIDDEN, _("Only the staff of the space may book for others."))
        scopes.require(request, "manage")
        member = None if content.member is None else find_member(content.member)
    if place is not None:
        return Asked(by, one_place(content, place, member, request_key))
    wish = PartyWish(
        space=space,
        member=member,
        request_key=request_key,
        channel=Booking.Channel.API,
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        party_size=content.party_size,
        features=tuple(feature.value for feature in content.features),
        area=content.area,
        note=content.note,
        guest_name=content.guest_name,
        guest_contact=content.guest_contact,
    )
    return Asked(by, wish)


def one_place(
    content: BookingIn, place: Place, member: User | None, request_key: str | None
) -> Wish:
    """Return the wish for a place; without an end, it is as long as the house gives a party."""
    return Wish(
        place=place,
        member=member,
        request_key=request_key,
        channel=Booking.Channel.API,
        starts_at=content.starts_at,
        ends_at=content.ends_at or _until(place, member, content),
        party_size=content.party_size,
        note=content.note,
        guest_name=content.guest_name,
        guest_contact=content.guest_contact,
    )


def _until(place: Place, member: User | None, content: BookingIn) -> datetime:
    """Return the end of what has only a start."""
    venue = setups.current(place.space_id).venue_for(member, timezone.now())
    return lengths.until(venue, place.kind, content.starts_at, content.party_size).ends_at


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


def find_space(slug: str | None) -> Space:
    """Return a space that members can see. Raises ApiProblem."""
    setup = setups.shown(slug or "")
    if setup is None or not setup.bookable:
        raise _invalid("body.space", _("There is no such space."))
    return setup.space


def details(content: BookingChange, booking: Booking) -> Details:
    """Parse a booking's details. Raises ApiProblem: only a guest's booking has a guest."""
    found = Details(**content.model_dump(include={"note", "guest_name", "guest_contact"}))
    if booking.member_id is not None:
        for name in ("guest_name", "guest_contact"):
            if getattr(found, name) is not None:
                raise _invalid(f"body.{name}", _("This booking is a member’s; it has no guest."))
    return found


def _invalid(field: str, message: str) -> ApiProblem:
    return ApiProblem(INVALID, message, errors=[{"field": field, "message": message}])


def book(asked: Asked, *, now: datetime) -> Booking:
    """Have a booking decided now. Raises ApiProblem when it isn't confirmed."""
    booking = None
    try:
        if isinstance(asked.wish, PartyWish):
            booking = choosing.book_party(asked.wish, by=asked.by, now=now)
        else:
            booking = services.book(asked.wish, by=asked.by, now=now)
        if booking.state == State.REJECTED:
            raise SlotTaken(str(SLOT_TAKEN.title))
    except BookingError as error:
        raise refusal(error, asked.wish, now=now, booking=booking) from error
    return booking


def accept(asked: Asked, *, now: datetime) -> Booking:
    """Queue a booking for decision. Raises ApiProblem for what can never be a booking.

    What the house chooses is decided at once: it has no place to wait for.
    """
    if isinstance(asked.wish, PartyWish):
        return book(asked, now=now)
    try:
        return services.request(asked.wish, by=asked.by, now=now)
    except BookingError as error:
        raise refusal(error, asked.wish, now=now) from error


def refusal(
    error: BookingError,
    wish: Wish | PartyWish,
    *,
    now: datetime,
    booking: Booking | None = None,
) -> ApiProblem:
    if isinstance(wish, PartyWish):
        wish = _for_one_place(wish, now=now)
    return problem_of(
        error,
        wish.place,
        wish.period,
        member=wish.member,
        party_size=wish.party_size,
        now=now,
        booking=booking,
    )


def _for_one_place(wish: PartyWish, *, now: datetime) -> Wish:
    """Return the wish for the place that would be best, so that what is near it is offered."""
    setup = setups.current(wish.space.pk)
    venue = setup.venue_for(wish.member, now)
    kind = choosing.kind_of(setup)
    fitting = choosing.candidates(
        setup, venue, wish.party_size, features=wish.features, area=wish.area
    )
    place = next(iter(fitting or [p for p in setup.bookable if p.kind == kind]))
    period = lengths.until(venue, kind, wish.starts_at, wish.party_size)
    return wish.at(place, Period(wish.starts_at, wish.ends_at or period.ends_at))


def shown(booking: Booking) -> BookingOut:
    """Return a booking, loaded `with_person`, as its member and the staff see it."""
    return {
        **booking_data(booking),
        "member": booking.member.username if booking.member else None,
        "guest_name": booking.guest_name,
        "guest_contact": booking.guest_contact,
    }
