"""The proxies that docs show in front of gunicorn, as far as they are installed here."""

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attacks import slow
from attacks.report import Outcome
from attacks.site import BASE, Site, free_port

#: Many more than there are web processes.
CLIENTS = 200
OLDEST_CADDY = (2, 6, 4)  # that knows `request_buffers`


def check(found: Site) -> list[Outcome]:
    outcomes = []
    for name, command, example in (
        (
            "nginx",
            ["nginx", "-p", "{home}", "-c", "{file}", "-e", "{home}/error.log"],
            "nginx.conf",
        ),
        ("Caddy", ["caddy", "run", "--config", "{file}", "--adapter", "caddyfile"], "Caddyfile"),
    ):
        if reason := _why_not(command[0]):
            outcomes.append(Outcome(f"Slow clients, behind {name}", notes=[f"not tried: {reason}"]))
            continue
        try:
            with behind(command, BASE / "deploy" / example, found.port) as port:
                outcomes.append(
                    slow.check(port, most=CLIENTS, name=f"behind {name}", may_block=False)
                )
        except DidNotStart as error:
            outcomes.append(Outcome(f"Slow clients, behind {name}", findings=[str(error)]))
    return outcomes


def _why_not(program: str) -> str:
    """Return why a proxy can't be tried here, or nothing."""
    if shutil.which(program) is None:
        return "it isn't installed here"
    if program == "caddy":
        said = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
        version = tuple(map(int, re.findall(r"\d+", said.stdout)[:3]))
        if version < OLDEST_CADDY:
            return f"it is {'.'.join(map(str, version))}, which can't read the example"
    return ""


class DidNotStart(Exception):
    """What a proxy said instead."""


@contextmanager
def behind(command: list[str], example: Path, upstream: int) -> Iterator[int]:
    """Run a proxy with the example's settings, on ports of our own and without certificates."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="mesto-front-") as folder:
        home, file = Path(folder), Path(folder) / example.name
        text = example.read_text().replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
        file.write_text(_plain(text, port, home))
        words = [word.format(home=home, file=file) for word in command]
        with (home / "said").open("wb") as said:
            process = subprocess.Popen(words, cwd=home, stdout=said, stderr=said)
        try:
            if not _is_up(port):
                raise DidNotStart((home / "said").read_text(errors="replace")[-500:])
            yield port
        finally:
            process.terminate()
            process.wait()


def _plain(text: str, port: int, home: Path) -> str:
    kept = [line for line in text.splitlines() if "ssl_certificate" not in line]
    found = "\n".join(kept).replace("listen 443 ssl", f"listen 127.0.0.1:{port}")
    found = found.replace("listen [::]:443 ssl;", "").replace(
        "mesto.example {", f"http://127.0.0.1:{port} {{"
    )
    head = f"daemon off;\npid {home}/nginx.pid;\n" if "http {" in found else ""
    return head + found.replace("user www-data;", "").replace("/var/", f"{home}/var/").replace(
        "return 301 https", "return 301 http"
    ).replace("listen 80", f"listen 127.0.0.1:{free_port()}").replace("listen [::]:80;", "")


def _is_up(port: int) -> bool:
    until = time.monotonic() + 30
    while not slow.is_answered(port):
        if time.monotonic() > until:
            return False
        time.sleep(0.2)
    return True
