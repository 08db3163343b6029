"""Mending what has only one right answer: the slots of a booking. See `manage.py check_bookings`.

A booking's row says what it holds; its slots follow from it. Everything is read again under the
locks that services take, so what changed since the check is never "repaired". Who of two
bookings keeps a place, and what happened without leaving an event, no program can know.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from bookings.deciding import schema
from bookings.deciding.invariants import Leaves, Violation
from bookings.deciding.statements import INSERT_SLOTS, LOCK_BOOKING, LOCK_PLACES
from bookings.deciding.transactions import transactional
from bookings.models import BookedSlot, Booking
from spaces.slots import slots


@dataclass(frozen=True)
class Repair:
    """What was done about a violation, and what must be decided by a person, if anything."""

    done: str = ""
    left: str = ""


class _NotFree(Exception):
    """Somebody took one of the slots meanwhile: nothing is kept."""


def repair_slots(violation: Violation, now: datetime) -> Repair:
    """Give a booking exactly the slots that its row asks for, if they are free."""
    try:
        return _repair_slots(violation.subject)
    except _NotFree:
        return Repair(left="Somebody took one of the missing slots meanwhile: nothing was changed.")


@transactional
def _repair_slots(code: str) -> Repair:
    seen = Booking.objects.filter(code=code).first()
    if seen is None:
        return Repair()
    # In the order of all services: places by key, then the booking.
    LOCK_PLACES.rows(places=[seen.place_id])
    booking = LOCK_BOOKING.first(booking=seen.pk)
    if booking is None or booking.place_id != seen.place_id:
        return Repair(left="It was moved a moment ago: check again.")
    wanted = _wanted(booking)
    rows = list(BookedSlot.objects.filter(booking=booking).order_by("pk"))
    first = {(row.place_id, row.slot): row.pk for row in reversed(rows)}
    extra = [
        row
        for row in rows
        if (row.place_id, row.slot) not in wanted or first[row.place_id, row.slot] != row.pk
    ]
    absent = sorted(wanted - first.keys())
    left = _what_forbids(booking, absent)
    BookedSlot.objects.filter(pk__in=[row.pk for row in extra]).delete()
    done = _told("removed", [(row.place_id, row.slot) for row in extra])
    if absent and not left:
        new = [BookedSlot(booking=booking, place_id=leaf, slot=slot) for leaf, slot in absent]
        if INSERT_SLOTS.many(new) != len(new):
            raise _NotFree
        done += _told("added", absent)
    return Repair("; ".join(done), left)


def _wanted(booking: Booking) -> set[tuple[int, datetime]]:
    if not booking.occupies:
        return set()
    leaves = Leaves()[booking.place_id]
    return {(leaf, slot) for leaf in leaves for slot in slots(booking.period)}


def _what_forbids(booking: Booking, absent: list[tuple[int, datetime]]) -> str:
    """Say why missing slots are not added; empty if they may be."""
    if not absent:
        return ""
    if "booked_slot_once" in schema.missing(connection):
        return "The constraint booked_slot_once is missing: nothing else decides who gets a slot."
    found = BookedSlot.objects.filter(
        place__in={leaf for leaf, _slot in absent}, slot__in={slot for _leaf, slot in absent}
    )
    rivals = {
        row.booking.code
        for row in found.exclude(booking=booking).select_related("booking")
        if (row.place_id, row.slot) in set(absent)
    }
    # And those that lack theirs, too.
    leaves = Leaves()
    there = Booking.objects.occupying().overlapping(booking.period).exclude(pk=booking.pk)
    for code, place in there.values_list("code", "place"):
        if leaves[place] & leaves[booking.place_id]:
            rivals.add(code)
    if rivals:
        codes = ", ".join(sorted(map(str, rivals)))
        return f"The slots are not free: {codes} has, or needs, them. A person must decide."
    return ""


def _told(verb: str, rows: Iterable[tuple[int, datetime]]) -> list[str]:
    listed = ", ".join(f"place {leaf} at {slot.isoformat()}" for leaf, slot in rows)
    return [f"{verb} {listed}"] if listed else []
