"""The command itself, small, on the engine of this pass."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from chaos.units import family
from config.tests.processes import PATIENCE

on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="the other pass does")


def start(database, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "chaos", "contested", "--engine", connection.vendor, *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | {"TEST_DATABASE_URL": database},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told(output):
    lines = (line for line in output.splitlines() if line[:2] == "  " and line[2:3].isalpha())
    return dict(line.strip().split("  ", maxsplit=1) for line in lines if "  " in line.strip())


def figures(output, *names):
    found = {name: value.strip() for name, value in told(output).items()}
    return tuple(found[name] for name in names)


@pytest.mark.django_db(transaction=True)
def test_every_contested_round_has_one_winner(empty):
    process = start(empty, "--rounds", "10", "--members", "8")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert figures(output, "tries", "winners", "errors") == ("80", "10", "0")


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_it_is_as_fair_through_the_api_and_for_places_that_share_parts(empty):
    process = start(empty, "--rounds", "5", "--members", "4", "--http", "--composites")
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert figures(output, "tries", "errors", "wrong rounds") == ("20", "0", "0")
    assert int(*figures(output, "winners")) >= 5


@pytest.mark.any_database
@pytest.mark.django_db
def test_it_notices_a_player_who_is_killed(empty):
    process = start(empty, "--rounds", "2000", "--members", "4")
    child = first_player(process)
    os.kill(child, signal.SIGKILL)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    assert "ended with -9" in output
    assert figures(output, "wrong rounds") != ("0",)


def first_player(process):
    """Return the process of some players, once they have begun."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for child in family(process.pid):
            with suppress(OSError):  # it has just ended
                threads = list(Path(f"/proc/{child}/task").glob("*"))
                if (
                    b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
                    and len(threads) > 4
                ):
                    return child
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    pytest.fail("nobody plays")


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_it_fails_without_the_constraint(empty):
    with psycopg.connect(empty) as inside:
        inside.execute("ALTER TABLE bookings_bookedslot DROP CONSTRAINT booked_slot_once")
    process = start(empty, "--rounds", "3", "--members", "4")
    output, _ = process.communicate()
    assert process.returncode == 1, output
    assert figures(output, "wrong rounds") == ("3",)
    assert "were told that they won" in output
    assert "overlap: " in output
