"""Takes up the PostgreSQL processes that Patroni lets go, and buries them when they die.

systemd does that at once. The first process of a container may take seconds, and Patroni takes what
is dead but not buried for a PostgreSQL that runs.
"""

import ctypes
import os
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from chaos.units import process_state

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
EVERY = 0.05  # seconds


@cache
def take_up() -> None:
    """Be the parent of whatever below this process loses its own, from now on."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    threading.Thread(target=_bury, name="orphans", daemon=True).start()


def _bury() -> None:
    while True:
        time.sleep(EVERY)
        for pid in _postgres():
            if process_state(pid) == "Z":
                # Whoever started one here, and waits for it, may be first.
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


def _postgres() -> list[int]:
    """Return our children that are PostgreSQL; those of other programs are waited for already."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            found += [int(pid) for pid in children.read_text().split()]
    return [pid for pid in found if _is_postgres(pid)]


def _is_postgres(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip() == "postgres"
    return False
