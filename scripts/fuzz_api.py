"""Attack the API on the basis of its own schema: schemathesis, as a member, a host and a stranger.

It runs its own site, on demo data in a temporary SQLite file: gunicorn and a worker. No
500, no status, type or header that the schema doesn't name, no answer that doesn't match its
schema, no traceback in a log; and afterwards the bookings still keep every promise.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from scripts import prepared

BASE = Path(__file__).resolve().parent.parent
SCHEMATHESIS = BASE / ".venv-schemathesis/bin/schemathesis"
PASSWORD = "mesto-demo"  # noqa: S105 - see also config/demo
WHO = {"member": "member", "host": "host", "stranger": ""}
#: What each tries. Each value at an edge is tried as a member only, which takes half of the time:
#: what the others may do is another question, and fuzzing asks it.
PHASES = {
    "member": "examples,coverage,fuzzing,stateful",
    "host": "examples,fuzzing,stateful",
    "stranger": "examples,fuzzing",
}
PATIENCE = 180  # seconds until the site answers; other checks may use the machine too

#: How it attacks. Some values come from the demo data: by chance alone no booking
#: would ever be made.
CONFIG = """
seed = 1
continue-on-failure = true
warnings = false  # the rules of a space refuse much of what fits the schema

[generation]
database = "none"
max-examples = 20

[phases.stateful]
generation.max-examples = 40

[checks]
positive_data_acceptance.enabled = false  # the rules of a space are not part of the schema
use_after_free.enabled = false  # a cancelled booking stays, as history
missing_required_header.enabled = false  # no header is required

[dictionaries]
slugs.values = {slugs}
places.values = {places}
starts.values = {starts}
ends.values = {ends}

[parameters]
"path.slug" = {{ dictionary = "slugs", probability = 0.8 }}
"query.starts_at" = {{ dictionary = "starts", probability = 0.8 }}
"query.ends_at" = {{ dictionary = "ends", probability = 0.8 }}
"body.place" = {{ dictionary = "places", probability = 0.8 }}
"body.starts_at" = {{ dictionary = "starts", probability = 0.8 }}
"body.ends_at" = {{ dictionary = "ends", probability = 0.8 }}
"""

#: A line of the log.
BOOKED = r'"route": "api/v1/bookings", "method": "POST", "status": 20[12]'


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mesto-api-") as folder:
        home = Path(folder)
        port = free_port()
        env = {
            **os.environ,
            "DEBUG": "false",
            "HTTPS": "false",
            "SECRET_KEY": "signs-nothing-that-matters-" * 3,
            "ALLOWED_HOSTS": "127.0.0.1",
            "DATABASE_URL": f"sqlite:///{home / 'mesto.sqlite3'}",
            "LISTEN": "127.0.0.1",
            "PORT": str(port),
            "WEB_CONCURRENCY": "2",
            # A line so long that gunicorn refuses it never reaches the API.
            "GUNICORN_CMD_ARGS": "--limit-request-line=0",
            # Not what is tested here, and it would hide everything else.
            **dict.fromkeys(("API_RATE_PER_TOKEN", "API_RATE_PER_ADDRESS"), "10000000"),
            **dict.fromkeys(("SIGN_UPS_PER_ADDRESS", "SIGN_UPS_PER_LOGIN"), "10000000"),
            **dict.fromkeys(("TOKENS_PER_ADDRESS", "TOKENS_PER_LOGIN"), "10000000"),
            **dict.fromkeys(("LOGIN_FAILURE_LIMIT", "ADDRESS_FAILURE_LIMIT"), "10000000"),
        }
        prepared.fill(env["DATABASE_URL"], env)
        manage(env, "demo", "--days", "3")
        site = f"http://127.0.0.1:{port}"
        gunicorn = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
        worker = [sys.executable, "manage.py", "worker", "--interval", "1"]
        with running(gunicorn, env, home / "web"), running(worker, env, home / "worker"):
            wait_for(f"{site}/readyz", home / "web")
            failed = [who for who, login in WHO.items() if not attack(site, who, login, home)]
        failed += [name for name in ("web", "worker") if not is_clean(home / name)]
        if not re.search(BOOKED, (home / "web").read_text()):
            failed.append("nothing was ever booked")
        manage(env, "check_bookings")
    if failed:
        print(f"Failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def attack(site: str, who: str, login: str, home: Path) -> bool:
    print(f"=== The API, as a {who} ===", flush=True)
    headers = [f"--header=Authorization: Bearer {token(site, login)}"] if login else []
    config = home / "schemathesis.toml"
    config.write_text(CONFIG.format(**things_of(site)))
    schema = f"{site}/api/v1/openapi.json"
    command = [
        *(str(SCHEMATHESIS), f"--config-file={config}", "run", schema, "--no-color"),
        f"--phases={PHASES[who]}",
        *headers,
    ]
    return subprocess.run(command, cwd=home).returncode == 0


def things_of(site: str) -> dict[str, str]:
    """Return lists of existing things and of times when they are open, as TOML."""
    spaces = httpx.get(f"{site}/api/v1/spaces").json()["items"]
    slugs = [space["slug"] for space in spaces]
    details = [httpx.get(f"{site}/api/v1/spaces/{slug}").json() for slug in slugs]
    places = [place["code"] for space in details for place in space["places"][:8]]
    days = [datetime.now(UTC) + timedelta(days=n) for n in range(2, 5)]
    starts = [f"{day:%Y-%m-%d}T{hour}:00:00Z" for day in days for hour in (10, 11)]
    ends = [f"{day:%Y-%m-%d}T{hour}:00:00Z" for day in days for hour in (12, 13)]
    found = {"slugs": slugs, "places": places, "starts": starts, "ends": ends}
    return {name: json.dumps(values) for name, values in found.items()}


def token(site: str, login: str) -> str:
    """Sign in as any program does."""
    body = {"username": login, "password": PASSWORD}
    text: str = (
        httpx.post(f"{site}/api/v1/auth/token", json=body).raise_for_status().json()["token"]
    )
    return text


@contextmanager
def running(command: list[str], env: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=BASE, env=env, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while True:
        try:
            httpx.get(address).raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > until:
                sys.exit(f"The site did not start:\n{log.read_text()}")
            time.sleep(0.2)


def is_clean(log: Path) -> bool:
    text = log.read_text()
    if "Traceback" not in text and '"exception": ' not in text:
        return True
    print(f"=== The log of {log.name} ===\n{text[-10_000:]}", file=sys.stderr)
    return False


def manage(env: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=BASE, env=env, check=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    for stop in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(stop, lambda number, _frame: sys.exit(128 + number))
    sys.exit(main())
