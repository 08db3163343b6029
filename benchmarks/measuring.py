"""Runs one line after another, and says what each took."""

import gzip
import json
import re
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import batched, cycle, islice
from typing import Any

import psycopg

from benchmarks.clicks import LINES, PEOPLE, RULES, Clicks, Line
from benchmarks.site import ROOT, Database, cpu_seconds

Result = dict[str, Any]

SAMPLE = 20  # requests whose statements are counted

#: What isn't counted: the ends of transactions, PostgreSQL's own checks of foreign keys when one
#: commits, and what the benchmark itself asks.
NO_STATEMENT = re.compile(
    r"\s*(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET |DEALLOCATE|SELECT \$?\d FROM ONLY"
    r"|.*benchmark_|.*pg_stat_statements)",
    re.IGNORECASE | re.DOTALL,
)

#: What a page contains when it is what was asked for.
MARKS = {
    "healthz": "ok",
    "empty page": "load",  # who is signed in
    "home": "load",
    "board": "load",
    "search": "free_places",
    "history": "history",
}


@dataclass
class Bench:
    """The site that is served, and everything that was measured of it so far."""

    database: Database
    clicks: Clicks
    port: int
    pid: int
    keep_alive: bool = False
    statements: dict[str, float] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)
    cancelled: int = 0
    changed: int = 0

    def probe(self) -> None:
        """Look closely at one answer of each kind; under load only its status is looked at."""
        for name, mark in MARKS.items():
            connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
            _, _, head, _ = self.clicks.get(name, -1, self.clicks.cookies[-1])
            if name == "history":
                head = self.clicks.get(name, 0, self.clicks.found["cookies"]["history0"])[2]
            request, *lines = head.strip().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines)
            connection.request("GET", request.split()[1], headers=headers)
            answer = connection.getresponse()
            text = plain(answer.read(), answer.headers.get("Content-Encoding", "")).decode()
            connection.close()
            if answer.status != 200 or mark not in text:
                sys.exit(f"{name}: {answer.status}, and not what was expected:\n{text[:2000]}")

    def warm_up(self) -> None:
        """Let every process load what it needs."""
        for line in LINES:
            self._play(line, self.clicks.plans(line, 10, 5), 0.3, 0)

    def count_statements(self) -> None:
        """Send a few requests of each line, one after another, and ask the database."""
        with counting(self.database.url) as calls:
            for line in LINES if calls else ():
                (one,) = self.clicks.plans(line, 1, SAMPLE)
                one |= {"steps": list(islice(cycle(one["steps"]), SAMPLE)), "cycle": False}
                before = calls()
                done = self._play(line, [one], 60, 0)
                asked = sum(counts(done, "good").values()) + sum(counts(done, "wrong").values())
                self.statements[line.name] = round((calls() - before) / max(asked, 1), 1)

    def measure(self, line: Line, clients: int, seconds: float, pause: float = 0) -> Result:
        people = self.clicks.people(line, clients, seconds, pause)
        before = [cpu_seconds(pid) for pid in (self.pid, self.database.pid)]
        done = self._play(line, people, seconds, pause)
        after = [cpu_seconds(pid) for pid in (self.pid, self.database.pid)]
        web, database = (
            None if a is None or b is None else b - a for a, b in zip(before, after, strict=True)
        )
        return self._result(line, clients, pause, done) | {
            "web_ms": each(web, done),
            "db_ms": each(database, done),
            "client_ms": each(done["cpu"], done),
        }

    def _play(self, line: Line, people: list[dict], seconds: float, pause: float) -> dict:
        """Run a plan in another process."""
        change = None
        if line.changes_every and self.database.url.startswith("postgres"):
            change = {
                "url": self.database.url,
                "statement": f"SELECT benchmark_change(%s, {line.days})",
                "from": self.changed,
                "every": line.changes_every,
            }
        plan = {
            "port": self.port,
            "seconds": seconds,
            "pause": pause,
            "keep_alive": self.keep_alive,
            "rules": {
                name: {"statuses": statuses, "location": location}
                for name, (statuses, location) in RULES.items()
            },
            "conditional": ["board again"] if line.sends_etags else [],
            "change": change,
            "people": people,
        }
        program = [sys.executable, str(ROOT / "benchmarks/load.py")]
        ran = subprocess.run(program, input=json.dumps(plan), stdout=subprocess.PIPE, text=True)
        if ran.returncode:
            sys.exit(f"The clients of “{line.name}” failed.")
        done: dict[str, Any] = json.loads(ran.stdout)
        self.changed = max(self.changed, done["changed"])
        for name, answers in done["answers"].items():
            self.acknowledged += [code for _, code in answers["made"]]
            if line.step == "book" and name == "book":
                self.clicks.made += [(who, code) for who, code in answers["made"]]
            if name == "cancel":
                # Those that nobody heard the end of may have been cancelled too.
                self.cancelled += len(answers["seconds"]) + sum(answers["wrong"].values())
        return done

    def _result(self, line: Line, clients: int, pause: float, done: dict) -> Result:
        found = {name: part for name, part in done["answers"].items() if any(part.values())}
        seconds = [each for part in found.values() for each in part["seconds"]]
        good = counts(done, "good")
        result = {
            "name": line.name,
            "clients": clients,
            "pause": pause,
            "seconds": round(done["seconds"], 2),
            "answers": len(seconds),
            "rate": round(len(seconds) / done["seconds"], 1),
            **percentiles(seconds),
            "statements": self.statements.get(line.name),
            "kb": round(
                sum(part["bytes"] for part in found.values()) / 1000 / max(len(seconds), 1), 1
            ),
            "errors": counts(done, "wrong"),
            "statuses": good,
        }
        if len(found) > 1:
            result["parts"] = {
                name: {"answers": len(part["seconds"]), **percentiles(part["seconds"])}
                for name, part in found.items()
            }
        return result

    def lost(self) -> int:
        """Return how many bookings that clients were told of aren't there."""
        kept: Counter = Counter()
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            connection.execute("SELECT benchmark_restore()")
            for some in batched(self.acknowledged, 5000):
                rows = connection.execute(
                    "SELECT state, count(*) FROM bookings_booking WHERE code = ANY(%s::uuid[])"
                    " GROUP BY state",
                    [list(some)],
                )
                kept.update(dict(rows.fetchall()))
        unasked = max(kept["CANCELLED"] - self.cancelled, 0)
        return len(self.acknowledged) - kept["CONFIRMED"] - kept["CANCELLED"] + unasked


