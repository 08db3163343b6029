"""Crowds of processes against one place of the test's database; and the command that plays them."""

import os
import signal
import subprocess
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from benchmarks.site import ENVIRONMENT, ROOT, Tree, Web
from chaos import contested
from chaos.units import family
from config.tests.processes import database_url

on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="It is about a file of SQLite")


@pytest.fixture
def database(transactional_db, monkeypatch):
    """The address of the test's own database, where players in other processes find it too."""
    for name, value in {**ENVIRONMENT, "DATABASE_URL": database_url()}.items():
        monkeypatch.setenv(name, value)
    return database_url()


def test_every_contested_round_has_one_winner(database):
    result = contested.run(database, 10, 8)
    assert len(result.answers) == 80
    assert (result.told("CONFIRMED"), result.told("ERROR")) == (10, 0)
    assert result.is_good, result


@on_postgresql
def test_it_is_as_fair_through_the_api_and_for_places_that_share_parts(database):
    with Web(processes=2).serving(Tree(ROOT)) as (port, _pid):
        site = f"http://127.0.0.1:{port}"
        result = contested.run(database, 5, 4, site=site, composites=True)
    assert len(result.answers) == 20
    assert result.told("CONFIRMED") >= 5
    assert result.is_good, result


@on_sqlite
def test_it_notices_a_player_who_is_killed(database, capsys):
    is_over = Event()
    killer = Thread(target=kill_first_player, args=[is_over])
    killer.start()
    try:
        result = contested.run(database, 2000, 4)
    finally:
        is_over.set()
        killer.join()
    assert result.gone == ["player 1 ended with -9"]
    assert result.wrong
    assert not result.is_good
    contested.report(result, Namespace(http=None, engine="sqlite", rounds=2000, members=4))
    assert "Lost: player 1 ended with -9" in capsys.readouterr().out


def kill_first_player(is_over):
    """Kill a process of some players, once they have begun."""
    while not is_over.wait(0.1):
        for child in family(os.getpid()):
            with suppress(OSError):  # it has just ended
                threads = list(Path(f"/proc/{child}/task").glob("*"))
                is_player = b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
                if is_player and len(threads) > 4:
                    os.kill(child, signal.SIGKILL)
                    return


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_the_command_fails_without_the_constraint(empty):
    with psycopg.connect(empty) as inside:
        inside.execute("ALTER TABLE bookings_bookedslot DROP CONSTRAINT booked_slot_once")
    command = [sys.executable, "-m", "chaos", "contested", "--engine", connection.vendor]
    done = subprocess.run(
        [*command, "--rounds", "3", "--members", "4"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"TEST_DATABASE_URL": empty},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 1, done.stdout
    assert figures(done.stdout, "tries", "errors", "wrong rounds") == ("12", "0", "3")
    assert "were told that they won" in done.stdout
    assert "overlap: " in done.stdout


def figures(output, *names):
    lines = (line for line in output.splitlines() if line[:2] == "  " and line[2:3].isalpha())
    told = dict(line.strip().split("  ", maxsplit=1) for line in lines if "  " in line.strip())
    return tuple(told[name].strip() for name in names)
