"""Read a systemd unit and run what it says, as systemd would, without systemd."""

import os
import shlex
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Unit:
    """What of a unit matters when it is run as an unprivileged process."""

    command: list[str]
    environment: dict[str, str]
    folder: Path
    restart_after: float  # seconds
    stop_within: float  # seconds

    @classmethod
    def read(cls, path: Path, instance: str) -> "Unit":
        found = defaultdict(list)
        for line in path.read_text().splitlines():
            key, sign, value = line.partition("=")
            if sign and not line.startswith("#"):
                found[key].append(value.replace("%i", instance))
        environment = dict(each.split("=", 1) for each in found["Environment"])
        for file in found["EnvironmentFile"]:
            environment |= settings(Path(file))
        return cls(
            command=shlex.split(found["ExecStart"][-1]),
            environment=environment,
            folder=Path(found["WorkingDirectory"][-1] if found["WorkingDirectory"] else "/"),
            restart_after=float(found["RestartSec"][-1]),
            stop_within=float(found["TimeoutStopSec"][-1]),
        )


def settings(path: Path) -> dict[str, str]:
    """Return the settings of an EnvironmentFile."""
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def family(pid: int) -> list[int]:
    """Return a process and all below it, as far as they still live."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            below = children.read_text().split()
        except OSError:
            continue
        for child in below:
            found += family(int(child))
    return [each for each in found if is_alive(each)]


def is_alive(pid: int) -> bool:
    return process_state(pid) not in ("", "Z", "X")


def process_state(pid: int) -> str:
    """Return the letter of a process's state (proc(5)): R, S, T…; none if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def may_execute(program: str, uid: int) -> bool:
    """Tell whether a user who owns nothing may run a program: every folder has to let him in."""
    path = Path(program).resolve()
    if os.stat(path).st_uid == uid:
        return True
    return all(each.stat().st_mode & 0o001 for each in (path, *path.parents))
