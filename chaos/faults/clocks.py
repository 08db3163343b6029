"""A clock that is two minutes off, by a small library before libc (clock.c).

libfaketime would do the same, but makes time.sleep of Python 3.13 fail, and with it gunicorn.
"""

import shutil
import subprocess
from pathlib import Path

from chaos.cluster import Cluster
from chaos.faults.arena import Arena, Breaking, Fault
from chaos.programs import PATH

SOURCE = Path(__file__).with_name("clock.c")
SECONDS_OFF = 120


def install(cluster: Cluster) -> None:
    """Give every web node and worker a clock that can be set, before they start."""
    compiler = _compiler()
    if not compiler:
        return
    library = cluster.home / "clock.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, env={"PATH": PATH}, check=True)
    for name in cluster.names_of("web", "worker"):
        set_clock(cluster, name, 0)
        path = _file(cluster, name)
        cluster.extra[name] = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(path)}
        for each in (library, path):
            each.chmod(0o644)


def set_clock(cluster: Cluster, name: str, seconds: int) -> None:
    """Let the clock of a node jump; 0 is the right time."""
    path = _file(cluster, name)
    with path.open("r+b" if path.exists() else "wb") as file:  # they have it mapped
        file.write(seconds.to_bytes(8, "little", signed=True))


def clock(arena: Arena) -> Breaking:
    name = arena.one_of(arena.dice.choice(["web", "web", "worker"]))
    sign = arena.dice.choice([-1, 1])
    yield name
    set_clock(arena.cluster, name, sign * SECONDS_OFF)
    arena.hold(8, 15)
    set_clock(arena.cluster, name, 0)
    return f"two minutes {'fast' if sign > 0 else 'slow'}"


def no_compiler(arena: Arena) -> str:
    return "" if _compiler() else "there is no C compiler (apt-get install gcc libc6-dev)"


def _compiler() -> str | None:
    return shutil.which("cc", path=PATH)


def _file(cluster: Cluster, name: str) -> Path:
    return cluster.home / f"clock-{name}"


CLOCKS = [
    Fault("clock", "the clock of a web node or worker jumps by two minutes", clock, no_compiler)
]
