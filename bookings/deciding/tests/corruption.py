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
    with connection.cursor() as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'bookings_bookedslot'")
        (sql,) = cursor.fetchone()
    without = re.sub(r',\s*CONSTRAINT "booked_slot_once" UNIQUE \([^)]*\)', "", sql)
    assert without != sql
    run('ALTER TABLE "bookings_bookedslot" RENAME TO "before"')
    run(without)
    run('INSERT INTO "bookings_bookedslot" SELECT * FROM "before"')
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
