"""Management commands as separate processes, on the test's database."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import quote

from django.conf import settings
from django.db import connection

#: Seconds after which a wait has failed. It is for what never comes, so it is long: a machine
#: may be slow or busy, and if all is well nobody waits longer than necessary.
PATIENCE = 300

#: Seconds between two questions whether what is awaited has come.
LONGEST_PAUSE = 0.1


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell makes its background processes ignore Ctrl-C, and children inherit that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=environ(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def environ(**more: str) -> dict[str, str]:
    """Return the environment of a process on the test's database."""
    return {**os.environ, "DATABASE_URL": database_url(), **more}


def database_url(name: str = "") -> str:
    """Return the address of the test's database, or of another beside it, for another process."""
    found = connection.settings_dict | ({"NAME": name} if name else {})
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(
        **{name: quote(str(value), safe="") for name, value in found.items()}
    )


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Ask until it is so, less and less often: each question costs the time of what is awaited."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE)
