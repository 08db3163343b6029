"""`make run` serves the site and keeps a worker running beside it, whatever happens."""

import os
import signal
import subprocess
import sys

import httpx
import pytest
from django.conf import settings

from config.models import WorkerHeartbeat
from config.tests import http
from config.tests.processes import PATIENCE, database_url, wait_for
from scripts import postgres, serve

pytestmark = pytest.mark.one_database("sqlite")

SLEEP = ["sleep", "600"]


@pytest.fixture
def run():
    """Start a program in its own session, as a terminal does; nothing of it is left behind."""
    started = []

    def start(*command, **environment):
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=settings.BASE_DIR,
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if is_there(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def is_there(group):
    """Tell whether any process in a group is running; dead ones may still wait to be reaped."""
    table = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True).stdout
    states = [line.split() for line in table.splitlines()]
    return any(int(pgid) == group and not state.startswith("Z") for pgid, state in states)


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_is_replaced_and_ctrl_c_stops_all(run):
    port = postgres.free_port()
    supervisor = run(
        "scripts/serve.py",
        DATABASE_URL=database_url(),
        PORT=str(port),
        LISTEN="127.0.0.1",
        WEB_CONCURRENCY="1",
    )
    wait_for(WorkerHeartbeat.objects.exists)
    first = WorkerHeartbeat.objects.get()
    os.kill(int(first.name.split()[1]), signal.SIGKILL)
    wait_for(WorkerHeartbeat.objects.exclude(name=first.name).exists)
    wait_for(lambda: is_served(port))
    os.killpg(supervisor.pid, signal.SIGINT)
    said, _ = supervisor.communicate(timeout=PATIENCE)
    assert supervisor.returncode == 0
    assert "The worker ended (SIGKILL). Another in 1 s." in said
    wait_for(lambda: not is_there(supervisor.pid))
    assert list(WorkerHeartbeat.objects.all()) == [first]  # the other one deregistered


def is_served(port):
    try:
        return http.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def supervising(web, worker):
    program = f"from scripts import serve; serve.WEB, serve.WORKER = {web}, {worker}; "
    return "-c", f"import sys; {program} print('ready', flush=True); sys.exit(serve.main())"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of a parent's death")
def test_a_killed_supervisor_leaves_no_orphan(run):
    supervisor = run(*supervising(SLEEP, SLEEP))
    children = f"/proc/{supervisor.pid}/task/{supervisor.pid}/children"
    wait_for(lambda: len(pids(children)) == 2)
    left = pids(children)
    supervisor.kill()
    supervisor.wait()
    wait_for(lambda: not any(map(is_running, left)))


def pids(file):
    with open(file) as opened:
        return [int(pid) for pid in opened.read().split()]


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_when_the_site_ends_the_worker_ends_too_and_it_is_reported(run):
    supervisor = run(*supervising(["sh", "-c", "exit 3"], SLEEP))
    supervisor.communicate(timeout=PATIENCE)
    assert supervisor.returncode == 3
    wait_for(lambda: not is_there(supervisor.pid))


def test_a_worker_that_keeps_dying_is_restarted_less_and_less_often(monkeypatch, capsys):
    monkeypatch.setattr(serve, "WORKER", ["false"])
    worker, pauses = serve.Worker(), []
    for _ in range(8):
        worker.process.wait()
        pauses.append(worker.look_after())
        worker._again_at = 0
        assert worker.look_after() is None
    worker.process.wait()
    assert [round(pause) for pause in pauses] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert capsys.readouterr().out.startswith("The worker ended (exit code 1). Another in 1 s.\n")
