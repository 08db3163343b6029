"""The doctor names every part that is ill, and what to do about it."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from config import doctor
from config.backups import taking
from config.backups.storage import storage
from config.heartbeat import Heartbeat
from config.mailers import mailer
from config.tests.processes import start, wait_for
from scripts import postgres
from scripts.postgres import free_port

pytestmark = pytest.mark.django_db


def look(part):
    state, says = doctor.PARTS[part](timezone.now)
    return str(state), says


@pytest.fixture(autouse=True)
def kept(settings, tmp_path):
    settings.BACKUPS = {**settings.BACKUPS, "url": str(tmp_path / "kept")}


def test_everything_is_looked_at_and_a_program_can_read_it(capsys):
    with pytest.raises(SystemExit):  # no worker
        call_command("doctor", json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    parts = {each["part"]: each for each in said["parts"]}
    assert set(parts) == {"settings", *doctor.PARTS}
    assert parts["database"]["state"] == parts["migrations"]["state"] == "ok"
    assert parts["worker"]["state"] == "error"
    assert "start `manage.py worker`" in parts["worker"]["says"]


def test_a_site_with_a_worker_is_well_but_for_warnings(capsys, settings):
    settings.MAILERS = {"default": mailer("consolemail://")}
    Heartbeat().beat(now=timezone.now())
    call_command("doctor")
    assert "error" not in {line.split()[0] for line in capsys.readouterr().out.splitlines()}


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no clock of its own")
def test_clocks_that_differ_are_noticed():
    state, says = doctor.PARTS["clocks"](lambda: timezone.now() + timedelta(minutes=3))
    assert state == "error"
    assert "NTP" in says
    assert look("clocks")[0] == "ok"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no archive")
def test_a_log_that_cannot_be_archived_is_noticed(monkeypatch):
    assert look("archive")[0] == "skipped"
    with postgres.own_folder() as archive:
        archive.chmod(0o777)
        options = {"archive_mode": "on", "archive_command": f"cp %p {archive}/log/%f"}
        with postgres.own_server(options=options) as own:
            address = {"NAME": "mesto", "HOST": "127.0.0.1", "PORT": own.port, "USER": "postgres"}
            there = type(connections["default"])(
                {**connection.settings_dict, **address, "OPTIONS": {}}
            )
            monkeypatch.setattr(doctor, "connection", there)
            assert look("archive")[0] == "ok"
            with there.cursor() as cursor:
                cursor.execute("CREATE TABLE t (); SELECT pg_switch_wal()")
            wait_for(lambda: look("archive")[0] == "error")
            assert "archive_command" in look("archive")[1]
            (archive / "log").mkdir()
            (archive / "log").chmod(0o777)
            wait_for(lambda: look("archive")[0] == "ok")
            there.close()


@pytest.mark.parametrize(
    ("part", "changes", "says"),
    [
        ("mail", {"EMAIL_URL": "smtp://127.0.0.1:{port}"}, "EMAIL_URL"),
        ("cache", {"CACHE_URL": "redis://127.0.0.1:{port}/1"}, "CACHE_URL"),
        ("backups", {"BACKUP_URL": "s3://x?endpoint=http://127.0.0.1:{port}"}, "BACKUP_URL"),
    ],
)
@pytest.mark.django_db(transaction=True)
@pytest.mark.one_database("sqlite")
def test_a_server_that_is_not_there_is_named_with_its_setting(part, changes, says):
    changes = {name: text.format(port=free_port()) for name, text in changes.items()}
    process = start("doctor", "--json", **changes)
    out, err = process.communicate()
    assert process.returncode == 1, err
    found = {each["part"]: each for each in json.loads(out)["parts"]}[part]
    assert found["state"] == "error"
    assert says in found["says"]
    assert "Traceback" not in err


def test_a_missing_migration_is_told():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'axes'")
    assert "manage.py migrate" in look("migrations")[1]


def test_the_disk(monkeypatch):
    assert look("disk")[0] == "ok"
    monkeypatch.setattr(doctor, "LEAST_BYTES", 10**18)
    monkeypatch.setattr(doctor, "LEAST_FREE", 1.1)
    assert look("disk")[0] == "error"


@pytest.mark.django_db(transaction=True)
def test_the_age_of_the_newest_backup(now):
    assert look("backups")[0] == "warning"
    taking.take(storage(), now=timezone.now() - timedelta(hours=30), progress=lambda _n: None)
    assert "hours old" in look("backups")[1]
    taking.take(storage(), now=timezone.now(), progress=lambda _n: None)
    assert look("backups")[0] == "ok"
