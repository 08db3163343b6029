"""check_bookings --explain and --repair: damage is found, explained, and mended if that is safe."""

import ast
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Q

from bookings.deciding import explaining, invariants, schema, services
from bookings.deciding.invariants import violations
from bookings.deciding.repairing import repair_slots
from bookings.deciding.tests import corruption
from bookings.deciding.wish import Wish
from bookings.models import BookedSlot, Booking, BookingEvent
from bookings.states import State
from spaces import triggers
from spaces.factories import PolicyFactory
from spaces.models import Policy

pytestmark = pytest.mark.django_db

TEN = datetime(2026, 11, 25, 10, tzinfo=UTC)


def book(place, member, now, starts_at=TEN):
    ends_at = starts_at + timedelta(hours=1)
    wish = Wish(place=place, member=member, starts_at=starts_at, ends_at=ends_at, party_size=1)
    return services.book(wish, by=member, now=now)


def check(*flags):
    """Return what the command says, and what it fails with; both are empty if all is well."""
    said = StringIO()
    try:
        call_command("check_bookings", *flags, stdout=said)
    except CommandError as error:
        return said.getvalue(), str(error)
    return said.getvalue(), ""


def everything():
    return [
        list(model.objects.order_by("pk").values()) for model in (Booking, BookedSlot, BookingEvent)
    ]


def kinds(now):
    return sorted(violation.kind for violation in violations(now=now))


@pytest.fixture
def booking(desk, alice, now):
    return book(desk, alice, now)


def missing_slots(booking):
    corruption.delete_slots(booking)


def one_missing_slot(booking):
    booking.booked_slots.latest("slot").delete()


def left_over_slots(booking):
    services.cancel(booking, by=booking.member, now=booking.created_at)
    for slot in (TEN, TEN + timedelta(minutes=15)):
        BookedSlot.objects.create(booking=booking, place=booking.place, slot=slot)


def foreign_slots(booking):
    BookedSlot.objects.create(booking=booking, place=booking.place, slot=TEN + timedelta(hours=3))


REPAIRABLE = {
    "slots missing": missing_slots,
    "slots missing, one": one_missing_slot,
    "slots left over": left_over_slots,
    "slots foreign": foreign_slots,
}


@pytest.mark.parametrize("name", REPAIRABLE)
def test_slots_are_explained_and_repaired(booking, now, name):
    REPAIRABLE[name](booking)
    damaged = everything()
    assert kinds(now) == [name.partition(",")[0]]

    said, failed = check("--explain")
    assert failed == "1 bookings checked, violations: 1"
    for words in ("What it means:", "How it may have come about:", "Safe to repair"):
        assert words in said
    assert f"Affected: {booking.code}, Desk 1 in " in said
    assert everything() == damaged

    said, failed = check("--repair")
    assert failed == ""
    assert "Repaired: " in said
    assert list(violations(now=now)) == []
    mended = everything()
    assert (mended[0], mended[2]) == (damaged[0], damaged[2])
    assert check("--repair") == ("1 bookings checked, no violations\n", "")
    assert everything() == mended


def test_slots_stored_twice_are_stored_once_again(booking, now):
    corruption.drop_slot_constraint()
    before = everything()
    corruption.copy_slots(booking, to=booking)
    assert kinds(now) == ["schema", "slots stored twice"]
    said, failed = check("--repair")
    assert failed == "1 bookings checked, repaired: 1, violations: 1"
    assert "removed place" in said
    assert everything() == before
    assert kinds(now) == ["schema"]


def test_a_missing_constraint_is_reported_and_can_be_put_back(booking, now):
    corruption.drop_slot_constraint()
    said, failed = check("--explain")
    assert failed
    assert "schema: booked_slot_once: the database lacks this" in said
    if connection.vendor == "postgresql":
        [line] = [line for line in said.splitlines() if "Put it back: " in line]
        corruption.run(line.partition("Put it back: ")[2])
        assert kinds(now) == []


def test_nothing_else_is_missing_from_a_migrated_database(db):
    assert schema.missing(connection) == []
    assert "booked_slot_once" in schema.wanted()
    assert "bookings_booking.code once" in schema.wanted()
    assert "spaces_place_parts.from_place_id in spaces_place" in schema.wanted()


