"""The same mistakes, and what is fine, said in other ways than in `planted`."""

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models, transaction
from django.db.models import OuterRef, Q, Subquery

from config.tests.planted import bookings, column, python, sql


def save_each(apps, schema_editor):
    for booking in bookings(apps).iterator(chunk_size=100):
        booking.save()


def lock_each_batch(apps, schema_editor):
    last = 0
    while True:
        with transaction.atomic():
            rows = bookings(apps).filter(pk__gt=last).order_by("pk").select_for_update()
            keys = list(rows.values_list("pk", flat=True)[:500])
            if not keys:
                return
            bookings(apps).filter(pk__in=keys).update(note="x")
            last = keys[-1]


def fill_from_places(apps, schema_editor):
    places = apps.get_model("spaces", "Place").objects.filter(pk=OuterRef("place_id"))
    some = bookings(apps).filter(pk__gte=1, pk__lt=1000)
    some.update(note=Subquery(places.values("name")[:1]))


BLOCKING = {
    "unique together": (
        "building index",
        [migrations.AlterUniqueTogether("booking", {("note", "place")})],
    ),
    "index in a block": (
        "building index",
        [sql("DO $$ BEGIN CREATE INDEX by_note ON bookings_booking (note); END $$")],
    ),
    "table without a log": ("rewrites", [sql("ALTER TABLE bookings_bookedslot SET UNLOGGED")]),
    "no longer empty, by Django": (
        "writes all of",
        [
            migrations.AlterField(
                "booking", "request_key", models.CharField(max_length=200, default="x")
            )
        ],
    ),
    "boolean with Python's default": (
        "has to have a value",
        [column(models.BooleanField(default=False))],
    ),
    "default that is dropped again": (
        "has to have a value",
        [
            sql("ALTER TABLE bookings_booking ADD n int NOT NULL DEFAULT 1"),
            sql("ALTER TABLE bookings_booking ALTER n DROP DEFAULT"),
        ],
    ),
    "update with a common table expression": (
        "writes all of",
        [
            sql(
                "WITH a AS (SELECT id FROM bookings_booking)"
                " UPDATE bookings_booking SET note = '' WHERE id IN (SELECT id FROM a)"
            )
        ],
        False,
    ),
    "update by another name": (
        "writes all of",
        [sql("update only bookings_booking as b set note = ''")],
        False,
    ),
    "update with the schema": (
        "writes all of",
        [sql('UPDATE "public"."bookings_booking" SET note = \'\'')],
        False,
    ),
    "merge": (
        "writes all of",
        [
            sql(
                "MERGE INTO bookings_booking b USING spaces_place p ON p.id = b.place_id"
                " WHEN MATCHED THEN UPDATE SET note = ''"
            )
        ],
        False,
    ),
}

FINE = {
    "indexes by django.contrib.postgres": (
        [
            AddIndexConcurrently("booking", models.Index(fields=["note"], name="by_note")),
            RemoveIndexConcurrently("booking", "by_note"),
        ],
        False,
    ),
    "constraint by django.contrib.postgres": (
        [
            AddConstraintNotValid(
                "booking", models.CheckConstraint(condition=~Q(note="x"), name="no_x")
            ),
            ValidateConstraint("booking", "no_x"),
        ],
        False,
    ),
    "each row by itself": ([python(save_each)], False),
    "batches that are locked first": ([python(lock_each_batch)], False),
    "batch from another table": ([python(fill_from_places)], False),
    "table between two others": (
        [migrations.AddField("booking", "friends", models.ManyToManyField("accounts.user"))],
    ),
    "constraint removed": ([migrations.RemoveConstraint("booking", "booking_held_briefly")],),
}
