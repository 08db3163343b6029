"""Damage as a bad restore or a hand in the database leaves it. For tests, in their transaction."""

import re

from django.db import connection


def run(sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def drop_slot_constraint():
    """Take away what keeps two bookings apart."""
    if connection.vendor == "postgresql":
        run("SET CONSTRAINTS ALL IMMEDIATE")
        run("ALTER TABLE bookings_bookedslot DROP CONSTRAINT booked_slot_once")
        return
    rebuild("bookings_bookedslot", r',\s*CONSTRAINT "booked_slot_once" UNIQUE \([^)]*\)')


def let_go(table, column):
    """Take away what keeps a column unique, or in another table."""
    if connection.vendor != "postgresql":
        rebuild(table, rf'(?<="{column}" )([^,]*?) (UNIQUE|REFERENCES [^,]*)', r"\1")
        return
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, table)
    for name, each in found.items():
        is_key = each["foreign_key"] or (each["unique"] and not each["primary_key"])
        if each["columns"] == [column] and is_key:
            run("SET CONSTRAINTS ALL IMMEDIATE")
            run(f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}"')


def rebuild(table, pattern, by=""):
    """Build a table of SQLite anew, from a definition in which something is replaced."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = %s", [table])
        (sql,) = cursor.fetchone()
    without = re.sub(pattern, by, sql)
    assert without != sql
    run(f'ALTER TABLE "{table}" RENAME TO "before"')
    run(without)
    run(f'INSERT INTO "{table}" SELECT * FROM "before"')
    run('DROP TABLE "before"')


def copy_slots(source, *, to):
    """Give one booking the slots of another, or its own once more."""
    run(
        "INSERT INTO bookings_bookedslot (booking_id, place_id, slot) "
        "SELECT %s, place_id, slot FROM bookings_bookedslot WHERE booking_id = %s",
        to.pk,
        source.pk,
    )


def delete_slots(booking):
    run("DELETE FROM bookings_bookedslot WHERE booking_id = %s", booking.pk)


def set_state(booking, state):
    run("UPDATE bookings_booking SET state = %s WHERE id = %s", state, booking.pk)


def delete_event(booking, sequence):
    run(
        "DELETE FROM bookings_bookingevent WHERE booking_id = %s AND sequence = %s",
        booking.pk,
        sequence,
    )
