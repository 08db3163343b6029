"""How fast the site is, for one person and for a crowd: one table from one run.

    python -m benchmarks [--quick] [--compare var/benchmarks/EARLIER.json]

Starts a throwaway PostgreSQL that writes to the disk, fills it with the demo data and people,
serves it as production does, and plays the people from another process on the same machine.
Afterwards every acknowledged booking must be there, and `check_bookings` must find nothing. The
results stay in var/benchmarks/, as JSON and as a picture. See docs/performance.md.
"""

import json
import re
import signal
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks import plot, report, rows
from benchmarks.clicks import LINES, PEOPLE, THINKING, Clicks, closed_loop
from benchmarks.measuring import Bench
from benchmarks.site import ENVIRONMENT, ROOT, SERVERS, VAR, Tree, Web, database, machine, title
from scripts import postgres


def main() -> None:
    asked = arguments()
    for stop in postgres.STOPS:  # what was started ends too
        signal.signal(stop, lambda number, _frame: sys.exit(128 + number))
    if asked.instead:
        import_module(f"benchmarks.{asked.instead}").main(asked)
        return
    with database() as base:
        environment = {**ENVIRONMENT, "DATABASE_URL": base.url, "CACHE_URL": asked.cache}
        tree = Tree(asked.tree.resolve(), environment)
        found = tree.prepare(PEOPLE)
        web = Web(asked.server, asked.processes, asked.threads, asked.keep_alive)
        about = {**machine(tree), "web": str(web), "seconds": asked.seconds}
        beside = rows.copy(base) if asked.rows else None
        print(title(about))
        print(f"{str(web).capitalize()}; {asked.seconds:g} s for each line.\n")
        print(report.head(), flush=True)
        with web.serving(tree) as (port, pid):
            clicks = Clicks(found)
            bench = Bench(base, clicks, port, pid, keep_alive=web.keep_alive)
            bench.probe()
            bench.warm_up()
            bench.count_statements()
            lines = measure(bench, asked)
        run = {"at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "machine": about, "lines": lines}
        if beside:
            counts = [rows.measure(base, beside, n, asked.seconds) for n in asked.clients]
            run["rows"] = [each for each in counts if each]
            print("", *report.rows(run["rows"], lines), sep="\n")
        lost = bench.lost()
        print(f"\nBookings acknowledged: {len(bench.acknowledged)}, of which lost: {lost}")
        print(tree.run("manage.py", "check_bookings").strip())
    before = json.loads(asked.compare.read_text()) if asked.compare else None
    if before:
        print("", *report.compared(run, before), sep="\n")
    keep(run, before, asked.out)
    sys.exit(1 if lost else 0)


def measure(bench: Bench, asked: Namespace) -> list[dict[str, Any]]:
    lines = []
    for line, clients in closed_loop(asked.only, asked.clients):
        lines.append(bench.measure(line, clients, asked.seconds))
        print(report.row(lines[-1]), flush=True)
    by_name = {line.name: line for line in LINES}
    for name, people, pause in THINKING if asked.thinking else ():
        if re.search(asked.only, name):
            seconds = max(2 * asked.seconds, 2 * pause)
            lines.append(bench.measure(by_name[name], people, seconds, pause))
            print(report.row(lines[-1]), flush=True)
    return lines


def keep(run: dict[str, Any], before: dict[str, Any] | None, out: Path | None) -> None:
    """Keep the numbers and a picture of them."""
    file = out or VAR / f"benchmarks/{run['at'].replace(':', '')}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(run, indent=1, ensure_ascii=False))
    file.with_suffix(".svg").write_text(plot.drawn(run, before))
    print(f"\nKept: {file}, {file.with_suffix('.svg').name}")


def arguments() -> Namespace:
    parser = ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="two minutes, less exact")
    parser.add_argument("--seconds", type=float, help="for each line (8; quick: 1.5)")
    parser.add_argument("--clients", type=numbers, help="at a time, without a pause (1,10,100)")
    parser.add_argument("--only", default="", help="lines whose name has this (regex)")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="print ratios to its numbers")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to keep the JSON")
    parser.add_argument("--tree", type=Path, default=ROOT, help="another checkout to measure")
    served = parser.add_argument_group("how it is served")
    served.add_argument("--server", choices=SERVERS, default=SERVERS[0])
    served.add_argument("--processes", type=int, default=Web.processes)
    served.add_argument("--threads", type=int, default=Web.threads, help="of gthread")
    served.add_argument("--keep-alive", action="store_true", help="clients keep their connection")
    served.add_argument("--cache", default="locmemcache://", help="CACHE_URL")
    left_out = parser.add_argument_group("what to leave out")
    left_out.add_argument("--no-rows", dest="rows", action="store_false", help="no pgbench")
    left_out.add_argument("--no-thinking", dest="thinking", action="store_false")
    other = parser.add_argument_group("measure something else")
    for name, what in INSTEAD.items():
        other.add_argument(f"--{name}", dest="instead", action="store_const", const=name, help=what)
    other.add_argument("--counts", type=numbers, default=[1, 2, 4], help="of --scaling (1,2,4)")
    other.add_argument("--engine", choices=["postgresql", "sqlite"], default="postgresql")
    asked = parser.parse_args()
    asked.seconds = asked.seconds or (1.5 if asked.quick else 8)
    asked.clients = asked.clients or ([1, 100] if asked.quick else [1, 10, 100])
    return asked


#: Modules of this package that measure something else.
INSTEAD = {
    "growth": "what pages cost with 100 to 1,000,000 bookings",
    "kafka": "events a second to Kafka",
    "webhooks": "events a second to webhook receivers",
    "pieces": "where the processor time of each request goes",
    "scaling": "1, 2, 4 web processes behind haproxy, and where the database is the limit",
    "servers": "web servers, processes and threads beside each other",
}


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


if __name__ == "__main__":
    main()
