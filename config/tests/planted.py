"""Migrations with something wrong in each, and some with nothing."""

from django.db import migrations, models, transaction
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.models import Max, Q, Value
from django.db.models.functions import Now

from accounts import online


def column(field=None, model="booking", name="mark", **options):
    made = field or models.CharField(max_length=9, **options)
    return migrations.AddField(model, name, made)


def index(kind=migrations.AddIndex):
    return kind("booking", models.Index(fields=["note"], name="by_note"))


def check(kind=migrations.AddConstraint):
    return kind("booking", models.CheckConstraint(condition=~Q(note="x"), name="no_x"))


def python(code, **options):
    return migrations.RunPython(code, migrations.RunPython.noop, **options)


def sql(*texts):
    return migrations.RunSQL(list(texts), migrations.RunSQL.noop)


def bookings(apps):
    return apps.get_model("bookings", "Booking").objects


# --- What migrations have in them ---


def update_all(apps, schema_editor):
    bookings(apps).update(note="x")


def update_what_is_empty(apps, schema_editor):
    bookings(apps).filter(note="").update(note="x")


def save_each(apps, schema_editor):
    for booking in bookings(apps).all():
        booking.save()


def bulk_update_all(apps, schema_editor):
    bookings(apps).bulk_update(bookings(apps).iterator(), ["note"], batch_size=500)


def in_batches(apps, schema_editor):
    last = bookings(apps).aggregate(last=Max("pk"))["last"] or 0
    for start in range(0, last + 1, 500):
        bookings(apps).filter(pk__gt=start - 1, pk__lt=start + 500).update(note="x")


def in_batches_of_one_transaction(apps, schema_editor):
    with transaction.atomic():
        save_each(apps, schema_editor)


def while_there_are_some(apps, schema_editor):
    while keys := list(bookings(apps).filter(note="").values_list("pk", flat=True)[:500]):
        bookings(apps).filter(pk__in=keys).update(note="x")


def one_row(apps, schema_editor):
    apps.get_model("notifications", "Cursor").objects.get_or_create(pk=7)
    bookings(apps).filter(pk=3).update(note="x")
    bookings(apps).exists()


def from_places(apps, schema_editor):
    schema_editor.execute(
        "UPDATE bookings_booking b SET note = 'x' FROM spaces_place p WHERE p.id = b.place_id"
    )


def add_by_the_editor(apps, schema_editor):
    booking = apps.get_model("bookings", "Booking")
    field = models.CharField(max_length=9, default="x")
    field.set_attributes_from_name("mark")
    field.model = booking
    schema_editor.add_field(booking, field)


WHERE = "WHERE id IN (SELECT id FROM bookings_booking WHERE note = '' LIMIT 500)"

