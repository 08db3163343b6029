"""A migration that would make people wait, or break the release before, is refused."""

import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import SeparateDatabaseAndState

from config.online import statements
from config.online.trial import Baseline, problems, problems_since, scratch
from config.tests import planted, planted_otherwise
from config.tests.planted import column, migration, sql

BLOCKING = planted.BLOCKING | planted_otherwise.BLOCKING
FINE = planted.FINE | planted_otherwise.FINE

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite locks the whole file"
)


@pytest.fixture
def told(migrated):
    """Return what is said of migrations; afterwards nothing is left of them."""

    def told(*those):
        state = MigrationLoader(connection).project_state()
        return [problem.text for problem in spoilt(migrated, state, those)]

    return told


def spoilt(template, state, those):
    if not all(each.atomic for each in those):
        with scratch(connection, f"{template}_planted", template=template):
            return problems(connection, state, those)
    with transaction.atomic():  # a copy takes longer
        found = problems(connection, state, those)
        transaction.set_rollback(True)
    return found


@on_postgresql
@pytest.mark.parametrize("case", BLOCKING.values(), ids=BLOCKING)
def test_what_blocks_is_refused(told, case):
    word, operations, *atomic = case
    found = told(migration(operations, *atomic))
    assert any(word in text for text in found), found


@on_postgresql
@pytest.mark.parametrize("case", FINE.values(), ids=FINE)
def test_what_lets_others_go_on_is_not(told, case):
    assert told(migration(*case)) == []


@on_postgresql
def test_a_column_is_dropped_one_release_after_the_code_has_left_it(migrated):
    leave = migration(
        [SeparateDatabaseAndState(state_operations=[migrations.RemoveField("booking", "note")])]
    )
    drop = migration([sql("ALTER TABLE bookings_booking DROP note")], name="1000_drop")
    before = MigrationLoader(connection).project_state()
    after = leave.mutate_state(before)
    assert spoilt(migrated, after, [drop]) == []


@on_postgresql
def test_leaving_and_dropping_a_column_in_one_release_is_refused(told):
    leave = migration(
        [SeparateDatabaseAndState(state_operations=[migrations.RemoveField("booking", "note")])]
    )
    drop = migration([sql("ALTER TABLE bookings_booking DROP note")], name="1000_drop")
    assert ["still uses bookings_booking.note" in text for text in told(leave, drop)] == [True]


@on_postgresql
def test_a_table_made_since_the_release_may_be_changed_in_any_way(told):
    make = migration(
        [
            migrations.CreateModel(
                "Mark",
                [("id", models.BigAutoField(primary_key=True)), ("text", models.TextField())],
            )
        ]
    )
    change = migration(
        [
            column(model="mark", default=""),
            migrations.AddIndex("mark", models.Index(fields=["text"], name="mark_text")),
            migrations.RenameField("mark", "text", "words"),
        ],
        name="1000_change",
    )
    assert told(make, change) == []


def earlier(**accepted):
    """Return a baseline in the past: some of what came then did block."""
    released = Baseline.read().released | {
        "accounts": "0008_email_confirmed",
        "bookings": "0005_kept_bookings",
        "notifications": "0002_begin_with_what_is_new",
        "spaces": "0003_grace_and_contact",
    }
    return Baseline(released, accepted)


@on_postgresql
def test_of_the_migrations_so_far_it_names_those_that_blocked(migrated):
    baseline = earlier(**{"accounts.0009_addresses_of_before_are_confirmed": "nobody had one"})
    with scratch(connection, f"{migrated}_empty"):
        found = problems_since(baseline)
    accepted = Baseline.read().accepted
    assert {problem.migration for problem in found} == {"bookings.0007_no_index_twice", *accepted}


@on_postgresql
def test_check_migrations_says_what_is_wrong(migrated, monkeypatch, tmp_path):
    file = tmp_path / "released.json"
    earlier().write(file)
    monkeypatch.setattr(Baseline.read.__func__, "__defaults__", (file,))
    errors = StringIO()
    with pytest.raises(CommandError, match="accepted"):
        call_command("check_migrations", stderr=errors)
    assert "bookings.0007_no_index_twice: validating foreign key" in errors.getvalue()


@pytest.mark.any_database
def test_the_baseline_names_migrations_that_exist():
    loader = MigrationLoader(None)
    baseline = Baseline.read()
    assert baseline.targets(loader)
    assert set(baseline.accepted) <= {".".join(key) for key in loader.graph.nodes}


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("statement", "is_bounded"),
    [
        ('UPDATE "t" SET "a" = %s WHERE "t"."id" = %s', True),
        ('UPDATE "t" SET "a" = %s WHERE "t"."id" IN (%s, %s)', True),
        ('UPDATE "t" SET "a" = %s WHERE ("t"."id" > %s AND "t"."id" <= %s)', True),
        ("DELETE FROM t WHERE id = ANY(%s)", True),
        ("DELETE FROM t WHERE id BETWEEN 1 AND 9", True),
        ("DELETE FROM t WHERE id IN (SELECT id FROM t WHERE a = 1 LIMIT 5)", True),
        ('UPDATE "t" SET "id" = 5', False),
        ("DELETE FROM t WHERE id IN (SELECT id FROM u)", False),
        ("DELETE FROM t WHERE id <> 7", False),
        ("DELETE FROM t WHERE id > 7", False),
        ("UPDATE t SET a = 1 FROM u WHERE t.id = u.id", False),
        ("UPDATE t SET a = 'where id = 1'", False),
        ("UPDATE t SET a = 1 -- WHERE id = 1", False),
        ("DELETE FROM t WHERE paid = 1", False),
    ],
)
def test_a_statement_about_rows_is_bounded_by_key_or_limit(statement, is_bounded):
    assert statements.is_bounded(statement, {"id"}) == is_bounded


@pytest.mark.any_database
def test_on_sqlite_it_says_what_it_needs():
    command = [sys.executable, "manage.py", "check_migrations"]
    done = subprocess.run(
        command,
        env={"DATABASE_URL": "sqlite:///var/unused.sqlite3", "SECRET_KEY": "x" * 60},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "scripts/postgres.py" in done.stderr) == (1, True)
