"""Each hot statement of deciding does what the ORM would, on either database."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db.models import Model

from accounts.prepared import Change, Insert, Prepared
from bookings.deciding import services, statements
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.states import State
from bookings.tests.acts import TEN, book, hours
from spaces.factories import PlaceFactory
from spaces.slots import Period

pytestmark = pytest.mark.django_db


def of_kind(kind):
    return sorted(name for name, value in vars(statements).items() if isinstance(value, kind))


@pytest.fixture
def scene(desk, alice, bob, now):
    """Some bookings of two people in two spaces, a guest's, and one that was cancelled."""
    alice.groups.set([Group.objects.create(name=name) for name in ("one", "two")])
    first = book(desk, alice, now, request_key="a", note="й", guest_name="")
    book(PlaceFactory(space=desk.space, number=20, kind="ROOM"), alice, now)
    book(desk, bob, now, starts_at=TEN + hours(2), request_key="a")
    lost = book(desk, bob, now, starts_at=TEN + hours(1))
    book(desk, None, now, TEN + hours(4), by=alice, guest_name="Ivan", request_key="g")
    gone = book(desk, alice, now, TEN + hours(6))
    services.cancel(gone, by=alice, now=now)
    missed = book(desk, alice, now, TEN + hours(8))
    missed.booked_slots.all().delete()
    Booking.objects.filter(pk=missed.pk).update(state="NO_SHOW")
    return {"first": first, "lost": lost, "gone": gone}


def cases(scene, desk, alice, bob, now):
    """Return the values to ask each statement with: some that find rows, and some that don't."""
    period = {"starts_at": TEN + hours(1), "ends_at": TEN + hours(8)}
    ground = {"space": desk.space_id, "but": 0, "now": now}
    first, gone = scene["first"], scene["gone"]
    return {
        "LOCK_MEMBER": [{"member": alice.pk}, {"member": 0}],
        "LOCK_PLACES": [
            {"places": [desk.pk]},
            {"places": list(desk.space.places.order_by("-pk").values_list("pk", flat=True))},
            {"places": [0]},
        ],
        "LOCK_BOOKING": [{"booking": first.pk}, {"booking": 0}],
        "GROUND": [
            ground | {"member": alice.pk},
            ground | {"member": alice.pk, "but": first.pk},
            ground | {"member": bob.pk, "now": now + timedelta(days=30)},
            ground | {"member": 0},
            ground | {"member": alice.pk, "space": 0},
        ],
        "MISSED": [
            {"space": desk.space_id, "member": alice.pk, "since": TEN},
            {"space": desk.space_id, "member": alice.pk, "since": TEN + hours(8)},
            {"space": desk.space_id, "member": bob.pk, "since": TEN},
        ],
        "EARLIER": [{"member": alice.pk, "key": "a"}, {"member": alice.pk, "key": "g"}],
        "EARLIER_OF_GUEST": [{"key": "g"}, {"key": "a"}],
        "LAST_SEQUENCE": [{"booking": gone.pk}, {"booking": first.pk}, {"booking": 0}],
        "OWN": [
            {"member": alice.pk, "code": first.code},
            {"member": bob.pk, "code": first.code},
        ],
        "OWN_IN_THE_WAY": [
            period | {"member": alice.pk, "place": desk.pk},
            period | {"member": alice.pk, "place": desk.pk, "starts_at": TEN + hours(2)},
            period | {"member": bob.pk, "place": desk.pk},
        ],
    }


@pytest.mark.parametrize("name", of_kind(Prepared))
def test_it_reads_what_the_orm_reads(name, scene, desk, alice, bob, now):
    statement = getattr(statements, name)
    answers = []
    for values in cases(scene, desk, alice, bob, now)[name] * 2:
        found = statement.rows(**values)
        assert list(map(plain, found)) == list(map(plain, statement.compose(**values)))
        answers.append(found)
    assert any(answers)


def plain(row):
    """Return a row's columns, and those of the rows that came with it."""
    if isinstance(row, tuple):  # the order in a text of several is the database's
        return [sorted(each.split(",")) if isinstance(each, str) else each for each in row]
    if not isinstance(row, Model):
        return row
    cached = row._state.fields_cache
    return {
        field.name: plain(cached[field.name])
        if field.name in cached
        else getattr(row, field.attname)
        for field in row._meta.concrete_fields
    }


def columns(rows, *without):
    names = [f.name for f in rows.model._meta.concrete_fields if f.name not in ("id", *without)]
    return list(rows.order_by("pk").values(*names))


@pytest.mark.parametrize("name", of_kind(Insert))
def test_it_writes_what_the_orm_writes(name, desk, alice, now):
    booking = Booking(
        place=desk,
        member=alice,
        starts_at=TEN,
        ends_at=TEN + hours(1),
        state=State.CONFIRMED,
        created_at=now,
        decided_at=now,
        problems=["slot_taken", "й"],
    )
    if name != "INSERT_BOOKING":
        booking.save()
    row = {
        "INSERT_BOOKING": booking,
        "INSERT_SLOTS": BookedSlot(booking=booking, place=desk, slot=TEN),
        "INSERT_EVENT": BookingEvent(
            booking=booking, sequence=1, kind="CONFIRMED", actor=alice, at=now, data={"at": now}
        ),
    }[name]
    assert getattr(statements, name).one(row)
    model = type(row)
    ours = columns(model.objects.all())
    model.objects.all().delete()
    row.pk = None
    row.save(force_insert=True)
    assert ours == columns(model.objects.all()) != []


@pytest.mark.parametrize("name", of_kind(Change))
def test_it_changes_what_the_orm_changes(name, scene, desk, now):
    assert name == "DELETE_SLOTS"
    first = scene["first"]
    others = columns(BookedSlot.objects.exclude(booking=first))
    assert statements.DELETE_SLOTS.run(booking=first.pk) == 8
    assert columns(BookedSlot.objects.all()) == others != []
    assert statements.DELETE_SLOTS.run(booking=first.pk) == 0


@pytest.mark.parametrize(
    ("states", "seen", "unseen"),
    [
        ((State.CONFIRMED,), {}, ()),
        ((State.REJECTED, State.CONFIRMED), {"place": True, "ends_at": True}, ()),
        ((State.CANCELLED,), {}, ()),
        ((State.CONFIRMED,), {}, ("lease_expires_at",)),
        ((State.CONFIRMED,), {}, ("decided_at",)),
        ((State.CONFIRMED,), {"starts_at": False}, ()),
    ],
)
def test_it_updates_what_the_orm_updates(scene, desk, now, states, seen, unseen):
    first = scene["first"]
    right = {"place": desk.pk, "starts_at": first.starts_at, "ends_at": first.ends_at}
    asked = {name: right[name] if is_right else now for name, is_right in seen.items()}
    new = {"state": State.REJECTED, "problems": ["closed"], "lease_expires_at": now, "note": "n"}
    rows = Booking.objects.filter(
        pk=first.pk, state__in=states, **asked, **{f"{name}__isnull": True for name in unseen}
    )
    expected = rows.count()
    others = columns(Booking.objects.exclude(pk=first.pk))

    statement = statements.update_booking(states, tuple(asked), unseen, tuple(new))
    done = statement.run(
        pk=first.pk, **asked, **{f"new_{name}": value for name, value in new.items()}
    )

    assert done == expected
    first.refresh_from_db()
    assert (first.note == "n") == bool(done)
    if done:
        assert {name: getattr(first, name) for name in new} == new
    assert columns(Booking.objects.exclude(pk=first.pk)) == others
    assert first.period == Period(right["starts_at"], right["ends_at"])
