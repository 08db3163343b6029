"""A whole cluster on one machine, from the files in deploy/: python -m chaos.cluster

Its processes are what the systemd units say, with other folders and ports. Each has a name:
etcd1…3, patroni1…3, postgres1…3 (children of Patroni), haproxy, web1…n and worker1…n. A name can be
killed, paused, resumed, started again and asked for its state.

The passwords, the data and a log for each process are in var/cluster/; it starts where it stopped.
"""

import argparse
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from chaos.layout import DATABASES, ROOT, Layout, ask, unprivileged
from chaos.programs import PATH, Missing, Programs
from chaos.units import Unit, family, is_alive, may_execute, process_state
from deploy.render import Machine

HOME = ROOT / "var/cluster"
NONE: Mapping[str, str] = {}

type State = Literal["running", "paused", "gone"]


class NotStarted(Exception):
    """The cluster did not become what it should be; the text says what was waited for."""


class Cluster:
    """Start, break and stop a cluster whose files are in one folder."""

    def __init__(
        self,
        home: Path = HOME,
        *,
        webs: int = 2,
        workers: int = 2,
        settings: Mapping[str, str] = NONE,  # over those of deploy/
    ) -> None:
        self.home, self.programs = home.resolve(), Programs.find()
        self._account = unprivileged()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._due: dict[str, float] = {}  # when to start what ended by itself
        self._held: set[str] = set()  # ended on purpose: stays so until it is started
        self._counts = {
            "etcd": DATABASES,
            "patroni": DATABASES,
            "haproxy": 1,
            "web": webs,
            "worker": workers,
        }
        layout = Layout(self.home, max(webs, DATABASES), self._account, settings)
        layout.write(self.programs)
        self._ports, self._machines = layout.ports, layout.machines

    # --- What it consists of ---

    @property
    def names(self) -> list[str]:
        """Return the names of all processes that have a unit, in the order in which they start."""
        return [
            kind if kind == "haproxy" else f"{kind}{number}"
            for kind, count in self._counts.items()
            for number in range(1, count + 1)
        ]

    @property
    def site(self) -> str:
        """Return the address of the site, at haproxy."""
        return f"http://127.0.0.1:{self._ports['web']}"

    @property
    def webs(self) -> list[str]:
        """Return the address of each web node, past haproxy."""
        machines = self._machines[: self._counts["web"]]
        return [f"http://127.0.0.1:{machine.web_port}" for machine in machines]

    @property
    def database(self) -> str:
        """Return the address of whichever database is the primary, at haproxy."""
        return self.settings["DATABASE_URL"]

    @property
    def settings(self) -> dict[str, str]:
        """Return the environment of a web node, for commands beside it."""
        return self._unit("web1").environment

    def machine(self, number: int) -> Machine:
        """Return the ports of a machine, counted from 1."""
        return self._machines[number - 1]

    def database_of(self, number: int) -> str:
        """Return the address of one database, primary or not."""
        head, _, _ = self.database.rpartition("@")
        return f"{head}@127.0.0.1:{self.machine(number).postgres_port}/mesto"

    # --- All of it ---

    def start(self) -> None:
        """Start everything, with demo data in an empty database; return when the site answers."""
        self._lock = _locked(self.home / "lock")
        try:
            self._start_kind("etcd")
            self.wait("etcd to agree", self._has_etcd)
            self._start_kind("patroni")
            self.wait("a primary and two standbys", self.is_replicated)
            self._start_kind("haproxy")
            self._prepare()
            self._start_kind("web", "worker")
            self.wait("every web node to answer", self._serves)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything in order, also what is paused or has lost its parent."""
        self._held |= set(self.names)
        for kind in ("worker", "web", "haproxy", "patroni", "etcd"):
            names = [name for name in self.names if name.rstrip("0123456789") == kind]
            for name in names:
                self.resume(name)
                self._signal(self._family(name)[:1], signal.SIGTERM)
            for name in names:
                self._end(name, self._unit(name).stop_within)
        for number in range(1, DATABASES + 1):  # of a Patroni that was killed
            self.kill(f"postgres{number}")
        self._lock.close()

    def __enter__(self) -> "Cluster":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- One process ---

    def start_one(self, name: str) -> None:
        """Start a process that has ended; it may take a moment until it works."""
        if self.state(name) != "gone":
            return
        self._held.discard(name)
        self._due.pop(name, None)
        unit = self._unit(name)
        inherits = self._account if self._is_open_to_all(unit.command[0]) else {}
        own = {"PATH": PATH, "HOME": str(self.home), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        with (self.home / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                unit.command,
                cwd=unit.folder,
                env={**own, **unit.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us; we stop them in order
                **inherits,
            )

    def kill(self, name: str) -> None:
        """End a process and all below it with SIGKILL, as a host that loses power does.

        It stays so until start_one; a killed `postgres` is Patroni's to replace.
        """
        self._held.add(name)
        self._signal(self._family(name), signal.SIGKILL)
        if name in self._processes:
            self._processes[name].wait()

    def kill_main(self, name: str) -> None:
        """End only the first process of a name with SIGKILL; look_after starts it again."""
        self._signal(self._family(name)[:1], signal.SIGKILL)

    def kill_host(self, number: int) -> None:
        """Kill Patroni and PostgreSQL of one machine."""
        self.kill(f"patroni{number}")
        self.kill(f"postgres{number}")

    def terminate(self, name: str) -> None:
        """Ask a process to end, as `systemctl stop` does, and return when it has."""
        self._held.add(name)
        self._signal(self._family(name)[:1], signal.SIGTERM)
        self._end(name, self._unit(name).stop_within)

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
        for name in self._processes:
            if name in self._held or self._processes[name].poll() is None:
                continue
            if now >= self._due.setdefault(name, now + self._unit(name).restart_after):
                self.start_one(name)
                started.append(name)
        return started

    # --- What it says of itself ---

    def primary(self) -> int | None:
        """Return the number of the machine whose database is the primary, if one says so."""
        for number, machine in enumerate(self._machines[:DATABASES], start=1):
            if ask(f"http://127.0.0.1:{machine.patroni_port}/primary")[0] == 200:
                return number
        return None

    def members(self) -> list[dict[str, Any]]:
        """Return what the databases say of each other: name, role, state, lag."""
        for machine in self._machines[:DATABASES]:
            status, answer = ask(f"http://127.0.0.1:{machine.patroni_port}/cluster")
            if status == 200:
                return list(json.loads(answer).get("members", []))
        return []

    def is_replicated(self) -> bool:
        """Tell whether there is a primary, and all others follow it, one of them synchronously."""
        members = self.members()
        roles = sorted(each["role"] for each in members)
        return roles == ["leader", "replica", "sync_standby"] and all(
            each["state"] in ("running", "streaming") and each.get("lag", 0) != "unknown"
            for each in members
        )

    def show_logins(self) -> None:
        """Print the logins of the demo data."""
        command = [sys.executable, "manage.py", "demo", "--logins"]
        subprocess.run(command, cwd=ROOT, env={"PATH": PATH, **self.settings}, check=False)

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = 90) -> None:
        """Return when a condition holds, looking after everything meanwhile."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                gone = [name for name in self._processes if self.state(name) == "gone"]
                raise NotStarted(
                    f"Waited {seconds:.0f} s for {what}. "
                    f"Not running: {', '.join(gone) or 'nothing'}. "
                    f"The logs are in {self.home}."
                )
            self.look_after()
            time.sleep(0.2)

    # --- Inside ---

    def _is_open_to_all(self, program: str) -> bool:
        """Tell whether the unprivileged user may run it: a Python in root's home is not for him."""
        return not self._account or may_execute(program, self._account["user"])

    def _unit(self, name: str) -> Unit:
        kind = name.rstrip("0123456789")
        path = self.home / f"systemd/mesto-{kind}@.service"
        return Unit.read(path, name.removeprefix(kind) or "1")

    def _start_kind(self, *kinds: str) -> None:
        for name in self.names:
            if name.rstrip("0123456789") in kinds:
                self.start_one(name)

    def _prepare(self) -> None:
        """Make tables, demo data and static files."""
        self.wait("haproxy to find the primary", lambda: self._manage("showmigrations") == 0)
        commands = [("migrate", "--no-input", "--verbosity", "0"), ("demo",)]
        if not (ROOT / "var/static/staticfiles.json").exists():
            commands.append(("collectstatic", "--no-input", "--verbosity", "0"))
        for command in commands:
            if self._manage(*command):
                raise NotStarted(f"`manage.py {command[0]}` failed: see {self.home}/manage.log")

    def _manage(self, *arguments: str) -> int:
        environment = {"PATH": PATH, "LC_ALL": "C.UTF-8", **self.settings}
        command = [sys.executable, "manage.py", *arguments]
        with (self.home / "manage.log").open("ab") as log:
            return subprocess.run(
                command, cwd=ROOT, env=environment, stdout=log, stderr=log
            ).returncode

    def _has_etcd(self) -> bool:
        addresses = (f"http://127.0.0.1:{m.etcd_port}/health" for m in self._machines[:DATABASES])
        return all(ask(each)[0] == 200 for each in addresses)

    def _serves(self) -> bool:
        return all(ask(f"{each}/readyz")[0] == 200 for each in (self.site, *self.webs))

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