@pytest.mark.parametrize(
    ("table", "column", "name"),
    [
        ("bookings_guestlink", "digest", "bookings_guestlink.digest once"),
        ("bookings_bookedslot", "place_id", "bookings_bookedslot.place_id in spaces_place"),
        ("accounts_staffrole", "space_id", "accounts_staffrole.space_id in spaces_space"),
    ],
)
def test_a_column_that_nothing_keeps_is_reported(now, table, column, name):
    """Unique columns and foreign keys have no name in their model."""
    corruption.let_go(table, column)
    assert name in [violation.subject for violation in violations(now=now)]
    if connection.vendor == "postgresql":
        corruption.run(schema.statement(connection, name))
        assert kinds(now) == []


def test_a_foreign_key_that_was_never_looked_through_is_reported(now):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite looks through a table when it is built.")
    name = "bookings_bookedslot.place_id in spaces_place"
    corruption.let_go("bookings_bookedslot", "place_id")
    again = schema.statement(connection, name)
    corruption.run(again.replace(" DEFERRABLE INITIALLY DEFERRED", " NOT VALID"))
    assert [violation.subject for violation in violations(now=now)] == [name]


def test_a_missing_index_is_reported(now):
    corruption.run("DROP INDEX booking_of_a_day")
    assert [violation.subject for violation in violations(now=now)] == ["booking_of_a_day"]


def test_who_keeps_a_doubled_place_is_for_a_person(booking, desk, bob, now):
    """The one that got the place first keeps it, wherever the other one came from."""
    second = book(desk, bob, now + timedelta(minutes=1), TEN + timedelta(hours=2))
    corruption.drop_slot_constraint()
    corruption.delete_slots(second)
    corruption.copy_slots(booking, to=second)
    corruption.run(
        "UPDATE bookings_booking SET starts_at = %s, ends_at = %s WHERE id = %s",
        booking.starts_at,
        booking.ends_at,
        second.pk,
    )
    damaged = everything()
    for flag in ("--explain", "--repair"):
        said, failed = check(flag)
        assert failed == "2 bookings checked, violations: 3"  # the schema and the event, too
        assert f"{booking.code} keeps the place" in said
        assert f"Find {second.code} another place, or cancel it" in said
        assert f"/admin/bookings/booking/{second.pk}/change/" in said
        assert everything() == damaged


def test_a_cancelled_double_leaves_the_first_with_its_place(booking, desk, bob, host, now):
    corruption.drop_slot_constraint()
    second = book(desk, bob, now, TEN)  # nothing keeps it out
    assert kinds(now) == ["doubled", "schema"]
    services.cancel(second, by=host, now=now)
    assert kinds(now) == ["schema"]
    assert booking.booked_slots.count() == 4


def test_missing_slots_that_another_has_are_for_a_person(booking, desk, bob, now):
    corruption.delete_slots(booking)
    second = book(desk, bob, now)
    assert second.state == State.CONFIRMED
    damaged = everything()
    said, failed = check("--repair")
    assert failed == "2 bookings checked, violations: 2"
    assert f"Left: The slots are not free: {second.code}" in said
    assert everything() == damaged


def test_two_that_need_the_same_missing_slots_are_for_a_person(booking, desk, bob, now):
    corruption.delete_slots(booking)
    second = book(desk, bob, now)
    corruption.delete_slots(second)
    damaged = everything()
    _said, failed = check("--repair")
    assert failed == "2 bookings checked, violations: 3"
    assert everything() == damaged


def test_missing_slots_wait_for_a_missing_constraint(booking):
    corruption.drop_slot_constraint()
    corruption.delete_slots(booking)
    said, failed = check("--repair")
    assert failed == "1 bookings checked, violations: 2"
    assert "Left: The constraint booked_slot_once is missing" in said
    assert not booking.booked_slots.exists()


def no_event(booking):
    corruption.delete_event(booking, 1)


def an_event_missing_at_the_end(booking):
    services.cancel(booking, by=booking.member, now=booking.created_at)
    corruption.delete_event(booking, 2)


def an_event_missing_at_the_beginning(booking):
    services.cancel(booking, by=booking.member, now=booking.created_at)
    corruption.delete_event(booking, 1)


