"""What an operator types, here typed by a program, and shown with what it says."""

import shlex
import subprocess
from dataclasses import dataclass

import psycopg

from chaos.cluster import Cluster
from chaos.layout import unprivileged
from chaos.programs import PATH
from chaos.releases import NOW

RUNUSER = ("runuser", "-u", "postgres", "--")


class Failed(Exception):
    """A step of a play failed; the text has what it said."""


@dataclass
class Operator:
    """Types commands, and shows them with what they say."""

    cluster: Cluster

    def type(self, *command: str, answers: str = "", as_database: bool = False) -> str:
        """Run a command and return what it said; with `as_database`, as the user of PostgreSQL."""
        shown = shlex.join((*(RUNUSER if as_database else ()), *command))
        for long, short in (
            (str(self.cluster.home), "/etc/mesto"),
            (f"{self.cluster.programs.postgres}/", ""),
            (self.cluster.database, "$DATABASE_URL"),
        ):
            shown = shown.replace(long, short)
        print(f"$ {shown}", flush=True)
        done = subprocess.run(
            command,
            cwd=self.cluster.home,
            env={"PATH": PATH, "LC_ALL": "C.UTF-8", "ETCDCTL_API": "3"},
            input=answers,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **(unprivileged() if as_database else {}),
        )
        print(done.stdout.rstrip(), flush=True)
        if done.returncode:
            raise Failed(f"{shown}: exit code {done.returncode}")
        return str(done.stdout)

    def patronictl(self, *arguments: str, answers: str = "") -> str:
        configuration = f"{self.cluster.home}/patroni1.yml"
        return self.type("patronictl", "-c", configuration, *arguments, answers=answers)

    def etcdctl(self, number: int, *arguments: str) -> str:
        machine = self.cluster.machine(number)
        return self.type(
            "etcdctl", f"--endpoints=http://{machine.host}:{machine.etcd_port}", *arguments
        )

    def postgres(self, program: str, *arguments: str) -> str:
        return self.type(f"{self.cluster.programs.postgres}/{program}", *arguments)


def check(cluster: Cluster) -> None:
    done = NOW.manage("check_bookings", settings=cluster.settings)
    print(f"$ .venv/bin/python manage.py check_bookings\n{done.stdout.rstrip()}", flush=True)
    if done.returncode:
        raise Failed("check_bookings found something.")


def count(cluster: Cluster) -> int:
    with psycopg.connect(cluster.database) as connection:
        found = connection.execute("SELECT count(*) FROM bookings_booking").fetchone()
    return int(found[0]) if found else 0