#: What is refused, with a word of the reason.
BLOCKING = {
    "index": ("building index", [index()]),
    "index, outside a transaction": ("building index", [index()], False),
    "index in SQL": ("building index", [sql("CREATE INDEX by_note ON bookings_booking (note)")]),
    "index of a new column": ("building index", [column(null=True, db_index=True)]),
    "index of an old column": (
        "building index",
        [migrations.AlterField("booking", "note", models.CharField(max_length=500, db_index=True))],
    ),
    "unique column": ("building index", [column(null=True, unique=True)]),
    "unique constraint": (
        "building index",
        [
            migrations.AddConstraint(
                "booking", models.UniqueConstraint(fields=["note"], name="note_once")
            )
        ],
    ),
    "exclusion": (
        "building index",
        [
            sql(
                "ALTER TABLE bookings_booking ADD CONSTRAINT apart EXCLUDE USING gist"
                " (tstzrange(starts_at, ends_at) WITH &&)"
            )
        ],
    ),
    "reindex": ("building index", [sql("REINDEX TABLE bookings_booking")], False),
    "check": ("verifying", [check()]),
    "check with its column": ("verifying", [column(models.PositiveIntegerField(null=True))]),
    "check, validated while its lock is held": (
        "verifying",
        [check(online.AddConstraint), online.validate("bookings.Booking", "no_x")],
    ),
    "foreign key": (
        "validating foreign key",
        [
            sql(
                "ALTER TABLE bookings_booking ADD CONSTRAINT f FOREIGN KEY (place_id)"
                " REFERENCES spaces_place (id)"
            )
        ],
    ),
    "index of a foreign key, which Django makes anew": (
        "validating foreign key",
        [
            migrations.AlterField(
                "bookedslot",
                "booking",
                models.ForeignKey("bookings.booking", models.CASCADE, db_index=False),
            )
        ],
    ),
    "another type": (
        "rewriting",
        [migrations.AlterField("booking", "party_size", models.BigIntegerField())],
    ),
    "shorter text": (
        "rewriting",
        [migrations.AlterField("booking", "note", models.CharField(max_length=400))],
    ),
    "default for each row": (
        "rewriting",
        [column(models.FloatField(db_default=models.functions.Random()))],
    ),
    "identity": (
        "rewriting",
        [sql("ALTER TABLE bookings_booking ADD n bigint GENERATED ALWAYS AS IDENTITY")],
    ),
    "rewritten in a RunPython": (
        "rewriting",
        [
            python(
                lambda apps, editor: editor.execute(
                    "ALTER TABLE bookings_booking ALTER party_size TYPE bigint"
                )
            )
        ],
    ),
    "stored generated column": (
        "rewriting",
        [
            column(
                models.GeneratedField(
                    expression=models.F("party_size") * 2,
                    output_field=models.IntegerField(),
                    db_persist=True,
                )
            )
        ],
    ),
    "vacuum full": ("while others wait", [sql("VACUUM FULL bookings_booking")], False),
    "cluster": (
        "rewrites a table",
        [sql("CLUSTER bookings_booking USING bookings_booking_pkey")],
        False,
    ),
    "lock": ("locks a table", [sql("LOCK TABLE bookings_booking IN EXCLUSIVE MODE")]),
    "truncate": ("empties", [sql("TRUNCATE bookings_bookedslot")]),
    "not null": (
        "verifying",
        [sql("ALTER TABLE bookings_booking ALTER request_key SET NOT NULL")],
    ),
    "not null, which the release before doesn't know": (
        "leaves bookings_booking.request_key empty",
        [
            sql(
                "ALTER TABLE bookings_booking ADD CONSTRAINT n CHECK (request_key IS NOT NULL)"
                " NOT VALID"
            ),
            sql("ALTER TABLE bookings_booking VALIDATE CONSTRAINT n"),
            sql("ALTER TABLE bookings_booking ALTER request_key SET NOT NULL"),
        ],
        False,
    ),
    "column with Python's default": ("has to have a value", [column(default="x")]),
    "column with Python's default, by the editor": (
        "has to have a value",
        [python(add_by_the_editor)],
    ),
    "renamed column": (
        "still uses bookings_booking.note",
        [migrations.RenameField("booking", "note", "remark")],
    ),
    "column of another name": (
        "still uses bookings_booking.note",
        [
            migrations.AlterField(
                "booking", "note", models.CharField(max_length=500, db_column="remark")
            )
        ],
    ),
    "removed column": (
        "still uses bookings_booking.note",
        [migrations.RemoveField("booking", "note")],
    ),
    "removed column in SQL": (
        "still uses bookings_booking.note",
        [sql("ALTER TABLE bookings_booking DROP note")],
    ),
    "renamed table": (
        "still uses bookings_bookedslot",
        [migrations.RenameModel("BookedSlot", "TakenSlot")],
    ),
    "moved table": (
        "still uses bookings_bookedslot",
        [migrations.AlterModelTable("bookedslot", "taken")],
    ),
    "removed table": ("still uses bookings_bookedslot", [migrations.DeleteModel("BookedSlot")]),
    "update of all": ("writes all of", [python(update_all)]),
    "update of all, outside a transaction": ("writes all of", [python(update_all)], False),
    "update of all in SQL": ("writes all of", [sql("UPDATE bookings_booking SET note = 'x'")]),
    "update by another table": ("writes all of", [python(from_places)], False),
    "update of a condition": ("writes all of", [python(update_what_is_empty)], False),
    "update from one side": (
        "writes all of",
        [sql("UPDATE bookings_booking SET note = 'x' WHERE id > 0")],
        False,
    ),
    "delete of all": ("writes all of", [sql("DELETE FROM bookings_bookedslot")], False),
    "second of two statements": (
        "writes all of",
        [
            sql(
                "UPDATE bookings_booking SET note = '' WHERE id = 1;"
                " UPDATE bookings_booking SET note = ''"
            )
        ],
    ),
    "copy": (
        "writes all of",
        [
            sql("CREATE TABLE copied AS SELECT id FROM bookings_booking LIMIT 0"),
            sql("INSERT INTO copied SELECT id FROM bookings_booking"),
        ],
        False,
    ),
    "each row, in one transaction": ("goes through", [python(save_each)]),
    "all rows at once": ("goes through", [python(bulk_update_all)]),
    "batches in one transaction": ("goes through", [python(in_batches)]),
    "batches while there are some, in one transaction": (
        "goes through",
        [python(while_there_are_some)],
    ),
    "each row, in a transaction inside": (
        "goes through",
        [python(in_batches_of_one_transaction)],
        False,
    ),
    "each row, in an atomic operation": ("goes through", [python(save_each, atomic=True)], False),
    "something that fails": ("fails", [sql("SELECT 1 / 0")]),
}

