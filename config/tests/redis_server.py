"""A server of the Redis protocol, for the tests of what processes share."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from config.tests.processes import wait_for
from scripts import postgres


@contextmanager
def serving(home: Path) -> Iterator[int]:
    """Serve until the block ends, storing nothing on disk; yield the port."""
    server = shutil.which("valkey-server") or shutil.which("redis-server")
    if server is None:
        pytest.skip("no redis-server and no valkey-server on this machine")
    port = postgres.free_port()
    command = [server, "--bind", "127.0.0.1", "--port", str(port)]
    keeps_nothing = ["--save", "", "--appendonly", "no", "--dir", str(home)]
    with subprocess.Popen([*command, *keeps_nothing], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: answers(port))
            yield port
        finally:
            process.terminate()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
