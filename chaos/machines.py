"""Machines for the databases: network namespaces with a bridge, and a small disk for each.

They exist inside a namespace of their own (see `enter`), so the machine's own network and mounts
stay as they are, and nothing is left behind. Root may have them, and where the kernel allows user
namespaces, so may everybody.
"""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from chaos.programs import PATH

OUTSIDE = "10.77.0.1"  # where haproxy, web nodes and workers are, as the machines see them
NETWORK = "10.77.0.0/24"
DISK = "1200m"  # PostgreSQL keeps up to 1 GB of its log between checkpoints
ENTERED = "MESTO_CHAOS_NAMESPACE"


def enter() -> str:
    """Run this program again in a namespace of its own; return why not if that can't be."""
    if ENTERED in os.environ:
        return os.environ[ENTERED]
    reason = impossible()
    os.environ[ENTERED] = reason
    if not reason:
        command = [*unshare(), sys.executable, *sys.orig_argv[1:]]
        os.execvp(command[0], command)
    return reason


def unshare() -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]
    return ["unshare", *user, "--net", "--mount"]


def impossible() -> str:
    """Return why there can be no namespaces here."""
    missing = [name for name in ("unshare", "ip", "bridge") if not shutil.which(name, path=PATH)]
    if missing:
        return f"{', '.join(missing)} missing (packages util-linux, iproute2)"
    trial = " && ".join(
        [
            "mount -t tmpfs none /mnt",
            "ip link add b0 type bridge",
            "ip link add v0 type veth peer name v1",
            "unshare --net true",
        ]
    )
    tried = subprocess.run(
        [*unshare(), "sh", "-c", trial], env={"PATH": PATH}, capture_output=True, text=True
    )
    if tried.returncode == 0:
        return ""
    return tried.stderr.strip().partition("\n")[0] or "namespaces are not allowed"


class Machines:
    """Networks and disks of `count` machines; only inside a namespace of our own."""

    def __init__(self, count: int) -> None:
        self._numbers = range(1, count + 1)
        self._namespaces: dict[int, int] = {}  # file descriptors, which keep them alive
        _run("ip link set lo up")
        _run("ip link add mesto type bridge")
        _run(f"ip address add {OUTSIDE}/24 dev mesto")
        _run("ip link set mesto up")
        for number in self._numbers:
            _in_a_thread(partial(self._make, number))
            _run(f"ip link set machine{number} master mesto up")

    @staticmethod
    def host(number: int) -> str:
        return f"10.77.0.{10 + number}"

    def run(self, number: int, function: Callable[[], None]) -> None:
        """Call a function inside a machine: what it starts is there."""

        def inside() -> None:
            os.setns(self._namespaces[number], os.CLONE_NEWNET)
            function()

        # A namespace is a thread's: ours stays where it is.
        _in_a_thread(inside)

    def cut(self, number: int) -> None:
        """Let no packet to or from a machine through; nobody is told."""
        _run(f"bridge link set dev machine{number} state 0")

    def join(self, number: int) -> None:
        _run(f"bridge link set dev machine{number} state 3")

    def give_disk(self, folder: Path, account: dict[str, Any]) -> None:
        """Mount a small disk of its own at a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        options = f"size={DISK},mode=700"
        if account:
            options += f",uid={account['user']},gid={account['group']}"
        _run(f"mount -t tmpfs -o {options} mesto {folder}")

    @staticmethod
    def take_disk(folder: Path) -> None:
        """Undo give_disk, so that the folder can be removed."""
        if folder.is_mount():
            _run(f"umount --lazy {folder}")

    def _make(self, number: int) -> None:
        os.unshare(os.CLONE_NEWNET)
        self._namespaces[number] = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _run(f"ip link add eth0 type veth peer name machine{number} netns {os.getpid()}")
        _run(f"ip address add {self.host(number)}/24 dev eth0")
        _run("ip link set eth0 up")
        _run("ip link set lo up")


def _in_a_thread(function: Callable[[], None]) -> None:
    failures: list[BaseException] = []

    def kept() -> None:
        try:
            function()
        except BaseException as failure:  # raised by whoever waits for it
            failures.append(failure)

    thread = threading.Thread(target=kept)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _run(command: str) -> None:
    tried = subprocess.run(command.split(), env={"PATH": PATH}, capture_output=True, text=True)
    if tried.returncode:
        raise OSError(f"{command}: {tried.stderr.strip()}")
