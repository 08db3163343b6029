"""What a violation means, how it may have come about, and what to do, for whoever runs a site."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, Max, Q
from django.db.models.functions import Coalesce

from bookings.deciding import schema
from bookings.deciding.invariants import Violation
from bookings.deciding.repairing import Repair, repair_slots
from bookings.models import Booking

#: So many bookings are named; a quota can concern many.
MOST_NAMED = 20


@dataclass(frozen=True)
class Explanation:
    """One kind of violation in plain English."""

    means: str
    cause: str
    advice: str


BY_REPAIR = "Safe to repair: run manage.py check_bookings --repair."

#: For a check that came without its own: it must not keep the others from being explained.
UNKNOWN = Explanation(
    "Something that the site relies on does not hold; the line above says what.",
    "No cause is known yet.",
    "A person must decide. Nothing is repaired. Please report it, so that it gets an explanation.",
)

#: By the kind of a violation. An app adds those of its own checks when it is ready.
EXPLANATIONS = {
    "doubled": Explanation(
        "Two bookings hold one place at the same time. Two people may come.",
        "The constraint booked_slot_once was missing for a while, or rows were written by hand.",
        "A person must decide. Nothing is repaired.",
    ),
    "slots missing": Explanation(
        "The booking holds its place, but the rows that keep others out are not all there: "
        "somebody else can book the same time.",
        "Rows were deleted by hand, or a table was restored from an older backup than the others.",
        f"{BY_REPAIR} It adds the rows if the slots are free; otherwise a person must decide.",
    ),
    "slots foreign": Explanation(
        "The booking keeps a place or a time that it does not have: nobody can book it.",
        "The booking's row was changed by hand, or the tables come from different backups.",
        f"{BY_REPAIR} It removes the rows that the booking does not need.",
    ),
    "slots stored twice": Explanation(
        "The same slot is stored twice for one booking. Nobody is harmed yet, but the constraint "
        "booked_slot_once cannot be put back.",
        "The constraint was missing while rows were loaded twice.",
        f"{BY_REPAIR} It keeps the first row of each slot.",
    ),
    "slots left over": Explanation(
        "The booking is over, cancelled or was refused, yet still keeps its place: nobody can "
        "book that time.",
        "The state was changed by hand, or the tables come from different backups.",
        f"{BY_REPAIR} It removes the rows, so that the place is free again.",
    ),
    "leases": Explanation(
        "The row says that somebody is deciding this booking and, at the same time, that nobody "
        "is.",
        "The row was changed by hand.",
        "A person must decide: read the booking's history and correct its row by hand.",
    ),
    "hold": Explanation(
        "A table is held, and no party at the door was told of it: nobody can say yes to it, and "
        "nobody else can have it until the hold ends.",
        "Rows of the waiting list were deleted or changed by hand.",
        "A worker gives it back when the minutes to answer are over. To have it free at once, "
        "cancel it on the staff's page of the day.",
    ),
    "told": Explanation(
        "A party at the door was told that a table is ready, and none is held for it.",
        "The booking's or the party's row was changed by hand.",
        "A person must decide: find the party another table, or take it off the list. Its Yes is "
        "refused; nobody else is harmed.",
    ),
    "events": Explanation(
        "The booking's history does not lead to what its row says: an event is missing or was "
        "changed. The row and the slots decide who has the place; the history does not.",
        "Events were deleted by hand, a row was changed by hand, or the tables come from different "
        "backups.",
        "An event cannot be made up: nobody knows who did what, and when. Mail, webhooks, Kafka "
        "and readers of the API's events never hear of the missing one, and think the booking is "
        "as the last event before it says; the next change brings the whole booking up to date. "
        "Look for the event in a backup. If there is none, tell the member and the receivers "
        "what the row says now, and write down that this booking stays on the list.",
    ),
    "request": Explanation(
        "One request became several bookings: a repeated click or call was not recognised.",
        "The constraint booking_request_key_once was missing for a while.",
        "A person must decide: ask the member which one is meant, and cancel the others.",
    ),
    "quota": Explanation(
        "A member has more upcoming bookings than the space's policy allows.",
        "Bookings or policies were written by hand, past the services.",
        "A person must decide: raise the limit, or cancel some after asking the member.",
    ),
    "hours": Explanation(
        "A member has more hours of one day than the space's policy allows.",
        "Bookings or policies were written by hand, past the services.",
        "A person must decide: raise the limit, or cancel some after asking the member.",
    ),
    "pacing": Explanation(
        "More people begin in one quarter hour than the shift allows.",
        "Bookings were written by hand, past the services.",
        "A person must decide: raise the shift's limit, or move some after asking the guests.",
    ),
    "set-up": Explanation(
        "Web processes don't see changes of a space's set-up.",
        "The database was restored without its triggers.",
        "Run manage.py migrate: it puts the trigger back. No booking is changed.",
    ),
    "schema": Explanation(
        "The database no longer enforces what the site relies on. Without booked_slot_once, two "
        "members can get one place.",
        "The database was restored without it, or somebody dropped it.",
        "Stop the site's writers if it is a constraint, repair what else is listed, then put it "
        "back.",
    ),
}

#: What mends a kind of violation, and is safe to run at any time.
REPAIRS: dict[str, Callable[[Violation, datetime], Repair]] = {
    "slots missing": repair_slots,
    "slots foreign": repair_slots,
    "slots stored twice": repair_slots,
    "slots left over": repair_slots,
}


def explained(violation: Violation) -> Iterator[str]:
    """Yield the lines that follow a violation."""
    explanation = EXPLANATIONS.get(violation.kind, UNKNOWN)
    yield f"What it means: {explanation.means}"
    yield f"How it may have come about: {explanation.cause}"
    if violation.about is not None:
        yield from _affected(violation.about)
    yield f"What to do: {explanation.advice}"
    if violation.kind == "doubled" and violation.about is not None:
        yield from _who_keeps_it(violation.about)
    if violation.kind == "schema":
        sql = schema.statement(connection, violation.subject)
        yield f"Put it back: {sql}" if sql else "SQLite: restore the database file from a backup."


def _affected(about: Q) -> Iterator[str]:
    found = Booking.objects.filter(about).with_person().order_by("starts_at", "pk").distinct()
    for booking in found[:MOST_NAMED]:
        yield f"Affected: {_described(booking)}"
    if (rest := found.count() - MOST_NAMED) > 0:
        yield f"Affected: {rest} more"


def _described(booking: Booking) -> str:
    space = booking.place.space
    start, end = (at.astimezone(space.zone) for at in (booking.starts_at, booking.ends_at))
    who = booking.member.username if booking.member else f"guest {booking.guest_name}"
    return (
        f"{booking.code}, {booking.place} in {space}, {start:%Y-%m-%d %H:%M} to "
        f"{end:%Y-%m-%d %H:%M} ({space.zone.key}), {booking.state}, {who}"
    )


def _who_keeps_it(about: Q) -> Iterator[str]:
    """Name the one that got the place first, and how to cancel the others."""
    arrived = Max("events__at", filter=Q(events__kind__in=["CONFIRMED", "MOVED"]))
    found = Booking.objects.filter(about).annotate(
        since=Coalesce(arrived, F("decided_at"), F("created_at"))
    )
    first, *others = found.order_by("since", "pk")
    yield f"{first.code} keeps the place: it has had it since {first.since.isoformat()}."
    for other in others:
        yield (
            f"Find {other.code} another place, or cancel it with a reason in the admin: "
            f"/admin/bookings/booking/{other.pk}/change/"
        )
