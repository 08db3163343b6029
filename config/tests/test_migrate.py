"""`migrate` on a database in use: it waits briefly, lets others through, and comes again."""

import threading
import time
from io import StringIO

import psycopg
import pytest
from django.core.management import call_command
from django.db import DataError, OperationalError, connection, transaction

from config.online.patience import Patience
from config.online.trial import scratch
from config.tests.processes import PATIENCE

pytestmark = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite locks the whole file"
)

BACK = ("migrate", "notifications", "0002")


@pytest.fixture
def own_database(migrated):
    with scratch(connection, f"{migrated}_used", template=migrated):
        yield


@pytest.fixture
def others(own_database):
    """Open a connection that nobody closes before the test ends."""
    opened = []

    def others(**options):
        made = psycopg.connect(**connection.get_connection_params() | options)
        opened.append(made)
        return made

    yield others
    for each in opened:
        each.close()


HOLDS_THE_EVENTS = """SELECT EXISTS (SELECT FROM pg_locks
    WHERE relation = 'bookings_bookingevent'::regclass
    AND mode = 'AccessExclusiveLock' AND granted)"""


class Told(StringIO):
    """What it says; can be waited for."""

    def wait_for(self, count):
        end = time.monotonic() + PATIENCE
        while self.getvalue().count("trying again") < count:
            assert time.monotonic() < end, self.getvalue()
            time.sleep(0.01)


def in_the_background(work):
    """Start something in a thread with a connection of its own; return what to wait for it with."""
    failed = []

    def run():
        try:
            work()
        except Exception as error:  # the test checks it
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    connection.close()
    thread.start()

    def join():
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert failed == []

    return join


def columns_of_endpoints(other):
    found = other.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'notifications_endpoint'::regclass"
        " AND attnum > 0 AND NOT attisdropped"
    )
    return {name for (name,) in found.fetchall()}


def test_an_atomic_migration_comes_again_as_a_whole(others):
    holder, reader = others(), others(autocommit=True)
    holder.execute("SELECT FROM notifications_endpoint")  # as a request in progress does
    told = Told()
    join = in_the_background(lambda: call_command(*BACK, stdout=StringIO(), stderr=told))
    told.wait_for(2)
    assert "listens_since" in columns_of_endpoints(reader)
    holder.rollback()
    join()
    assert "listens_since" not in columns_of_endpoints(reader)


def test_so_does_one_whose_last_statements_wait(others):
    """A foreign key is added when everything else of the migration is done."""
    call_command("migrate", "bookings", "0014", stdout=StringIO())
    holder = others()
    holder.execute("LOCK bookings_booking IN ROW EXCLUSIVE MODE")  # as a booking in progress does
    told = Told()
    join = in_the_background(
        lambda: call_command("migrate", "bookings", "0015", stdout=StringIO(), stderr=told)
    )
    told.wait_for(1)
    # It has changed the events, and was in the way of whoever holds the bookings. Not again.
    watching = others(autocommit=True)
    while told.getvalue().count("trying again") < 3:
        assert watching.execute(HOLDS_THE_EVENTS).fetchone() == (False,)
    holder.rollback()
    join()
    assert others().execute("SELECT FROM bookings_guestlink").fetchall() == []
    assert not connection.locked_first


def test_a_failed_last_statement_ends_the_transaction(own_database):
    editor = connection.schema_editor()
    editor.__enter__()
    editor.execute("CREATE TABLE mark (id int)")
    editor.deferred_sql.append("SELECT 1 / 0")
    with pytest.raises(DataError):
        editor.__exit__(None, None, None)
    assert not connection.in_atomic_block
    assert "mark" not in connection.introspection.table_names()


def test_requests_get_through_while_it_waits(others):
    holder, reader = others(), others(autocommit=True)
    holder.execute("SELECT FROM notifications_endpoint")
    reader.execute("SET lock_timeout = '1500ms'")  # DATABASE_LOCK_SECONDS
    told = Told()
    join = in_the_background(lambda: call_command(*BACK, stdout=StringIO(), stderr=told))
    while told.getvalue().count("trying again") < 2:
        reader.execute("SELECT count(*) FROM notifications_endpoint")
    holder.rollback()
    join()


def test_a_statement_outside_a_transaction_comes_again_by_itself(others):
    holder, reader = others(), others(autocommit=True)
    holder.execute("SELECT FROM notifications_endpoint")
    told = Told()

    def work():
        with Patience(0.05, PATIENCE, told.write).on(connection), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE notifications_endpoint ADD mark int")

    join = in_the_background(work)
    told.wait_for(2)
    holder.rollback()
    join()
    assert "mark" in columns_of_endpoints(reader)


def test_a_statement_in_a_transaction_does_not(others):
    others().execute("SELECT FROM notifications_endpoint")
    told = Told()
    with (
        pytest.raises(OperationalError, match="lock timeout"),
        Patience(0.05, PATIENCE, told.write).on(connection),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("ALTER TABLE notifications_endpoint ADD mark int")
    assert told.getvalue() == ""


def test_what_runs_concurrently_is_not_interrupted(others):
    holder = others()
    holder.execute("LOCK notifications_endpoint IN ROW EXCLUSIVE MODE")
    told = Told()

    def work():
        with Patience(0.05, PATIENCE, told.write).on(connection), connection.cursor() as cursor:
            cursor.execute("CREATE INDEX CONCURRENTLY by_url ON notifications_endpoint (url)")

    join = in_the_background(work)
    watcher = others(autocommit=True)
    # Longer than its patience with a lock.
    waiting = "SELECT FROM pg_locks WHERE clock_timestamp() - waitstart > interval '200 ms'"
    while not watcher.execute(waiting).fetchall():
        time.sleep(0.01)
    holder.rollback()
    join()
    assert told.getvalue() == ""
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_url'::regclass"
    assert others().execute(valid).fetchall() == [(True,)]


def test_it_gives_up_in_the_end_and_changes_nothing(others):
    others().execute("SELECT FROM notifications_endpoint")
    reader = others(autocommit=True)
    options = {"lock_seconds": 0.05, "patience_seconds": 0.2}
    with pytest.raises(OperationalError, match="lock timeout"):
        call_command(*BACK, **options, stdout=StringIO(), stderr=StringIO())
    assert "listens_since" in columns_of_endpoints(reader)


def test_what_else_fails_is_not_tried_again(own_database):
    told = Told()
    with (
        pytest.raises(Exception, match="division by zero"),
        Patience(0.05, PATIENCE, told.write).on(connection),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT 1 / 0")
    assert told.getvalue() == ""
