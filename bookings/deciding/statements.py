"""The hot statements of deciding, composed once per process: see `accounts.prepared`.

A test compares each with the ORM's own answer on both databases.
"""

from functools import cache
from typing import Any

from django.db import models
from django.db.models import BigIntegerField, CharField, DateTimeField, Max, Subquery, UUIDField

from accounts import people
from accounts.models import User
from accounts.prepared import Change, Insert, prepared, prepared_delete, prepared_update
from bookings.models import BookedSlot, Booking, BookingEvent
from spaces.models import Place, Space

KEY = BigIntegerField()
MOMENT = DateTimeField()

# --- Locks ----------------------------------------------------------------------------------------

#: Locks a member; returns `is_active`, as it is after the wait.
LOCK_MEMBER = prepared(
    lambda member: (
        User.objects.select_for_update(no_key=True)
        .filter(pk=member)
        .values_list("is_active", flat=True)
    ),
    member=KEY,
)

#: Locks places in the order of their keys; returns key, space and code as they are after the wait.
LOCK_PLACES = prepared(
    lambda places: (
        Place.objects.select_for_update(no_key=True)
        .filter(pk__in=places)
        .order_by("pk")
        .values_list("pk", "space", "code")
    ),
    places=[KEY],
)

#: Locks a booking; returns it as it is after the wait.
LOCK_BOOKING = prepared(
    lambda booking: Booking.objects.select_for_update(no_key=True).filter(pk=booking), booking=KEY
)

# --- What the decision reads, under the locks -----------------------------------------------------

#: What a decision needs of a space and a member: each stamp of the set-up, the keys of the member's
#: groups, and the kinds of places of the member's upcoming bookings there, except one.
GROUND = prepared(
    lambda space, member, but, now: Space.objects.filter(pk=space).values_list(
        "stamps__stamp",
        people.groups_of(member),
        Subquery(
            Booking.objects.of(member)
            .in_space(space)
            .exclude(pk=but)
            .upcoming(now)
            .kinds_as_text()
            .values("kinds")
        ),
    ),
    space=KEY,
    member=KEY,
    but=KEY,
    now=MOMENT,
)

#: A member's no-shows in a space that count: the kind of place, and when each would have begun.
MISSED = prepared(
    lambda space, member, since: (
        Booking.objects.of(member)
        .in_space(space)
        .missed_since(since)
        .order_by("pk")
        .values_list("place__kind", "starts_at")
    ),
    space=KEY,
    member=KEY,
    since=MOMENT,
)

#: What a member's request with this key became.
EARLIER = prepared(
    lambda member, key: (
        Booking.objects.with_place().filter(member=member, request_key=key).order_by("pk")[:1]
    ),
    member=KEY,
    key=CharField(),
)

#: The same for a guest's.
EARLIER_OF_GUEST = prepared(
    lambda key: (
        Booking.objects.with_place().filter(member=None, request_key=key).order_by("pk")[:1]
    ),
    key=CharField(),
)

#: The number of a booking's last event; None without one.
LAST_SEQUENCE = prepared(
    lambda booking: (
        BookingEvent.objects.filter(booking=booking)
        .order_by()
        .values("booking")
        .annotate(last=Max("sequence"))
        .values_list("last", flat=True)
    ),
    booking=KEY,
)

#: A member's booking, with its place and space.
OWN = prepared(
    lambda member, code: Booking.objects.of(member).with_place().filter(code=code),
    member=KEY,
    code=UUIDField(),
)

#: A member's booking that has a place for part of a period.
OWN_IN_THE_WAY = prepared(
    lambda member, place, starts_at, ends_at: (
        Booking.objects.of(member)
        .occupying()
        .filter(place=place, starts_at__lt=ends_at, ends_at__gt=starts_at)
        .order_by("starts_at")[:1]
    ),
    member=KEY,
    place=KEY,
    starts_at=MOMENT,
    ends_at=MOMENT,
)

# --- What it writes -------------------------------------------------------------------------------

#: Unless the request key was used before.
INSERT_BOOKING = Insert(Booking, ignore_conflicts=True)

#: Those that nobody has.
INSERT_SLOTS = Insert(BookedSlot, ignore_conflicts=True)

INSERT_EVENT = Insert(BookingEvent)

DELETE_SLOTS = prepared_delete(
    lambda booking: BookedSlot.objects.filter(booking=booking), booking=KEY
)


@cache
def update_booking(
    states: tuple[str, ...],
    seen: tuple[str, ...],
    unseen: tuple[str, ...],
    new: tuple[str, ...],
) -> Change:
    """Return the UPDATE of a booking that is still in one of these states.

    Its fields `seen` must have the values of these names, `unseen` ones must be empty; the fields
    `new` get the values called `new_...`.
    """

    def compose(pk: Any, **values: Any) -> tuple[models.QuerySet[Booking], dict[str, Any]]:
        found = Booking.objects.filter(
            pk=pk,
            state__in=states,
            **{name: values[name] for name in seen},
            **{f"{name}__isnull": True for name in unseen},
        )
        return found, {name: values[f"new_{name}"] for name in new}

    field = Booking._meta.get_field
    fields: dict[str, Any] = {name: field(name) for name in seen}
    fields |= {f"new_{name}": field(name) for name in new}
    return prepared_update(compose, pk=KEY, **fields)
