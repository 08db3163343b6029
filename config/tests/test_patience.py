"""What was waited for in vain: who else is refused, and how long the others still wait."""

import os
import socket
from runpy import run_path
from types import SimpleNamespace

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils.functional import cached_property

from config.databases import patience
from config.databases.breaker import Breaker
from config.databases.patience import LEAST, Patience, quartered
from config.databases.postgresql import base, waiting
from config.databases.postgresql.things import Statement, Table
from config.databases.postgresql.waiting import Waits
from config.tests.processes import PATIENCE, database_url
from spaces.models import Place, Space

READ = 'SELECT "id" FROM "spaces_place" WHERE "id" = %s'
LOCK = f"{READ} FOR NO KEY UPDATE"
WRITE = 'UPDATE "spaces_place" SET "name" = %s WHERE "id" = %s'


def test_successive_waits_stay_under_four_thirds_of_the_longest():
    assert sum(quartered(1.5, times) for times in range(5)) < 2.1
    assert quartered(1.5, 100) == quartered(1.5, 1_000_000) == LEAST


def test_what_became_available_is_forgotten():
    patience = Patience()
    patience.lose("desk")
    assert (patience.known(), patience.is_lost("desk"), patience.is_lost("room")) == (
        ["desk"],
        True,
        False,
    )
    patience.regain(["desk"])
    assert (patience.known(), patience.is_lost("desk")) == ([], False)


@pytest.mark.parametrize(
    ("lost_by", "refused"),
    [(READ, {READ, LOCK, WRITE}), (LOCK, {LOCK, WRITE}), (WRITE, {WRITE})],
)
def test_a_locked_table_is_refused_for_locks_as_strong(lost_by, refused):
    table = Table("spaces_place", Statement(lost_by, "").strength)
    assert {sql for sql in (READ, LOCK, WRITE) if table.concerns(Statement(sql, ""))} == refused


@pytest.mark.parametrize("name", ["spaces_placement", "spaces_space", "my_spaces_place"])
def test_a_table_with_a_similar_name_is_another(name):
    assert not Table("spaces_place", 0).concerns(Statement(f'SELECT 1 FROM "{name}"', ""))


def test_a_row_is_refused_only_to_the_same_statement():
    row = Statement(LOCK, "(1,)")
    assert row.concerns(Statement(LOCK, "(1,)"))
    assert not row.concerns(Statement(LOCK, "(2,)"))
    assert not row.concerns(Statement(READ, "(1,)"))


@pytest.mark.skipif(connection.vendor != "sqlite", reason="It is about a file of SQLite")
@pytest.mark.django_db
def test_what_sqlite_can_do_never_depends_on_whether_its_file_is_locked(
    django_assert_num_queries,
):
    """Django remembers the answers for as long as the process lives."""
    kind = type(connection.features)
    features = kind(connection)
    remembered = {
        name
        for ancestor in kind.mro()
        for name, value in vars(ancestor).items()
        if isinstance(value, cached_property)
    }
    with django_assert_num_queries(0):
        for name in remembered - {"supports_transactions"}:  # only tests ask that
            getattr(features, name)
    assert "supports_json_field" in remembered
    assert features.supports_json_field


@pytest.mark.any_database
def test_a_name_server_that_is_silent_is_not_asked_again_at_once(monkeypatch):
    asked, now = [], [0.0]

    def look_up(host, *_, **__):
        asked.append(host)
        now[0] += 2
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(base, "breaker", Breaker("locked_file"))
    database = base.DatabaseWrapper({"OPTIONS": {}})
    for _ in range(2):
        with pytest.raises(psycopg.OperationalError):
            database.get_new_connection({"host": "database.example"})
    assert asked == ["database.example"]


@pytest.mark.any_database
def test_requests_ask_a_silent_name_server_for_seconds_only(monkeypatch):
    folder = "PROMETHEUS_MULTIPROC_DIR"
    for name in ("RES_OPTIONS", "SERVING", "WEB_CONCURRENCY", folder):  # what it sets is undone
        monkeypatch.setenv(name, "1")
    monkeypatch.delenv("RES_OPTIONS")
    run_path(str(settings.BASE_DIR / "config/gunicorn.py"))
    assert os.environ["RES_OPTIONS"] == "timeout:1 attempts:2"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one lock for all writers")
@pytest.mark.django_db(transaction=True)
class TestPostgresql:
    @pytest.fixture(autouse=True)
    def serving(self, settings, space, monkeypatch):
        """Wait as a web process does, but a short time; a moment ago stays a moment ago."""
        monkeypatch.setattr(patience, "time", SimpleNamespace(monotonic=lambda: 1000.0))
        settings.IS_SERVING = True
        waits = {"lock": 0.5, "statement": 2, "silence": 0}
        settings.DATABASE_WAITS = {**settings.DATABASE_WAITS, **waits}
        wrappers = connection.execute_wrappers
        connection.execute_wrappers = [Waits()]
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '500ms'; SET statement_timeout = '2s'")
        yield
        connection.execute_wrappers = wrappers
        connection.close()

    @pytest.fixture
    def holder(self, serving):
        with psycopg.connect(database_url()) as holder:
            yield holder

    def test_a_locked_table_is_refused_at_once_and_others_are_not(self, holder):
        holder.execute("LOCK TABLE spaces_place")
        with pytest.raises(OperationalError, match="lock timeout"):
            Place.objects.count()
        with pytest.raises(OperationalError, match="a moment ago"):
            Place.objects.exists()
        assert Space.objects.exists()

    def test_a_lock_that_blocks_writers_lets_readers_pass(self, holder, desk):
        holder.execute("LOCK TABLE spaces_place IN SHARE MODE")
        with pytest.raises(OperationalError, match="lock timeout"):
            Place.objects.update(name="")
        with pytest.raises(OperationalError, match="a moment ago"):
            Place.objects.filter(pk=desk.pk).update(name="")
        assert Place.objects.exists()

    def test_a_locked_row_is_refused_and_others_are_not(self, holder, space):
        one, other = space.places.order_by("number")[:2]
        holder.execute("SELECT 1 FROM spaces_place WHERE id = %s FOR UPDATE", [one.pk])
        with pytest.raises(OperationalError, match="lock timeout"):
            Place.objects.filter(pk=one.pk).update(name="")
        with pytest.raises(OperationalError, match="a moment ago"):
            Place.objects.filter(pk=one.pk).update(name="")
        assert Place.objects.filter(pk=other.pk).update(name="") == 1
        assert Place.objects.filter(pk=one.pk).exists()

    def test_a_slow_statement_is_refused_and_others_are_not(self):
        with connection.cursor() as cursor:
            with pytest.raises(OperationalError, match="statement timeout"):
                cursor.execute("SELECT pg_sleep(%s)", [60])
            with pytest.raises(OperationalError, match="a moment ago"):
                cursor.execute("SELECT pg_sleep(%s)", [60])
            cursor.execute("SELECT pg_sleep(%s)", [0])

    def test_a_request_has_a_total_limit_for_long_statements(self, monkeypatch, settings):
        settings.DATABASE_WAITS = {
            **settings.DATABASE_WAITS,
            "lock": PATIENCE,
            "statement": PATIENCE,
        }
        monkeypatch.setattr(waiting, "ALL_TOGETHER", 0.5)
        with connection.cursor() as cursor:
            cursor.execute(f"SET statement_timeout = '{PATIENCE}s'")
            cursor.execute("SELECT pg_sleep(0.3)")
            with pytest.raises(OperationalError, match="statement timeout"):
                cursor.execute("SELECT pg_sleep(60)")
