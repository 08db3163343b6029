"""A connection that was lost between requests: nobody notices, and nothing is done twice."""

from datetime import timedelta

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.transaction import atomic, on_commit, set_rollback
from django.utils import timezone

from bookings.deciding.transactions import transactional
from bookings.models import Booking
from config.tests.processes import PATIENCE, database_url

pytestmark = [
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no connection to lose"),
    pytest.mark.django_db(transaction=True),
]

LOST = (OperationalError, InterfaceError)


def end_session():
    """End the server's side of our connection, as a restart of the server does."""
    pid = connection.connection.info.backend_pid
    with psycopg.connect(database_url()) as other:
        ended = other.execute("SELECT pg_terminate_backend(%s, %s)", [pid, 1000 * PATIENCE])
        assert ended.fetchone() == (True,)


@pytest.fixture
def lost():
    """Lose the connection while nobody uses it."""
    connection.ensure_connection()
    end_session()
    close_old_connections()  # where requests begin and end
    assert connection.connection is not None  # nobody has noticed


@pytest.fixture
def sent():
    """Return what is sent to the server, with Django's own questions."""
    found = []

    def note(execute, sql, *rest):
        found.append(sql)
        return execute(sql, *rest)

    connection.execute_wrappers.append(note)  # the innermost: it sees repetitions
    yield found
    connection.execute_wrappers.remove(note)


def names():
    return sorted(Group.objects.values_list("name", flat=True))


def test_a_read_is_repeated(lost, sent):
    assert names() == []
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_many_rows_are_read_in_portions_all_the_same(lost):
    assert list(Group.objects.iterator(chunk_size=1)) == []


def test_a_change_of_its_own_is_made_once(lost, sent):
    Group.objects.bulk_create([Group(name="a")])
    assert names() == ["a"]


def test_an_update_that_commits_by_itself_is_sent_once(lost, sent):
    assert Group.objects.filter(name="a").update(name="b") == 0
    assert len(sent) == 1


def test_a_transaction_begins_anew(lost):
    heard = []
    with atomic():
        on_commit(lambda: heard.append("committed"))
        Group.objects.create(name="a")
        with atomic():
            Group.objects.create(name="b")
        assert connection.in_atomic_block
        assert heard == []
    assert (names(), heard) == (["a", "b"], ["committed"])
    assert connection.get_autocommit()


def test_a_transaction_that_began_anew_can_be_undone(lost):
    with atomic():
        with atomic():
            Group.objects.create(name="a")
        set_rollback(True)
    assert names() == []


def test_a_connection_that_works_is_kept_and_asked_nothing(sent):
    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    for _request in range(3):
        close_old_connections()
        names()
    assert connection.connection.info.backend_pid == pid
    assert len(sent) == 3


@pytest.mark.parametrize("between", [names, lambda: Group.objects.create(name="a")])
def test_later_statements_are_not_repeated(between):
    close_old_connections()
    between()
    end_session()
    with pytest.raises(LOST):
        names()
    close_old_connections()
    assert isinstance(names(), list)  # the next request is served


def test_a_transaction_is_not_repeated_once_something_was_written():
    close_old_connections()

    @atomic
    def change():
        Group.objects.create(name="a")
        end_session()
        Group.objects.create(name="b")

    with pytest.raises(LOST):
        change()
    close_old_connections()
    assert names() == []


def test_a_service_is_repeated_as_a_whole_if_it_was_cut_off_before_its_commit():
    runs = []

    @transactional
    def change():
        runs.append(names())
        Group.objects.create(name="a")
        if len(runs) == 1:
            end_session()
            names()

    change()
    assert (runs, names()) == ([[], []], ["a"])


def test_a_service_is_not_repeated_once_its_commit_was_sent():
    runs = []

    @transactional
    def change():
        runs.append(names())
        end_session()

    with pytest.raises(LOST):
        change()
    assert runs == [[]]


def test_nothing_is_repeated_after_a_commit_was_sent(sent):
    """Nobody knows whether it arrived."""
    close_old_connections()

    @atomic
    def change():
        Group.objects.create(name="a")
        end_session()

    with pytest.raises(LOST):
        change()
    assert len(sent) == 1
    close_old_connections()
    assert names() == []


def test_a_statement_that_took_too_long_is_not_repeated(sent):
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '1ms'")
        close_old_connections()
        with pytest.raises(OperationalError):
            cursor.execute("SELECT pg_sleep(60)")
    connection.close()
    assert len(sent) == 2


def test_nobody_notices_on_a_page(client, alice, space):
    client.force_login(alice)
    for _request in range(2):
        end_session()
        close_old_connections()
        assert client.get("/spaces/loft/").status_code == 200


def test_nobody_books_twice(client, alice, desk, soon):
    client.force_login(alice)
    end_session()
    close_old_connections()
    answer = client.post(
        "/bookings/",
        {
            "place": desk.code,
            "starts_at": f"{soon:%Y-%m-%dT%H:%M}",
            "ends_at": f"{soon + timedelta(hours=1):%Y-%m-%dT%H:%M}",
            "party_size": 1,
            "request_key": "once",
        },
    )
    assert answer.status_code == 302
    assert Booking.objects.get().ends_at > timezone.now()
