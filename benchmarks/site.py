"""The site under test: its database, its data, its web server, and what they use of the machine."""

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django

from scripts import postgres

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
LOG = VAR / "benchmark.log"  # the web processes' and workers' errors
COUNTING = {"shared_preload_libraries": "pg_stat_statements"}  # off until it is asked for
SERVERS = ("gunicorn", "gthread", "granian")
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "SECRET_KEY": "a-key-for-benchmarks-that-signs-nothing-which-matters-0123456789",
    "DEBUG": "false",
    "HTTPS": "false",  # the benchmark speaks plain HTTP on loopback
    "ALLOWED_HOSTS": "127.0.0.1",
    "TRUSTED_PROXIES": "0",
    "LISTEN": "127.0.0.1",
    # Requests are counted as always; one address just sends more than any program should.
    "API_RATE_PER_TOKEN": "100000000",
    "API_RATE_PER_ADDRESS": "100000000",
}


@dataclass
class Database:
    url: str
    server: postgres.Server | None = None  # None: not ours

    @property
    def pid(self) -> int | None:
        return self.server.process.pid if self.server else None

    def program(self, name: str) -> Path | None:
        """Return a client program that came with the server."""
        found = self.server and self.server.program(name)
        return found if found and found.exists() else None


@contextmanager
def database(engine: str = "postgresql") -> Iterator[Database]:
    """Yield an empty database that writes to the disk before it answers, as in production."""
    url = os.environ.get("TEST_DATABASE_URL", "")
    if url.startswith("sqlite" if engine == "sqlite" else "postgres"):
        yield Database(url)
    elif engine == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield Database(f"sqlite:///{folder}/mesto.sqlite3")
    else:
        with postgres.own_server(durable=True, options=COUNTING) as server:
            yield Database(server.url, server)


@dataclass
class Tree:
    """A checkout of Mesto: this one, or another that is compared with it."""

    path: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def python(self) -> str:
        own = self.path / ".venv/bin/python"
        return str(own) if own.exists() else sys.executable

    @property
    def commit(self) -> str:
        asked = ["git", "-C", str(self.path), "describe", "--always", "--dirty"]
        return subprocess.run(asked, capture_output=True, text=True).stdout.strip() or "unknown"

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.python, *arguments],
            cwd=self.path,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            sys.exit(f"{' '.join(arguments)} failed in {self.path}.")
        return done.stdout

    def prepare(self, people: int) -> dict[str, Any]:
        """Make the tables, the demo data and what the benchmarks add to it."""
        self.run("manage.py", "migrate", "--verbosity", "0")
        self.run("manage.py", "demo")
        self.run("manage.py", "collectstatic", "--no-input", "--clear", "--verbosity", "0")
        found: dict[str, Any] = json.loads(self.run(str(ROOT / "benchmarks/scene.py"), str(people)))
        return found


@contextmanager
def in_this_process(engine: str, **environment: str) -> Iterator[str]:
    """Give this process, and those it starts, an empty database; yield what to print above."""
    with database(engine) as base:
        os.environ |= {**ENVIRONMENT, "DATABASE_URL": base.url, **environment}
        tree = Tree(ROOT)
        tree.run("manage.py", "migrate", "--verbosity", "0")
        django.setup()
        yield title(machine(tree))


@dataclass
class Web:
    """How it is served."""

    server: str = "gunicorn"
    processes: int = min(2 * (os.cpu_count() or 1) + 1, 9)  # as in config/gunicorn.py
    threads: int = 4
    keep_alive: bool = False  # clients keep their connections
    parser: str = "auto"  # of gunicorn: "fast" needs gunicorn-h1c

    def command(self, python: str, port: int) -> list[str]:
        if self.server == "granian":
            return [
                *(python, "-m", "granian", "--interface", "wsgi", "--no-ws"),
                *("--host", "127.0.0.1", "--port", str(port), "--workers", str(self.processes)),
                *("--blocking-threads", "1", "--backlog", "2048", "--log-level", "warning"),
                "config.wsgi:application",
            ]
        options = ["-c", "config/gunicorn.py", "--http-parser", self.parser]
        if self.server == "gthread":
            options += ["-k", "gthread", "--threads", str(self.threads), "--keep-alive", "75"]
        return [python, "-m", "gunicorn", *options, "config.wsgi"]

    def __str__(self) -> str:
        threads = f" of {self.threads} threads" if self.server == "gthread" else ""
        kept = ", connections kept" if self.keep_alive else ""
        parser = f", {self.parser} parser" if self.parser != "auto" else ""
        return f"{self.server} with {self.processes} processes{threads}{kept}{parser}"

    @contextmanager
    def serving(self, tree: Tree, host: str = "127.0.0.1") -> Iterator[tuple[int, int]]:
        """Serve a tree until the block ends; yield port and process.

        `host` is where it listens by its LISTEN.
        """
        port = postgres.free_port()
        settings = {"PORT": str(port), "WEB_CONCURRENCY": str(self.processes), "SERVING": "true"}
        LOG.parent.mkdir(exist_ok=True)
        with LOG.open("wb") as log:
            process = subprocess.Popen(
                self.command(tree.python, port),
                cwd=tree.path,
                env={**os.environ, **tree.environment, **settings},
                stdout=log,
                stderr=log,
            )
        try:
            while not listens(port, host):
                if process.poll() is not None:
                    sys.exit(f"{self.server} did not start: see {LOG}")
                time.sleep(0.1)
            yield port, process.pid
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a server, also one that waits for its clients to go (granian does)."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        for pid in list(_family(process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def listens(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


# --- What processes use ---------------------------------------------------------------------------


def cpu_seconds(pid: int | None) -> float | None:
    """Return the processor time of a process and its children so far; None where we can't tell."""
    if pid is None or not Path("/proc/self/schedstat").exists():
        return None
    return sum(_own_seconds(each) for each in _family(pid)) + _of_dead_children(pid)


def _family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text().split():
                yield from _family(int(child))


def _own_seconds(pid: int) -> float:
    used = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):  # threads
        with suppress(OSError):  # it has just ended
            used += int(task.read_text().split()[0])
    return used / 1e9


def _of_dead_children(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def machine(tree: Tree) -> dict[str, Any]:
    """Say on what it is measured."""
    told = tree.run("-c", VERSIONS).strip().split(maxsplit=2)
    return {
        "commit": tree.commit,
        "cores": os.cpu_count(),
        "processor": _processor(),
        "load": [round(number, 1) for number in os.getloadavg()],
        **dict(zip(("python", "django", "database"), told, strict=True)),
    }


def title(about: dict[str, Any]) -> str:
    load = " ".join(map(str, about["load"]))
    return (
        f"Mesto {about['commit']} on {about['cores']} cores ({about['processor']}), shared with "
        f"clients and database; load average at the start {load}.\n"
        f"Python {about['python']}, Django {about['django']}, {about['database']}."
    )


VERSIONS = """
import platform, django
django.setup()
from django.db import connection
with connection.cursor() as cursor:
    is_big = connection.vendor == "postgresql"
    cursor.execute("SHOW server_version" if is_big else "SELECT sqlite_version()")
    name = f"{connection.display_name} {cursor.fetchone()[0].split()[0]}"
    print(platform.python_version(), django.__version__, name, "(fsync on)" if is_big else "(WAL)")
"""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    found = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(found, platform.machine())
