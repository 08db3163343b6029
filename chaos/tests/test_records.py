"""What plain SQL reads is what the models say."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group

from accounts.models import IdempotencyKey
from bookings.models import BookedSlot, Booking
from bookings.tests.acts import TEN, book, hours
from chaos import records
from chaos.checker import Slot
from spaces.factories import PlaceFactory, PolicyFactory
from spaces.models import Place, Policy
from spaces.services import set_parts

pytestmark = pytest.mark.usefixtures("in_this_transaction")


def test_bookings_and_slots_are_read(desk, alice, now):
    made = book(desk, alice, now, request_key="k")
    [read], slots = records.read("")
    row = Booking.objects.get()
    assert (read.code, read.member, read.key, read.place) == (made.code, alice.pk, "k", desk.pk)
    assert (read.starts_at, read.ends_at, read.decided_at) == (row.starts_at, row.ends_at, now)
    assert set(slots) == {Slot(s.booking_id, s.place_id, s.slot) for s in BookedSlot.objects.all()}


def test_a_key_is_the_one_that_a_program_sent(desk, alice, now):
    claims = [
        IdempotencyKey.objects.create(
            user=alice, key=key, fingerprint="", created_at=now, started_at=now
        )
        for key in ("one", "two")
    ]
    one, two = (f"api:{claim.code}" for claim in claims)
    for n, key in enumerate((one, f"{two}:7", "api:a person typed this")):
        book(desk, alice, now, TEN + hours(2 * n), request_key=key)
    bookings, _slots = records.read("")
    assert [each.key for each in bookings] == ["one", "two:7", "api:a person typed this"]


def test_composites_have_their_innermost_parts(space):
    one, two, three = space.places.order_by("number")
    half = PlaceFactory.create(space=space, number=10)
    hall = PlaceFactory.create(space=space, number=11)
    set_parts(half, [one, two])
    set_parts(hall, [half, three])
    assert records.leaves("") == {half.pk: [one.pk, two.pk], hall.pk: [one.pk, two.pk, three.pk]}


def test_quotas_say_whom_they_bind_and_where(space, alice, now):
    room = PlaceFactory.create(space=space, number=10, kind=Place.Kind.ROOM)
    PlaceFactory.create()  # elsewhere
    friends = Group.objects.create(name="Friends")
    alice.groups.add(friends)
    PolicyFactory.create(space=space, max_upcoming=3)
    PolicyFactory.create(space=space, max_upcoming=1, kind=Place.Kind.ROOM, group=friends)
    PolicyFactory.create(space=space, step_minutes=30)
    Policy.objects.update(changed_at=now - timedelta(days=1))
    everywhere, rooms = records.quotas("")
    assert (everywhere.most, everywhere.members) == (3, None)
    assert everywhere.places == frozenset(space.places.values_list("pk", flat=True))
    assert (rooms.most, rooms.places, rooms.members) == (
        1,
        frozenset({room.pk}),
        frozenset({alice.pk}),
    )
    assert everywhere.since == rooms.since == now - timedelta(days=1)
