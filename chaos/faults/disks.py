"""A disk that is full: the primary's, by a file that takes what is left."""

import os
from pathlib import Path

from chaos.faults.arena import Arena, Breaking, Fault

#: In a folder that neither pg_basebackup nor pg_rewind copies.
BALLOON = "pg_stat_tmp/balloon"


def disk_full(arena: Arena) -> Breaking:
    number = arena.primary()
    yield f"postgres{number}"
    balloon = arena.cluster.home / f"data/postgres{number}" / BALLOON
    inflate(balloon)
    arena.hold(5, 12)
    changed = arena.cluster.primary() != number
    balloon.unlink(missing_ok=True)
    return "another became primary" if changed else "the primary stayed"


def inflate(balloon: Path) -> None:
    """Leave nothing free on the disk of a file; somebody may be taking of it meanwhile."""
    balloon.parent.mkdir(exist_ok=True)
    size = 0
    with balloon.open("wb") as file:
        for step in (1 << 20, 1 << 12):
            while True:
                free = os.statvfs(balloon).f_bfree * os.statvfs(balloon).f_frsize
                more = max(step, free // step * step) if free >= step else 0
                if not more:
                    break
                try:
                    os.posix_fallocate(file.fileno(), size, more)
                except OSError:  # less is free than a moment ago
                    break
                size += more


def no_disks(arena: Arena) -> str:
    return arena.no_machines


DISKS = [Fault("disk-full", "nothing free on the primary's disk for seconds", disk_full, no_disks)]
