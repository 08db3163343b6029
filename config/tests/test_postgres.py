import os
import signal
import socket
import subprocess
import sys

import pytest
from django.conf import settings

from config.tests.processes import PATIENCE

pytestmark = pytest.mark.any_database


@pytest.fixture
def run():
    """Start scripts/postgres.py with a Python program as its command."""
    processes = []

    def start(program):
        environment = {k: v for k, v in os.environ.items() if k != "TEST_DATABASE_URL"}
        process = subprocess.Popen(
            [sys.executable, "scripts/postgres.py", "--", sys.executable, "-uc", program],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.terminate()
        process.communicate()


def is_listening(url):
    port = int(url.rpartition(":")[2].partition("/")[0])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_command_has_a_database_and_its_exit_code_is_ours(run):
    process = run(
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as c:\n"
        "    print(c.execute('SHOW max_connections').fetchone()[0])\n"
        "raise SystemExit(3)"
    )
    output, _ = process.communicate(timeout=PATIENCE)
    assert int(output) >= 200
    assert process.returncode == 3


def test_the_server_ends_with_the_command(run):
    process = run("import os; print(os.environ['DATABASE_URL'])")
    url, _ = process.communicate(timeout=PATIENCE)
    assert not is_listening(url)


def test_the_server_ends_when_told_to(run):
    process = run("import os, signal; print(os.environ['DATABASE_URL']); signal.pause()")
    url = process.stdout.readline()
    assert is_listening(url)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGTERM
    assert not is_listening(url)
