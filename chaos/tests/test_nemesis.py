"""Faults: which come when, and that those made by us do what they say. `make chaos` is the rest."""

import random
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest

from chaos import machines, nemesis
from chaos.faults import FAULTS, SHORT, Arena, clocks, disks
from chaos.faults.arena import Fault
from chaos.history import Fault as Happened
from chaos.layout import ROOT
from chaos.reporting.limits import LIMITS, limit_of

pytestmark = pytest.mark.any_database


class FakeCluster:
    """Enough of a cluster to draw lots about."""

    def __init__(self, home):
        self.home, self.extra = home, {}

    def names_of(self, *kinds):
        return [f"{kind}{number}" for kind in kinds for number in (1, 2)]


def arena(seed=1, home=None, no_machines=""):
    return Arena(FakeCluster(home), None, None, random.Random(seed), no_machines=no_machines)


def run(*arguments):
    return SimpleNamespace(asked=nemesis.parse(arguments), seed=1)


def test_each_fault_comes_in_each_round_in_an_order_that_the_seed_decides():
    first, again, other = (
        nemesis.schedule(run("--rounds", "3"), arena(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other
    size = len(first) // 3
    for begin in range(0, len(first), size):
        assert len(set(first[begin : begin + size])) == size


def test_the_short_run_has_three_faults():
    assert sorted(nemesis.schedule(run("--short"), arena())) == sorted(SHORT)


def test_what_cannot_be_done_here_is_left_out_and_said(capsys):
    found = nemesis.schedule(
        run("--faults", "worker,partition,disk-full"), arena(no_machines="not allowed")
    )
    assert set(found) == {"worker"}
    said = capsys.readouterr().out
    assert "Left out: partition" in said
    assert "Left out: disk-full" in said
    assert "not allowed" in said


@pytest.mark.parametrize(
    "wrong", [["--faults", "worker,earthquake"], ["--rounds", "0"], ["--webs", "1"]]
)
def test_a_run_that_cannot_be_is_refused(wrong, capsys):
    with pytest.raises(SystemExit) as refused:
        nemesis.parse(wrong)
    assert refused.value.code == 2


def test_every_limit_is_of_a_fault_that_there_is():
    assert set(LIMITS) <= set(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_has_a_limit_and_is_listed(name, capsys):
    assert isinstance(FAULTS[name], Fault)
    assert limit_of(Happened(name, "", 0, 0, 0))
    with pytest.raises(SystemExit):
        nemesis.parse(["--help"])
    assert f"  {name:18} {FAULTS[name].about}" in capsys.readouterr().out


@pytest.mark.skipif(bool(clocks.no_compiler(None)), reason="there is no C compiler")
def test_a_clock_jumps_in_a_running_process_and_durations_stay_right(tmp_path):
    cluster = FakeCluster(tmp_path)
    clocks.install(cluster)
    program = textwrap.dedent("""
        import datetime, sys, time
        before = time.monotonic()
        for line in sys.stdin:
            time.sleep(0.01)
            print(time.time(), datetime.datetime.now(datetime.UTC).timestamp(), flush=True)
        assert time.monotonic() - before < 60
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=cluster.extra["web1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def times():
            process.stdin.write("\n")
            process.stdin.flush()
            return [float(each) for each in process.stdout.readline().split()]

        for offset in (0, 120, -120, 0):
            clocks.set_clock(cluster, "web1", offset)
            before, after = times(), times()
            clocks.set_clock(cluster, "web1", 0)
            for shifted, right in zip(before, times(), strict=True):
                assert abs(right + offset - shifted) < 60
            assert after >= before
        process.stdin.close()
    assert process.returncode == 0


def in_a_namespace(program):
    """Run a program where a network and mounts of its own are allowed."""
    if reason := machines.impossible():
        pytest.skip(reason)
    done = subprocess.run(
        [*machines.unshare(), sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_machine_that_is_cut_off_hears_nothing_until_it_is_joined():
    assert in_a_namespace("""
        import socket, threading
        from chaos.machines import Machines

        def reaches():
            try:
                socket.create_connection((Machines.host(1), 7777), 0.5).close()
            except OSError:
                return "cut"
            return "joined"

        def listen():
            listener.append(socket.create_server((Machines.host(1), 7777)))

        listener = []
        machines = Machines(2)
        machines.run(1, listen)
        print(reaches())
        machines.cut(1)
        print(reaches())
        machines.join(1)
        while reaches() == "cut":
            pass
        print("joined")
    """) == ["joined", "cut", "joined"]


def test_a_full_disk_takes_nothing_until_the_balloon_is_gone(tmp_path):
    assert in_a_namespace(f"""
        from pathlib import Path
        from chaos.faults import disks
        from chaos.machines import Machines

        folder = Path({str(tmp_path)!r})
        Machines(1).give_disk(folder, {{}})

        def write():
            try:
                (folder / "row").write_bytes(b"x" * 10000)
            except OSError as error:
                return error.strerror.replace(" ", "-")
            return "written"

        balloon = folder / disks.BALLOON
        disks.inflate(balloon)
        print(write())
        balloon.unlink()
        print(write())
    """) == ["No-space-left-on-device", "written"]


def test_the_balloon_is_where_no_copy_of_a_database_takes_it_along():
    # pg_basebackup and pg_rewind leave the contents of this folder out.
    assert disks.BALLOON.startswith("pg_stat_tmp/")
