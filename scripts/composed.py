"""Do what compose.yaml says of our image, without an engine: each command, in order, and health.

On a PostgreSQL of our own and with a cache in each process; everything else is as it says.
"""

import re
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts import postgres

BASE = Path(__file__).resolve().parent.parent
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
GIVEN = {"SECRET_KEY": "for-this-run-only-" * 4, "POSTGRES_PASSWORD": "unused"}
PATIENCE = 180.0  # seconds


class Wrong(Exception):
    """What compose.yaml says doesn't work; the text says what."""


def filled(text: str, given: Mapping[str, str]) -> str:
    """Fill in ${NAME}, ${NAME:-default} and ${NAME:?reason}, as compose does."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if given.get(name):
            return given[name]
        if kind == "?":
            raise Wrong(f"{name} is missing: {rest}")
        return rest or ""

    return VARIABLE.sub(value, text)


@dataclass(frozen=True)
class Image:
    """What the services run in."""

    app: Path
    environ: Mapping[str, str]
    command: Sequence[str]
    health: Sequence[str]


def play(image: Image, database: str) -> None:
    """Migrate, serve, work, back up and restore, as a new installation does."""
    services = Services(image, database)
    with ExitStack() as running:
        services.run("migrate")
        running.enter_context(services.started("web"))
        until("web is healthy", services.is_healthy)
        running.enter_context(services.started("worker"))
        until("the worker is there", services.has_worker)
        services.run("backup")
    services.run("backup", ["python", "manage.py", "restore", "latest", "--force"])
    services.run("backup", ["python", "manage.py", "check_bookings"])


class Services:
    """The services of our image, as processes beside each other."""

    def __init__(self, image: Image, database: str) -> None:
        self._image, self._database = image, database
        self._services = yaml.safe_load((BASE / "compose.yaml").read_text())["services"]
        self._port = str(postgres.free_port())

    def run(self, name: str, command: Sequence[str] = ()) -> None:
        command = command or self._command(name)
        print(f"{name}: {' '.join(command)}", flush=True)
        subprocess.run(command, cwd=self._image.app, env=self._environ(name), check=True)

    @contextmanager
    def started(self, name: str) -> Iterator[None]:
        command = self._command(name)
        print(f"{name}: {' '.join(command)}", flush=True)
        with subprocess.Popen(command, cwd=self._image.app, env=self._environ(name)) as process:
            yield
            process.terminate()
        if process.returncode:
            raise Wrong(f"{name} ended with {process.returncode}.")

    def is_healthy(self) -> bool:
        asked = subprocess.run(
            self._image.health, env=self._environ("web"), stderr=subprocess.DEVNULL
        )
        return asked.returncode == 0

    def has_worker(self) -> bool:
        try:
            address = f"http://127.0.0.1:{self._port}/readyz?worker=1"
            with urllib.request.urlopen(address, timeout=5) as answer:
                return bool(answer.status == 200)
        except urllib.error.URLError:
            return False

    def _command(self, name: str) -> Sequence[str]:
        return self._services[name].get("command") or self._image.command

    def _environ(self, name: str) -> dict[str, str]:
        said: dict[str, Any] = self._services[name]["environment"]
        return {
            **self._image.environ,
            **{key: filled(str(value), GIVEN) for key, value in said.items()},
            "DATABASE_URL": self._database,
            "CACHE_URL": "locmemcache://",
            "BACKUP_URL": str(self._image.app.parent / "backups"),
            "PORT": self._port,
        }


def until(what: str, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise Wrong(f"After {PATIENCE:.0f} seconds it isn't so that {what}.")
        time.sleep(0.5)
    print(what, flush=True)