def a_state_without_event(booking):
    corruption.delete_slots(booking)
    corruption.set_state(booking, State.COMPLETED)


@pytest.mark.parametrize(
    "damage",
    [
        no_event,
        an_event_missing_at_the_end,
        an_event_missing_at_the_beginning,
        a_state_without_event,
    ],
)
def test_an_event_is_never_made_up(booking, now, damage):
    damage(booking)
    damaged = everything()
    assert set(kinds(now)) == {"events"}
    for flag in ("--explain", "--repair"):
        said, failed = check(flag)
        assert "violations: " in failed
        assert "An event cannot be made up" in said
        assert "Mail, webhooks, Kafka" in said
        assert str(booking.code) in said
        assert everything() == damaged


def test_what_changed_since_the_check_is_not_repaired(booking, now):
    """A cancellation commits between the check and the repair, and then a booking does."""
    corruption.delete_slots(booking)
    [violation] = violations(now=now)
    services.cancel(booking, by=booking.member, now=now)
    other = book(booking.place, booking.member, now)
    before = everything()
    result = repair_slots(violation, now)
    assert (result.done, result.left) == ("", "")
    assert everything() == before
    assert other.booked_slots.count() == 4


def test_a_repair_of_what_is_right_changes_nothing(booking, now):
    before = everything()
    for kind in ("slots missing", "slots left over", "slots foreign", "slots stored twice"):
        violation = invariants.Violation("slots", str(booking.code), "seen earlier", kind)
        assert repair_slots(violation, now).done == ""
    assert everything() == before


def test_a_missing_trigger_is_explained(now):
    name = min(triggers.DIALECTS[connection.vendor].triggers())
    table = next(table for table in triggers.TOUCHED if table.removeprefix("spaces_") in name)
    where = f" ON {table}" if connection.vendor == "postgresql" else ""
    corruption.run(f"DROP TRIGGER {name}{where}")
    said, failed = check("--explain")
    assert failed
    assert "Run manage.py migrate" in said


def test_leases_quotas_and_doubled_requests_are_explained(booking, desk, alice, now, space):
    """Each names the bookings that it is about; none is repaired."""
    second = book(desk, alice, now, TEN + timedelta(hours=2))
    lease = now + timedelta(minutes=1)
    corruption.run(
        "UPDATE bookings_booking SET lease_expires_at = %s WHERE id = %s", lease, booking.pk
    )
    PolicyFactory.create(space=space, max_upcoming=1)
    Policy.objects.update(changed_at=now - timedelta(days=1))
    found = {violation.kind: violation for violation in violations(now=now)}
    assert {"leases", "quota"} <= found.keys()
    for kind, codes in {"leases": [booking.code], "quota": [booking.code, second.code]}.items():
        said = list(explaining.explained(found[kind]))
        affected = [line.split()[1].strip(",") for line in said if line.startswith("Affected: ")]
        assert affected == [str(code) for code in codes]
        assert any("A person must decide" in line for line in said)
    twice = invariants.Violation("request", "member 1", "2", "request", Q(member=alice))
    assert len([line for line in explaining.explained(twice) if "Affected" in line]) == 2


def test_every_kind_has_an_explanation():
    assert explaining.REPAIRS.keys() <= explaining.EXPLANATIONS.keys()
    found = set(kinds_in_the_code())
    assert {"doubled", "delivery", "quota"} <= found
    assert found <= explaining.EXPLANATIONS.keys()


def kinds_in_the_code():
    """Yield the kind that each check writes out; a few put theirs together."""
    for path in settings.BASE_DIR.glob("[!.]*/**/*.py"):
        if "tests" in path.parts or "Violation(" not in (text := path.read_text()):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Violation"):
                named = [word.value for word in node.keywords if word.arg == "kind"]
                kind = (named or node.args[3:4] or [ast.Constant("")])[0]
                if isinstance(kind, ast.Constant):
                    yield kind.value


def test_a_kind_without_an_explanation_keeps_no_other_from_being_explained():
    said = list(explaining.explained(invariants.Violation("new", "it", "is wrong", "of tomorrow")))
    assert any("A person must decide" in line for line in said)
