"""After a wrong command a server goes back to the second before it: a base and the archived log."""

import shutil

import psycopg
import pytest
from django.db import connection

from scripts import postgres

pytestmark = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no archive")

#: As docs/backups.md says it.
ARCHIVE = "test ! -f {0}/%f && cp %p {0}/.%f && mv {0}/.%f {0}/%f"


def test_a_table_that_was_emptied_is_there_again():
    with postgres.own_folder() as archive:
        archive.chmod(0o777)
        options = {
            "archive_mode": "on",
            "archive_command": ARCHIVE.format(archive),
            "wal_level": "replica",
        }
        with postgres.own_server(options=options) as own:
            with psycopg.connect(own.url, autocommit=True) as asking:
                asking.execute("CREATE TABLE booking AS SELECT generate_series(1, 10) AS id")
            with postgres.own_folder() as home:
                again = postgres.Server(
                    home,
                    durable=False,
                    options={"restore_command": f"cp {archive}/%f %p",
                             "recovery_target_action": "promote"},
                )  # fmt: skip
                again.copy(own)
                with psycopg.connect(own.url, autocommit=True) as asking:
                    asking.execute("INSERT INTO booking SELECT generate_series(11, 20)")
                    [before] = asking.execute("SELECT clock_timestamp()").fetchone()
                    asking.execute("SELECT pg_sleep(0.01)")
                    asking.execute("DELETE FROM booking")
                    asking.execute("SELECT pg_switch_wal()")
                    asking.execute("CHECKPOINT")
                own.process.terminate()  # smart: it archives what is left, then ends
                own.process.wait()
                data = home / "data"
                (data / "standby.signal").unlink()
                (data / "recovery.signal").touch()
                with (data / "postgresql.auto.conf").open("a") as settings:
                    settings.write(f"primary_conninfo = ''\nrecovery_target_time = '{before}'\n")
                shutil.chown(data / "recovery.signal", *_owner(data))
                again.start()
                again.wait()
                try:
                    with psycopg.connect(again.url, autocommit=True) as asking:
                        rows = asking.execute("SELECT count(*) FROM booking").fetchone()
                        assert rows == (20,)
                finally:
                    again.stop()


def _owner(path):
    found = path.stat()
    return found.st_uid, found.st_gid
