"""What more web processes bring: 1, 2, 4 of them, each at an address of its own, behind haproxy.

    python -m benchmarks --scaling [--counts 1,2,4] [--clients 32] [--seconds 8]

The haproxy is that of deploy/. Boards are looked at while bookings change them; bookings are made
at one place, which everybody wants another hour of, and at a thousand. Everything shares this
machine, so the table says how many of its cores were busy: once all are, more processes can't bring
more. Below it stands what the database alone does, and what of it a booking takes: where the
single database is the limit. The numbers stay in var/benchmarks/. See docs/scaling.md.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import rows
from benchmarks.clicks import LINES, PEOPLE, Clicks, Step
from benchmarks.measuring import Bench, Result
from benchmarks.report import head, line, number
from benchmarks.site import (
    ENVIRONMENT,
    ROOT,
    VAR,
    Database,
    Tree,
    Web,
    cpu_seconds,
    database,
    listens,
    machine,
    stop,
    title,
)
from deploy.render import TEMPLATES, Inventory, Machine, fill, lists
from scripts.postgres import free_port

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CLIENTS = 32
BOARDS, BOOKINGS = "board: as in the mix", "booking: won"
WHERE = ("a thousand places", "one place")
HEADINGS = (
    "web processes",
    "what",
    "answers/s",
    "× the first",
    "p50 ms",
    "p95 ms",
    "web CPU ms",
    "database CPU ms",
    "haproxy CPU ms",
    "cores busy",
    "errors",
)


class Dealt(Clicks):
    """Deals hours out to clients like cards, so that a few hours are enough for everybody."""

    hours: list[tuple[str, str, str]]

    def _booking(self, person: int, clients: int, count: int) -> list[Step]:
        mine = self.hours[person::clients][:count]
        return [self.book(person, *hour) for hour in mine]


@dataclass
class Served:
    """Web processes behind a balancer."""

    port: int  # the balancer's
    webs: list[int]  # process ids
    balancer: int


def main(asked: Namespace) -> None:
    haproxy = shutil.which("haproxy", path=PATH)
    if haproxy is None:
        sys.exit("It needs haproxy: apt-get install --no-install-recommends haproxy")
    clients = asked.clients[0] if len(asked.clients) == 1 else CLIENTS
    with database() as base:
        environment = {**ENVIRONMENT, "DATABASE_URL": base.url, "CACHE_URL": asked.cache}
        # Who is in front is known, as in a cluster.
        tree = Tree(asked.tree.resolve(), {**environment, "TRUSTED_PROXIES": "1"})
        clicks = Dealt(tree.prepare(PEOPLE))
        crowded = json.loads(tree.run(str(ROOT / "benchmarks/crowded.py"), str(len(asked.counts))))
        about = {**machine(tree), "clients": clients, "seconds": asked.seconds}
        about["command"] = " ".join(["python -m benchmarks", *sys.argv[1:]])
        beside = rows.copy(base)
        print(title(about))
        print(
            f"{clients} clients at a time, {asked.seconds:g} s for each line. {about['command']}\n"
        )
        print(head(HEADINGS), flush=True)
        lines: list[Result] = []
        benches: list[Bench] = []
        for n, count in enumerate(asked.counts):
            with behind(haproxy, tree, count) as served:
                bench = Bench(base, clicks, served.port, served.webs[0])
                benches.append(bench)
                for name, hours in (
                    (BOARDS, []),
                    (f"{BOOKINGS}, {WHERE[0]}", crowded["wide"]),
                    (f"{BOOKINGS}, {WHERE[1]}", crowded["hot"][n]),
                ):
                    clicks.hours = hours
                    found = measured(bench, served, base, name, clients, asked.seconds)
                    lines.append({**found, "processes": count})
                    print(row(lines[-1], lines), flush=True)
                    if name.endswith(WHERE[0]):
                        crowded["wide"] = hours[found["answers"] + 2 * clients :]
        alone = rows.measure(base, beside, clients, asked.seconds) if beside else None
        lost = sum(bench.lost() for bench in benches)
        made = sum(len(bench.acknowledged) for bench in benches)
        print(
            "", *limit(lines, alone), "", f"Bookings made: {made}, of which lost: {lost}", sep="\n"
        )
        print(tree.run("manage.py", "check_bookings").strip())
    run = {"at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "machine": about}
    keep({**run, "lines": lines, "database alone": alone}, asked.out)
    sys.exit(1 if lost else 0)


def measured(
    bench: Bench, served: Served, base: Database, name: str, clients: int, seconds: float
) -> Result:
    """Return what a line came to, with the processor time of each kind of process."""
    kind = next(each for each in LINES if each.name == name.partition(",")[0])
    before = used(served, base)
    found = bench.measure(kind, clients, seconds)
    after = used(served, base)
    asked = max(found["answers"] + sum(found["errors"].values()), 1)
    spent = {each: after[each] - before[each] for each in after}
    return {
        **found,
        "name": name,
        "web_ms": round(spent["web"] * 1000 / asked, 2),
        "db_ms": round(spent["database"] * 1000 / asked, 2),
        "haproxy_ms": round(spent["haproxy"] * 1000 / asked, 2),
        # The clients are a process that has ended.
        "busy": round(
            (sum(spent.values()) + (found["client_ms"] or 0) * asked / 1000) / found["seconds"], 2
        ),
    }


def used(served: Served, base: Database) -> dict[str, float]:
    return {
        "web": sum(cpu_seconds(pid) or 0 for pid in served.webs),
        "database": cpu_seconds(base.pid) or 0,
        "haproxy": cpu_seconds(served.balancer) or 0,
    }


@contextmanager
def behind(haproxy: str, tree: Tree, count: int) -> Iterator[Served]:
    """Serve a tree by so many web processes, each at its own address, behind one balancer."""
    with ExitStack() as stack:
        machines, pids = [], []
        for n in range(1, count + 1):
            # All of 127.0.0.0/8 is this machine, on Linux.
            host = f"127.0.0.{n}"
            own = Tree(tree.path, {**tree.environment, "LISTEN": host})
            port, pid = stack.enter_context(Web(processes=1).serving(own, host))
            machines.append(Machine(host, web_port=port))
            pids.append(pid)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        (home / "haproxy.cfg").write_text(configuration(machines, port, home))
        balancer = subprocess.Popen([haproxy, "-f", str(home / "haproxy.cfg")])
        stack.callback(stop, balancer)
        while not listens(port):
            if balancer.poll() is not None:
                sys.exit("haproxy did not start.")
            time.sleep(0.1)
        yield Served(port, pids, balancer.pid)


def configuration(machines: list[Machine], port: int, home: Path) -> str:
    """Fill the cluster's template in; its ways to the databases aren't used here."""
    values = Words({"web_bind": f"127.0.0.1:{port}", "run": str(home)})
    values |= lists(Inventory(values, machines, databases=0))
    return fill((TEMPLATES / "haproxy.cfg").read_text(), values)


class Words(dict[str, str]):
    """Has an address for each listener that isn't used."""

    def __missing__(self, name: str) -> str:
        if name.endswith("_bind"):
            return f"127.0.0.1:{free_port()}"
        raise KeyError(name)


