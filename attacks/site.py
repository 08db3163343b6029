"""A whole site of its own to attack: gunicorn as it is shipped, on the database in DATABASE_URL."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from scripts import prepared

BASE = Path(__file__).resolve().parent.parent
PASSWORD = "mesto-demo"
PATIENCE = 180  # seconds until the site answers
MANY = "10000000"
#: So that the limits don't hide everything else; they have an attack of their own.
UNLIMITED = dict.fromkeys(
    (
        *("API_RATE_PER_TOKEN", "API_RATE_PER_ADDRESS", "SIGN_UPS_PER_ADDRESS"),
        *("SIGN_UPS_PER_LOGIN", "TOKENS_PER_ADDRESS", "TOKENS_PER_LOGIN", "GUESTS_PER_ADDRESS"),
        *("GUESTS_PER_CONTACT", "LOGIN_FAILURE_LIMIT", "ADDRESS_FAILURE_LIMIT"),
        *("FORGOTTEN_PER_ADDRESS", "FORGOTTEN_PER_LOGIN"),
    ),
    MANY,
)


@dataclass
class Site:
    """Where it is, what its processes say, and how it is set up."""

    url: str
    port: int
    log: Path
    mail: Path
    env: dict[str, str]

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, headers=headers)

    def manage(self, *arguments: str) -> str:
        found = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE,
            env=self.env,
            check=False,
            capture_output=True,
            text=True,
        )
        if found.returncode:
            raise RuntimeError(f"{arguments}: {found.stdout}{found.stderr}")
        return found.stdout


@contextmanager
def site(*, is_new: bool = True, **settings: str) -> Iterator[Site]:
    """Serve the demo, with limits out of the way unless a setting says otherwise.

    Only the first site of a run has to make it.
    """
    with tempfile.TemporaryDirectory(prefix="mesto-attack-") as folder:
        home, port = Path(folder), free_port()
        env = {
            **os.environ,
            "DEBUG": "false",
            "HTTPS": "false",
            "SECRET_KEY": "signs-nothing-that-matters-" * 3,
            "ALLOWED_HOSTS": "127.0.0.1",
            "SITE_URL": "http://mesto.example",
            "CACHE_URL": "locmemcache://",
            "EMAIL_URL": f"filemail:///{home / 'mail'}",
            "LISTEN": "127.0.0.1",
            "PORT": str(port),
            "WEB_CONCURRENCY": "2",
            "TRUSTED_PROXIES": "0",
            **UNLIMITED,
            **settings,
        }
        found = Site(f"http://127.0.0.1:{port}", port, home / "web.log", home / "mail", env)
        if is_new:
            prepared.fill(env["DATABASE_URL"], env)
            found.manage("demo", "--days", "3")
        command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
        with found.log.open("wb") as output:
            process = subprocess.Popen(command, cwd=BASE, env=env, stdout=output, stderr=output)
        try:
            _wait(found)
            yield found
        finally:
            process.terminate()
            process.wait()


def _wait(found: Site) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            httpx.get(f"{found.url}/readyz").raise_for_status()
            return
        except httpx.HTTPError as error:
            if time.monotonic() > until:
                why = getattr(error, "response", httpx.Response(0, text="")).text
                raise RuntimeError(
                    f"the site did not start: {why}\n{found.log.read_text()[-2000:]}"
                ) from None
            time.sleep(0.2)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
