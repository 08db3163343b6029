"""A whole cluster on one machine, from the files in deploy/: python -m chaos.cluster

Its processes are what the systemd units say, with other folders and ports. Each has a name:
etcd1…3, patroni1…3, postgres1…3 (children of Patroni), haproxy, web1…n and worker1…n. A name can be
killed, paused, resumed, started again and asked for its state.

The passwords, the data and a log for each process are in var/cluster/; it starts where it stopped.
"""

import argparse
import fcntl
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from chaos.layout import DATABASES, ROOT, Layout, ask, unprivileged
from chaos.machines import Machines
from chaos.processes import Processes
from chaos.programs import PATH, Missing, Programs
from chaos.releases import NOW
from deploy.render import Machine

HOME = ROOT / "var/cluster"
LONGEST_START = 90.0  # seconds until a step has to be done; a first start takes about 20 in all
NONE: Mapping[str, str] = {}


class NotStarted(Exception):
    """The cluster did not become what it should be; the text says what was waited for."""


class Cluster(Processes):
    """Start, break and stop a cluster whose files are in one folder."""

    def __init__(
        self,
        home: Path = HOME,
        *,
        webs: int = 2,
        workers: int = 2,
        settings: Mapping[str, str] = NONE,  # over those of deploy/
        machines: Machines | None = None,  # of the databases; otherwise all share this one
        archived: bool = False,  # the log of the databases, in `archive`
    ) -> None:
        self.programs = Programs.find()
        counts = {
            "etcd": DATABASES,
            "patroni": DATABASES,
            "haproxy": 1,
            "web": webs,
            "worker": workers,
        }
        super().__init__(home.resolve(), unprivileged(), counts, machines)
        layout = Layout(
            self.home,
            max(webs, DATABASES),
            self._account,
            settings,
            apart=machines is not None,
            archived=archived,
        )
        if machines:
            for number in range(1, DATABASES + 1):
                machines.give_disk(self.home / f"data/postgres{number}", self._account)
        layout.write(self.programs)
        self._ports, self._machines = layout.ports, layout.machines
        self.release = NOW  # whose manage.py prepares the database

    # --- What it consists of ---

    @property
    def site(self) -> str:
        """Return the address of the site, at haproxy."""
        return f"http://127.0.0.1:{self._ports['web']}"

    @property
    def webs(self) -> list[str]:
        """Return the address of each web node, past haproxy."""
        machines = self._machines[: self._counts["web"]]
        return [f"http://{machine.web_address}" for machine in machines]

    @property
    def database(self) -> str:
        """Return the address of whichever database is the primary, at haproxy."""
        return self.settings["DATABASE_URL"]

    @property
    def settings(self) -> dict[str, str]:
        """Return the environment of a web node, for commands beside it."""
        return self.unit("web1").environment

    def machine(self, number: int) -> Machine:
        """Return the ports of a machine, counted from 1."""
        return self._machines[number - 1]

    def database_of(self, number: int) -> str:
        """Return the address of one database, primary or not."""
        head, _, _ = self.database.rpartition("@")
        machine = self.machine(number)
        return f"{head}@{machine.host}:{machine.postgres_port}/mesto"

    # --- All of it ---

    def start(self) -> None:
        """Start everything, with demo data in an empty database; return when the site answers."""
        self._lock = _locked(self.home / "lock")
        try:
            self._start_databases()
            self._prepare()
            self._start_site()
        except BaseException:
            self.stop()
            raise

    def start_again(self) -> None:
        """Start everything that has ended, in order, on the data that is there."""
        self._start_databases()
        self._start_site()

    def stop(self) -> None:
        """End everything in order, also what is paused or has lost its parent."""
        self.end_all()
        self._lock.close()

    def __enter__(self) -> "Cluster":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- What it says of itself ---

    def primary(self) -> int | None:
        """Return the number of the machine whose database is the primary, if one says so."""
        for number, machine in enumerate(self._machines[:DATABASES], start=1):
            if ask(f"http://{machine.host}:{machine.patroni_port}/primary", 1)[0] == 200:
                return number
        return None

    def members(self) -> list[dict[str, Any]]:
        """Return what the databases say of each other: name, role, state, lag."""
        for machine in self._machines[:DATABASES]:
            status, answer = ask(f"http://{machine.host}:{machine.patroni_port}/cluster", 1)
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

    def wait(
        self, what: str, condition: Callable[[], bool], seconds: float = LONGEST_START
    ) -> None:
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

    def _start_databases(self) -> None:
        self.start_kind("etcd")
        self.wait("etcd to agree", self.has_etcd)
        self.start_kind("patroni")
        self.wait("a primary and two standbys", self.is_replicated)

    def _start_site(self) -> None:
        self.start_kind("haproxy", "web", "worker")
        self.wait("every web node to answer", self.serves)

    def _prepare(self) -> None:
        """Make tables, demo data and static files."""
        self.start_kind("haproxy")
        self.wait("haproxy to find the primary", self._has_database)
        commands = [("migrate", "--no-input", "--verbosity", "0"), ("demo",)]
        if not self.release.has_static_files:
            commands.append(("collectstatic", "--no-input", "--verbosity", "0"))
        for command in commands:
            if self._manage(*command):
                raise NotStarted(f"`manage.py {command[0]}` failed: see {self.home}/manage.log")

    def _manage(self, *arguments: str) -> int:
        done = self.release.manage(*arguments, settings=self.settings)
        with (self.home / "manage.log").open("a") as log:
            log.write(done.stdout)
        return done.returncode

    def _has_database(self) -> bool:
        try:
            with psycopg.connect(self.database, connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def has_etcd(self) -> bool:
        """Tell whether every member of etcd says that it is well."""
        machines = self._machines[:DATABASES]
        return all(ask(f"http://{m.host}:{m.etcd_port}/health")[0] == 200 for m in machines)

    def is_ready(self) -> bool:
        """Tell whether the site is ready, whichever nodes are."""
        return ask(f"{self.site}/readyz", 1)[0] == 200

    def serves(self) -> bool:
        """Tell whether the site and every web node are ready."""
        return all(ask(f"{each}/readyz")[0] == 200 for each in (self.site, *self.webs))


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
            f"Node {number}     PostgreSQL {machine.host}:{machine.postgres_port} ({role}), "
            f"Patroni :{machine.patroni_port}, etcd :{machine.etcd_port}"
        )
    print(f"Logs       {cluster.home}/*.log")
    cluster.show_logins()
    print("Ctrl-C stops everything.", flush=True)


if __name__ == "__main__":
    main()
