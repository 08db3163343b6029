"""Web servers, processes and threads beside each other: the same site, people and database.

    python -m pip install granian gunicorn-h1c
    python -m benchmarks --servers [--seconds 4]

They take turns, three rounds of them, so that a busier minute is everybody's. Times are medians.
"""

from argparse import Namespace
from statistics import median
from typing import Any

from benchmarks.clicks import LINES, PEOPLE, Clicks
from benchmarks.measuring import Bench, Result
from benchmarks.report import head, line, number
from benchmarks.site import ENVIRONMENT, Database, Tree, Web, database, machine, title

ROUNDS = 3
SHOWN = ("board: nothing changed", "booking: won")
HEADINGS = ("server", "what", "clients", "answers/s", "p50 ms", "p95 ms", "p99 ms", "web CPU ms")
TRIED = [
    Web("gunicorn", 5, parser="python"),
    Web("gunicorn", 5, parser="fast"),
    Web("gunicorn", 3, parser="python"),
    Web("gunicorn", 2, parser="python"),
    Web("gthread", 2, threads=4),
    Web("gthread", 2, threads=4, keep_alive=True),
    Web("gthread", 5, threads=2, keep_alive=True),
    Web("granian", 2),
    Web("granian", 2, keep_alive=True),
    Web("granian", 5, keep_alive=True),
]


def main(asked: Namespace) -> None:
    with database() as base:
        environment = {**ENVIRONMENT, "DATABASE_URL": base.url, "CACHE_URL": asked.cache}
        tree = Tree(asked.tree.resolve(), environment)
        clicks = Clicks(tree.prepare(PEOPLE))
        print(title(machine(tree)), end="\n\n")
        found: dict[tuple[str, str, int], list[Result]] = {}
        for _ in range(ROUNDS):
            for web in TRIED:
                for result in measured(web, tree, base, clicks, asked.seconds):
                    key = (str(web), result["name"], result["clients"])
                    found.setdefault(key, []).append(result)
                    print(".", end="", flush=True)
    print(f"\n\n{head(HEADINGS)}")
    for (name, what, clients), results in sorted(found.items(), key=lambda each: each[0][1:]):
        print(line((name, what, str(clients), *middle(results))))


def measured(web: Web, tree: Tree, base: Database, clicks: Clicks, seconds: float) -> list[Result]:
    """Return what one server does with a hundred at once, and with a hundred who think."""
    by_name = {line.name: line for line in LINES}
    with web.serving(tree) as (port, pid):
        bench = Bench(base, clicks, port, pid, keep_alive=web.keep_alive)
        bench.warm_up()
        closed = [bench.measure(by_name[name], 100, seconds) for name in SHOWN]
        thinking = bench.measure(by_name["mix"], 100, max(seconds, 4), 2)
    return [*closed, thinking | {"name": "mix, a click every 2 s"}]


def middle(results: list[Result]) -> list[str]:
    def of(name: str) -> Any:
        known = [result[name] for result in results if result[name] is not None]
        return median(known) if known else None

    return [number(of(name)) for name in ("rate", "p50", "p95", "p99", "web_ms")]
