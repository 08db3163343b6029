"""A clock that is two minutes off, by libfaketime, which reads the offset from a file."""

from collections.abc import Iterator
from pathlib import Path

from chaos.cluster import Cluster
from chaos.faults.arena import Arena, Breaking, Fault

LIBRARIES = "usr/lib/*/faketime/libfaketime.so.1"
MINUTES_OFF = 2


def library() -> Path | None:
    found: Iterator[Path] = Path("/").glob(LIBRARIES)
    return next(found, None)


def install(cluster: Cluster) -> None:
    """Give every web node and worker a clock that can be set, before they start."""
    if path := library():
        for name in cluster.names_of("web", "worker"):
            cluster.extra[name] = {
                "LD_PRELOAD": str(path),
                "FAKETIME_TIMESTAMP_FILE": str(_file(cluster, name)),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1",
            }
            set_clock(cluster, name, 0)


def set_clock(cluster: Cluster, name: str, seconds: int) -> None:
    path = _file(cluster, name)
    new = path.with_suffix(".new")
    new.write_text(f"{seconds:+d}\n")
    new.replace(path)  # never half a file


def clock(arena: Arena) -> Breaking:
    name = arena.one_of(arena.dice.choice(["web", "web", "worker"]))
    sign = arena.dice.choice([-1, 1])
    yield name
    set_clock(arena.cluster, name, sign * MINUTES_OFF * 60)
    arena.hold(8, 15)
    set_clock(arena.cluster, name, 0)
    return f"two minutes {'fast' if sign > 0 else 'slow'}"


def no_library(arena: Arena) -> str:
    return "" if library() else "libfaketime is missing (apt-get install faketime)"


def _file(cluster: Cluster, name: str) -> Path:
    return cluster.home / f"clock-{name}"


CLOCKS = [
    Fault("clock", "the clock of a web node or worker jumps by two minutes", clock, no_library)
]
