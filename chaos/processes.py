"""The processes of a cluster on one machine: each has a name, and can be broken by it."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from chaos import orphans
from chaos.machines import Machines
from chaos.programs import PATH
from chaos.units import Unit, family, is_alive, may_execute, process_state

type State = Literal["running", "paused", "gone"]


class Processes:
    """Start, break and look after what the units in a folder say.

    Not for several threads at once.
    """

    def __init__(
        self,
        home: Path,
        account: dict[str, Any],
        counts: Mapping[str, int],
        machines: Machines | None = None,
    ) -> None:
        orphans.take_up()
        self.home = home
        # What the nodes of a rolling deployment run, and settings beside those of their units.
        self.trees: dict[str, Path] = {}
        self.extra: dict[str, dict[str, str]] = {}
        self._account, self._counts, self._inside = account, dict(counts), machines
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._due: dict[str, float] = {}  # when to start what ended by itself
        self._held: set[str] = set()  # ended on purpose: stays so until it is started

    @property
    def names(self) -> list[str]:
        """Return the names of all processes that have a unit, in the order in which they start."""
        return [name for kind in self._counts for name in self.names_of(kind)]

    def names_of(self, *kinds: str) -> list[str]:
        """Return the names of these kinds, such as web."""
        return [
            kind if kind == "haproxy" else f"{kind}{number}"
            for kind in kinds
            for number in range(1, self._counts[kind] + 1)
        ]

    # --- One process ---

    def start_one(self, name: str) -> None:
        """Start a process that has ended; it may take a moment until it works."""
        if self.state(name) != "gone":
            return
        self._held.discard(name)
        self._due.pop(name, None)

        def start() -> None:
            self._processes[name] = self._popen(name)

        if self._inside and kind_of(name) in ("etcd", "patroni"):
            self._inside.run(number_of(name), start)
        else:
            start()

    def kill(self, name: str) -> None:
        """End a process and all below it with SIGKILL, as a host that loses power does.

        It stays so until start_one; a killed `postgres` is Patroni's to replace.
        """
        self._held.add(name)
        self._kill(name)

    def crash(self, name: str) -> None:
        """End what systemd would see as ended, with SIGKILL; look_after starts it again."""
        if kind_of(name) == "patroni":  # KillMode=process: PostgreSQL goes on
            self.kill_main(name)
        else:
            self._kill(name)

    def kill_main(self, name: str) -> None:
        """End only the first process of a name with SIGKILL; look_after starts it again."""
        self._signal(self._family(name)[:1], signal.SIGKILL)
        if name in self._processes:
            self._processes[name].wait()

    def kill_child(self, name: str) -> None:
        """End the last process below a name with SIGKILL: the first one replaces it."""
        self._signal(self._family(name)[1:][-1:], signal.SIGKILL)

    def kill_host(self, number: int) -> None:
        """Kill what runs on a database machine; it stays so until start_host."""
        for kind in ("patroni", "postgres", "etcd"):
            self.kill(f"{kind}{number}")

    def start_host(self, number: int) -> None:
        for kind in ("etcd", "patroni"):
            self.start_one(f"{kind}{number}")

    def pause_host(self, number: int) -> None:
        """Stop what runs on a database machine without ending it."""
        for kind in ("patroni", "postgres", "etcd"):
            self.pause(f"{kind}{number}")

    def resume_host(self, number: int) -> None:
        for kind in ("etcd", "postgres", "patroni"):
            self.resume(f"{kind}{number}")

    def terminate(self, name: str) -> None:
        """Ask a process to end, as `systemctl stop` does, and return when it has."""
        self._held.add(name)
        self._signal(self._family(name)[:1], signal.SIGTERM)
        self._end(name, self.unit(name).stop_within)

    def pause(self, name: str) -> None:
        """Stop a process and all below it without ending them, as a host that hangs."""
        self._signal(self._family(name), signal.SIGSTOP)

    def resume(self, name: str) -> None:
        self._signal(self._family(name), signal.SIGCONT)

    def state(self, name: str) -> State:
        pids = self._family(name)
        if not pids:
            return "gone"
        return "paused" if process_state(pids[0]) == "T" else "running"

    def pids(self, name: str) -> list[int]:
        """Return the first process of a name and all below it; none if it has ended."""
        return self._family(name)

    def look_after(self) -> list[str]:
        """Start again what has ended by itself, as systemd does; to be called again and again."""
        now, started = time.monotonic(), []
        for name in list(self._processes):
            if name in self._held or self._processes[name].poll() is None:
                continue
            if now >= self._due.setdefault(name, now + self.unit(name).restart_after):
                self.start_one(name)
                started.append(name)
        return started

    # --- Several ---

    def start_kind(self, *kinds: str) -> None:
        for name in self.names:
            if kind_of(name) in kinds:
                self.start_one(name)

    def kill_all(self) -> None:
        """End everything with SIGKILL, as when the power fails."""
        for kind in ("haproxy", "web", "worker", "patroni", "postgres", "etcd"):
            for name in self.names_of("patroni" if kind == "postgres" else kind):
                self.kill(name.replace("patroni", kind))

    def end_all(self) -> None:
        """End everything in order, also what is paused or has lost its parent."""
        self._held |= set(self.names)
        for kind in ("worker", "web", "haproxy", "patroni", "etcd"):
            names = self.names_of(kind)
            for name in names:
                self.resume(name)
                self._signal(self._family(name)[:1], signal.SIGTERM)
            for name in names:
                self._end(name, self.unit(name).stop_within)
        for name in self.names_of("patroni"):  # of a Patroni that was killed
            self.kill(name.replace("patroni", "postgres"))

    # --- Inside ---

    def unit(self, name: str) -> Unit:
        kind = kind_of(name)
        path = self.home / f"systemd/mesto-{kind}@.service"
        return Unit.read(path, name.removeprefix(kind) or "1")

    def _popen(self, name: str) -> subprocess.Popen[bytes]:
        unit = self.unit(name)
        inherits = self._account if self._is_open_to_all(unit.command[0]) else {}
        own = {"PATH": PATH, "HOME": str(self.home), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        with (self.home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                unit.command,
                cwd=self.trees.get(name, unit.folder),
                env={**own, **unit.environment, **self.extra.get(name, {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop them in order
                **inherits,
            )

    def _is_open_to_all(self, program: str) -> bool:
        """Tell whether the unprivileged user may run it: a Python in root's home is not for him."""
        return not self._account or may_execute(program, self._account["user"])

    def _family(self, name: str) -> list[int]:
        if name.startswith("postgres"):
            file = self.home / f"data/postgres{name.removeprefix('postgres')}/postmaster.pid"
            try:
                pid, folder = file.read_text().splitlines()[:2]
            except (OSError, ValueError):
                return []
            # The number may be another's by now.
            runs_here = _folder_of(int(pid)) == Path(folder)
            return family(int(pid)) if runs_here else []
        process = self._processes.get(name)
        return family(process.pid) if process and process.poll() is None else []

    def _kill(self, name: str) -> None:
        self._signal(self._family(name), signal.SIGKILL)
        if name in self._processes:
            self._processes[name].wait()

    def _signal(self, pids: list[int], number: signal.Signals) -> None:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _end(self, name: str, seconds: float) -> None:
        if process := self._processes.get(name):
            below = self._family(name)
            with suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
            # Patroni's PostgreSQL is ended by Patroni; anything else left is ended here.
            self._signal([pid for pid in below if is_alive(pid)], signal.SIGKILL)
            process.wait()


def kind_of(name: str) -> str:
    return name.rstrip("0123456789")


def number_of(name: str) -> int:
    return int(name.removeprefix(kind_of(name)))


def _folder_of(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None