#: What may run while the release before serves.
FINE = {
    "index, built concurrently": ([index(online.AddIndex)], False),
    "index, built concurrently in SQL": (
        [sql("CREATE INDEX CONCURRENTLY by_note ON bookings_booking (note)")],
        False,
    ),
    "index removed": ([online.RemoveIndex("booking", "booking_by_start")], False),
    "unique constraint, of an index that is there": (
        [
            sql("CREATE UNIQUE INDEX CONCURRENTLY note_once ON bookings_booking (note)"),
            sql(
                "ALTER TABLE bookings_booking ADD CONSTRAINT note_once UNIQUE USING INDEX note_once"
            ),
        ],
        False,
    ),
    "check for new rows": ([check(online.AddConstraint)],),
    "check, then validated": (
        [check(online.AddConstraint), online.validate("bookings.Booking", "no_x")],
        False,
    ),
    "foreign key, then validated": (
        [
            sql(
                "ALTER TABLE bookings_booking ADD CONSTRAINT f FOREIGN KEY (place_id)"
                " REFERENCES spaces_place (id) NOT VALID"
            ),
            sql("ALTER TABLE bookings_booking VALIDATE CONSTRAINT f"),
        ],
        False,
    ),
    "column that may be empty": ([column(null=True)],),
    "column with a default of the database": ([column(db_default="x", default="x")],),
    "column with the moment as default": ([column(models.DateTimeField(db_default=Now()))],),
    "column that leads to another table": (
        [column(models.ForeignKey("spaces.space", models.PROTECT, null=True, db_index=False))],
    ),
    "longer text": ([migrations.AlterField("booking", "note", models.CharField(max_length=900))],),
    "choices": (
        [
            migrations.AlterField(
                "booking", "note", models.CharField(max_length=500, choices=[("a", "b")])
            )
        ],
    ),
    "column may be empty from now on": (
        [migrations.AlterField("booking", "note", models.CharField(max_length=500, null=True))],
    ),
    "default of the database": (
        [
            migrations.AlterField(
                "booking", "note", models.CharField(max_length=500, db_default=Value("x"))
            )
        ],
    ),
    "column leaves the code first": (
        [SeparateDatabaseAndState(state_operations=[migrations.RemoveField("booking", "note")])],
    ),
    "new table, with an index, a constraint and rows": (
        [
            migrations.CreateModel(
                "Mark",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("booking", models.ForeignKey("bookings.booking", models.CASCADE)),
                    ("text", models.CharField(max_length=9)),
                ],
            ),
            migrations.AddIndex("mark", models.Index(fields=["text"], name="mark_text")),
            migrations.AddConstraint(
                "mark", models.CheckConstraint(condition=~Q(text=""), name="mark_text_there")
            ),
            python(
                lambda apps, editor: apps.get_model("bookings", "Mark").objects.update(text="x")
            ),
        ],
    ),
    "batches": ([python(in_batches)], False),
    "batches while there are some": ([python(while_there_are_some)], False),
    "batches in SQL": ([sql(f"UPDATE bookings_booking SET note = 'x' {WHERE}")], False),
    "one row": ([python(one_row)],),
    "vacuum": ([sql("VACUUM bookings_booking")], False),
    "trigger": (
        [
            sql(
                "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RETURN NEW; END $$",
                "CREATE TRIGGER nothing BEFORE INSERT ON bookings_booking"
                " FOR EACH ROW EXECUTE FUNCTION nothing()",
            )
        ],
    ),
}


def migration(operations, atomic=True, name="0999_planted", **attributes):
    kind = type(
        "Migration",
        (migrations.Migration,),
        {"operations": operations, "atomic": atomic} | attributes,
    )
    return kind(name, "bookings")