def _folder_of(pid: int) -> Path | None:
    try:
        return Path(f"/proc/{pid}/cwd").readlink()
    except OSError:
        return None


def _locked(path: Path) -> Any:
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotStarted(f"A cluster is already running in {path.parent}.") from None
    return lock


@contextmanager
def _until_told_to_stop() -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether somebody has pressed Ctrl-C."""
    told: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: told.append(number))
    yield lambda: bool(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--webs", type=int, default=2)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    try:
        cluster = Cluster(webs=asked.webs, workers=asked.workers)
        print("Starting the cluster; the first time this takes about half a minute.", flush=True)
        with cluster:
            show(cluster)
            with _until_told_to_stop() as is_told:
                while not is_told():
                    for name in cluster.look_after():
                        print(f"{name} had ended; it is running again.", flush=True)
                    time.sleep(0.5)
            print("Stopping.", flush=True)
    except (Missing, NotStarted) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def show(cluster: Cluster) -> None:
    """Print where everything is."""
    print(f"Site       {cluster.site}/ (haproxy), web nodes {' '.join(cluster.webs)}")
    address = cluster.database.rpartition("@")[2]
    print(f"Database   {address} (haproxy; with its password in {cluster.home}/mesto.env)")
    for number in range(1, DATABASES + 1):
        machine = cluster.machine(number)
        role = "primary" if number == cluster.primary() else "standby"
        print(
            f"Node {number}     PostgreSQL 127.0.0.1:{machine.postgres_port} ({role}), "
            f"Patroni :{machine.patroni_port}, etcd :{machine.etcd_port}"
        )
    print(f"Logs       {cluster.home}/*.log")
    cluster.show_logins()
    print("Ctrl-C stops everything.", flush=True)


if __name__ == "__main__":
    main()