def row(found: Result, lines: list[Result]) -> str:
    first = next(each for each in lines if each["name"] == found["name"])
    errors = ", ".join(f"{count} × {what}" for what, count in found["errors"].items())
    times = f"{found['rate'] / first['rate']:.2f}" if first["rate"] else "–"
    numbers = ("p50", "p95", "web_ms", "db_ms", "haproxy_ms", "busy")
    return line(
        [
            str(found["processes"]),
            found["name"],
            number(found["rate"]),
            times,
            *(number(found[name]) for name in numbers),
            errors or "0",
        ]
    )


def limit(lines: list[Result], alone: dict[str, Any] | None) -> list[str]:
    """Say at which rate the single database would be the limit, as far as it can be told here."""
    booked = [each for each in lines if each["name"].endswith(WHERE[0]) and each["db_ms"]]
    boards = [each for each in lines if each["name"] == BOARDS and each["db_ms"]]
    if not booked or not boards:
        return ["What the database uses can't be told on this machine."]
    cores = os.cpu_count() or 1
    said = []
    if alone:
        said.append(
            f"The database alone writes the rows of {alone['rate']:.0f} bookings/s here (pgbench,"
            f" {alone['clients']} clients, which share its cores)."
        )
    booking, board = booked[-1]["db_ms"], boards[-1]["db_ms"]
    said.append(
        f"A booking by the site takes {booking:.2f} ms of the database's processors, a board"
        f" {board:.2f}: {cores} cores that do nothing else are full at {1000 * cores / booking:.0f}"
        f" bookings/s, or {1000 * cores / board:.0f} boards/s."
    )
    one = booked[0]
    said.append(
        f"One web process makes {one['rate']:.0f} bookings/s and uses {one['web_ms']:.2f} ms of a"
        f" core for each, so about {1000 * cores / booking / max(one['rate'], 1):.0f} of them on"
        " machines of their own would fill such a database."
    )
    return said


def keep(run: dict[str, Any], out: Path | None) -> None:
    file = out or VAR / f"benchmarks/scaling-{run['at'].replace(':', '')}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(run, indent=1, ensure_ascii=False))
    print(f"\nKept: {file}")