def plain(body: bytes, encoding: str) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    if encoding == "deflate":
        return zlib.decompress(body)
    if encoding == "br":
        import brotli

        return bytes(brotli.decompress(body))
    return body


def counts(done: dict, which: str) -> dict[str, int]:
    total: Counter = Counter()
    for part in done["answers"].values():
        total.update(part[which])
    return dict(total)


def each(cpu: float | None, done: dict) -> float | None:
    """Return milliseconds for each request, also those that failed."""
    asked = sum(counts(done, "good").values()) + sum(counts(done, "wrong").values())
    return None if cpu is None or not asked else round(max(cpu, 0) * 1000 / asked, 2)


def percentiles(seconds: list[float]) -> dict[str, float | None]:
    ordered = sorted(seconds)
    return {
        f"p{n}": round(ordered[min(len(ordered) * n // 100, len(ordered) - 1)] * 1000, 1)
        if ordered
        else None
        for n in (50, 95, 99)
    }


@contextmanager
def counting(url: str) -> Iterator[Any]:
    """Yield a function that returns how many statements the server has run; None if it can't.

    It is off while anything is timed.
    """
    if not url.startswith("postgres"):
        yield None
        return
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            track(connection, "top")
            connection.execute("SELECT pg_stat_statements_reset()")
        except psycopg.Error:
            yield None
            return

        def calls() -> int:
            rows = connection.execute(
                "SELECT query, calls FROM pg_stat_statements JOIN pg_database d ON d.oid = dbid"
                " WHERE d.datname = current_database()"
            )
            return sum(calls for query, calls in rows if not NO_STATEMENT.match(query))

        yield calls
        track(connection, "none")


def track(connection: psycopg.Connection, what: str) -> None:
    connection.execute(f"ALTER SYSTEM SET pg_stat_statements.track = '{what}'")
    connection.execute("SELECT pg_reload_conf()")
    time.sleep(0.5)  # until every process has heard of it


__all__ = ["PEOPLE", "Bench", "counting"]
