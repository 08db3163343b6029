"""No-shows that count: after some of them a member can't book for a while; the staff forgive."""

from datetime import timedelta

import pytest

from bookings.deciding import undoing, visits
from bookings.deciding.errors import NotStaff, Refused, WrongState
from bookings.deciding.invariants import violations
from bookings.deciding.no_shows import forgive
from bookings.deciding.queueing import decide_next
from bookings.models import Booking
from bookings.tests.acts import TEN, ask, book, codes, hours, move
from spaces.factories import PlaceFactory, PolicyFactory, open_space

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def policy(space):
    return PolicyFactory.create(space=space, max_no_shows=2, no_show_days=30)


def miss(place, member, host, day=0):
    """Book for one of these days and don't come."""
    starts_at = TEN + day * DAY
    booking = book(place, member, starts_at - hours(3), starts_at)
    return visits.no_show(booking, by=host, now=starts_at + hours(1))


@pytest.fixture
def missed(policy, desk, alice, host):
    return [miss(desk, alice, host, day) for day in (0, 2)]


def refused(place, member, now):
    with pytest.raises(Refused) as found:
        book(place, member, now, now + hours(2))
    assert Booking.objects.count() == 2
    return found


def test_after_so_many_a_member_cannot_book_for_a_while(missed, desk, alice):
    found = refused(desk, alice, TEN + 3 * DAY)
    assert codes(found) == ["too_many_no_shows"]
    assert str(found.value) == "2 no-shows in 30 days: no booking here before Sat 26 Dec."
    refused(desk, alice, TEN + 29 * DAY + hours(20))
    assert book(desk, alice, TEN + 30 * DAY, TEN + 30 * DAY + hours(2)).occupies


def test_one_fewer_is_no_matter(policy, desk, alice, bob, host):
    miss(desk, alice, host)
    miss(desk, bob, host, 1)
    assert book(desk, alice, TEN + 2 * DAY, TEN + 2 * DAY + hours(2)).occupies


def test_elsewhere_and_for_other_kinds_it_does_not_count(space, missed, policy, alice):
    other = open_space(slug="other").places.first()
    PolicyFactory.create(space=other.space, max_no_shows=1, no_show_days=30)
    assert book(other, alice, TEN + 3 * DAY, TEN + 4 * DAY).occupies
    policy.kind = "ROOM"
    policy.save()
    room = PlaceFactory.create(space=space, kind="ROOM", number=9)
    assert book(room, alice, TEN + 3 * DAY, TEN + 4 * DAY).occupies


def test_the_strictest_rule_counts(space, missed, desk, alice):
    PolicyFactory.create(space=space, max_no_shows=1, no_show_days=7)
    refused(desk, alice, TEN + 3 * DAY)
    PolicyFactory.create(space=space, max_no_shows=1, no_show_days=90)
    refused(desk, alice, TEN + 60 * DAY)


def test_the_queue_obeys_it_too(missed, desk, alice):
    now = TEN + 3 * DAY
    booking = ask(desk, alice, now, now + hours(2))
    decide_next(now=now)
    booking.refresh_from_db()
    assert (booking.state, booking.problems) == ("REJECTED", ["too_many_no_shows"])


def test_what_is_booked_stays_and_can_be_moved(policy, desk, alice, host):
    kept = book(desk, alice, TEN - DAY, TEN + 5 * DAY)
    for day in (0, 2):
        miss(desk, alice, host, day)
    assert move(kept, TEN + 3 * DAY, TEN + 6 * DAY).occupies


def test_the_staff_forgive_and_say_why(missed, desk, alice, host):
    now = TEN + 3 * DAY
    forgiven = forgive(missed[0], reason=" Was ill ", by=host, now=now)
    assert (forgiven.state, forgiven.forgiven_at) == ("NO_SHOW", now)
    event = forgiven.events.latest("sequence")
    assert (event.kind, event.reason, event.actor) == ("FORGIVEN", "Was ill", host)
    assert list(violations(now=now)) == []
    assert book(desk, alice, now, now + hours(2)).occupies
    with pytest.raises(WrongState):
        forgive(missed[0], reason="Again", by=host, now=now)


def test_forgiving_needs_a_reason_a_no_show_and_staff(policy, missed, desk, alice, host):
    with pytest.raises(Refused):
        forgive(missed[0], reason=" ", by=host, now=TEN)
    with pytest.raises(NotStaff):
        forgive(missed[0], reason="Me", by=alice, now=TEN)
    other = book(desk, alice, TEN + 40 * DAY, TEN + 41 * DAY)
    with pytest.raises(WrongState):
        forgive(other, reason="Why not", by=host, now=TEN)


def test_an_undone_no_show_does_not_count(policy, desk, alice, host):
    miss(desk, alice, host)
    other = miss(desk, alice, host, 2)
    undoing.undo(other, event=2, by=host, now=TEN + 2 * DAY + hours(1))
    assert book(desk, alice, TEN + 3 * DAY, TEN + 4 * DAY).occupies
