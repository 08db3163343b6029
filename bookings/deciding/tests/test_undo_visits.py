"""Taking back a slip of the hand: within seconds, by whoever did it, if the place is still free."""

from datetime import timedelta

import pytest

from accounts.factories import StaffRoleFactory
from bookings.deciding import links, services, undoing, visits
from bookings.deciding.details import Details
from bookings.deciding.errors import NotStaff, Refused, SlotTaken, TooLate, WrongState
from bookings.deciding.invariants import violations
from bookings.finding import happened
from bookings.guests import GuestLink
from bookings.models import Booking
from bookings.tests.acts import TEN, book, hours, move
from bookings.words.representation import booking_data, event_data
from spaces.factories import PolicyFactory

pytestmark = pytest.mark.django_db

TWELVE = TEN + hours(2)
SECOND = timedelta(seconds=1)


@pytest.fixture
def booking(desk, alice, now):
    return book(desk, alice, now, note="By the window")


def moved(booking, by, now):
    place = booking.place.space.places.get(number=2)
    details = Details(note="Nut allergy")
    return move(booking, now, TEN + hours(3), 1, place=place, by=by, details=details)


VERBS = {
    "arrive": visits.arrive,
    "seat": visits.seat,
    "leave": visits.leave,
    "no_show": visits.no_show,
    "cancel": services.cancel,
    "extend": lambda booking, **act: visits.extend(booking, ends_at=TWELVE + hours(1), **act),
    "move": moved,
}
LATER = ["leave", "extend", "move"]
POSSIBLE = [
    *(([], verb) for verb in VERBS),
    *((["arrive"], verb) for verb in ("seat", *LATER)),
    *((["arrive", "seat"], verb) for verb in LATER),
]


def last(booking):
    return booking.events.latest("sequence")


def undo(booking, by, at=TEN + SECOND):
    return undoing.undo(booking, event=last(booking).sequence, by=by, now=at)


@pytest.mark.parametrize(("before", "verb"), POSSIBLE)
def test_everything_is_as_it_was(booking, host, verb, before):
    for earlier in before:
        booking = VERBS[earlier](booking, by=host, now=TEN)
    was = booking_data(booking)
    VERBS[verb](booking, by=host, now=TEN)
    done = last(booking)
    undone = undo(booking, host)

    stored = Booking.objects.select_related("place__space").get(pk=booking.pk)
    assert booking_data(stored) == booking_data(undone) == was
    assert stored.booked_slots.count() == 8
    event = last(booking)
    assert (event.kind, event.actor, event.sequence) == ("UNDONE", host, done.sequence + 1)
    assert event_data(event)["undone"] == done.kind
    assert "undone" not in event_data(event)["booking"]
    assert list(violations(now=TEN)) == []


def test_a_second_press_changes_nothing(booking, host):
    visits.no_show(booking, by=host, now=TEN)
    for _ in range(2):
        undoing.undo(booking, event=2, by=host, now=TEN + SECOND)
    assert booking.events.count() == 3
    visits.arrive(booking, by=host, now=TEN)
    with pytest.raises(WrongState, match="since"):
        undoing.undo(booking, event=2, by=host, now=TEN + SECOND)


def test_after_some_seconds_it_stays(booking, host):
    visits.no_show(booking, by=host, now=TEN)
    late = TEN + visits.UNDO_ACCEPTED_FOR
    with pytest.raises(TooLate):
        undo(booking, host, late + SECOND)
    assert undo(booking, host, late).occupies


@pytest.mark.parametrize("verb", ["leave", "no_show", "cancel", "move"])
def test_who_has_the_place_by_now_keeps_it(booking, desk, bob, host, verb):
    VERBS[verb](booking, by=host, now=TEN)
    book(desk, bob, TEN, TEN + hours(1), 1)
    with pytest.raises(SlotTaken):
        undo(booking, host)
    assert last(booking).kind != "UNDONE"
    assert list(violations(now=TEN)) == []


def test_a_quota_that_is_used_up_meanwhile_holds(space, booking, desk, alice, host):
    PolicyFactory.create(space=space, max_upcoming=1)
    services.cancel(booking, by=host, now=TEN)
    book(space.places.get(number=3), alice, TEN, TWELVE)
    with pytest.raises(Refused):
        undo(booking, host)


def test_only_who_did_it_and_still_is_staff(space, booking, alice, host):
    visits.no_show(booking, by=host, now=TEN)
    colleague = StaffRoleFactory.create(space=space, role="HOST").user
    stranger = StaffRoleFactory.create(role="MANAGER").user
    for person in (alice, colleague, stranger):
        with pytest.raises(NotStaff):
            undo(booking, person)
    host.staff_roles.all().delete()
    with pytest.raises(NotStaff):
        undo(booking, host)


def test_what_nobody_or_the_member_did_stays(booking, alice, host, now):
    with pytest.raises(WrongState):
        undo(booking, host)  # it is booked
    services.cancel(booking, by=alice, now=now)
    with pytest.raises(NotStaff):
        undo(booking, host)
    for event in (0, 1, 7, 10**9):
        with pytest.raises(WrongState):
            undoing.undo(booking, event=event, by=host, now=TEN)


def test_the_whole_edit_is_taken_back_with_who_the_guest_is(space, desk, host, now):
    """A move that was saved together with another name and contact."""
    who = {"guest_name": "Rossi", "guest_contact": "rossi@example.org"}
    booking = book(desk, None, now, by=host, **who)
    link = links.link_of(booking, now=now)
    other = Details(guest_name="Verdi", guest_contact="verdi@example.org", note="Two now")
    moved = move(booking, now, TEN + hours(3), 1, by=host, details=other)
    assert (moved.guest_name, moved.guest.email) == ("Verdi", "verdi@example.org")
    undone = visits_undone(moved, host, now)
    stored = Booking.objects.select_related("guest").get(pk=booking.pk)
    for each in (undone, stored):
        assert (each.guest_name, each.guest_contact, each.note) == (*who.values(), "")
        assert (each.starts_at, each.guest.email) == (TEN, "rossi@example.org")
    assert not GuestLink.objects.filter(pk=link.pk, revoked_at=None).exists()
    assert last(booking).contact_before == {
        "guest_name": "Verdi",
        "guest_contact": "verdi@example.org",
    }
    told = [line.changes for line in happened.to_staff(stored, now=now)]
    assert happened.Change("Guest", "Rossi", "Verdi") in told[1]
    assert happened.Change("Guest", "Verdi", "Rossi") in told[2]
    assert list(violations(now=now)) == []


def visits_undone(booking, host, now):
    return undoing.undo(booking, event=last(booking).sequence, by=host, now=now + SECOND)
