"""What a page costs after years: with 100, 10,000 and 1,000,000 bookings, and many spaces.

    python -m benchmarks --growth [--engine postgresql]

Requests go through the WSGI application in this process, one after another, so both numbers of each
cell are processor time: of the web process, and of the database process behind its connection. What
a page shows is the same every time; only what it doesn't show grows. The columns of a table are
databases side by side, which take turns: see `benchmarks.copies`. Afterwards the plans of all
statements are printed. Takes minutes, mostly for filling in.
"""

import gc
import io
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from benchmarks import filler
from benchmarks.filler import Scene
from benchmarks.plans import Explained, explained
from benchmarks.report import line
from benchmarks.site import ROOT, Tree, in_this_process

SIZES = (100, 10_000, 1_000_000)
SPACES = (2, 300)
PLACES = (10, 100, 1_000)
TURNS, TIMES = 8, 5  # so often it's a column's turn, for so many requests; their median counts
SCENE = Scene()


def main(asked: Namespace) -> None:
    if asked.engine != "postgresql":
        sys.exit("The filler writes PostgreSQL's SQL.")
    with in_this_process(asked.engine) as title:
        Tree(ROOT).run("manage.py", "collectstatic", "--no-input", "--clear", "--verbosity", "0")
        print(title)
        for table in measured():
            print("", *table, sep="\n", flush=True)


def measured(sizes: Iterable[int] = SIZES) -> Iterator[list[str]]:
    """Yield the tables: growth with history, with spaces, with places, and the plans."""
    from benchmarks import copies

    now = filler.begin(spaces=SPACES[0])
    visits = Visits()
    columns, filled = {}, 0
    for size in sizes:
        filler.history(filled, size, now=now)
        filled = size
        filler.settle()
        columns[f"{size:,} bookings"] = visits.all
        copies.copy(f"{size:,} bookings")
    yield table(in_turns(columns))
    columns = {f"{SPACES[0]} spaces": visits.of_home}
    copies.copy(*columns)
    filler.more_spaces(SPACES[1], places=40)
    filler.settle()
    columns[f"{SPACES[1]} spaces"] = visits.of_home
    copies.copy(f"{SPACES[1]} spaces")
    yield table(in_turns(columns))
    columns = {}
    for places in PLACES:
        slug = filler.large_space(places)
        columns[f"{places:,} places"] = visits.of_large(slug)
        copies.copy(f"{places:,} places")
    yield table(in_turns(columns))
    yield plans(visits.all)


# --- What is asked for ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Visit:
    """One kind of request, and what to do before each."""

    name: str
    ask: Callable[[], int]
    good: int = 200
    before: Callable[[], object] = field(default=lambda: None)
    afterwards: Callable[[], object] = field(default=lambda: None)


class Visits:
    def __init__(self) -> None:
        from accounts.models import User
        from accounts.tokens import issue
        from bookings.finding.shelf import shelf

        self.site = Site()
        self.member = sign_in(SCENE.member)
        self.staff, self.root = sign_in(SCENE.staff), sign_in(SCENE.root)
        self.forget = shelf.clear
        person = User.objects.get(username=SCENE.member)
        fields: dict[str, Any] = {"name": "Growth", "scope": "READ", "expires_at": None}
        self.token = issue(person, now=filler.present(), **fields)[1]
        self.free = count()

    @property
    def all(self) -> list[Visit]:
        day, past = filler.busy(), filler.busy() - timedelta(days=400)
        desk = "/admin/bookings/booking/"
        return [
            Visit("board, made anew", self.board(SCENE.slug, day), before=self.forget),
            Visit("board, nothing changed", self.board(SCENE.slug, day)),
            Visit("board of a past day", self.board(SCENE.slug, past), before=self.forget),
            Visit("booking", self.book, good=302, afterwards=filler.forget_free_hours),
            Visit("my bookings", self.get("/bookings/")),
            Visit("history", self.get("/bookings/history/")),
            *self.of_home,
            Visit("API: my bookings", self.api("/api/v1/bookings")),
            Visit("API: by start", self.api("/api/v1/bookings?sort=-starts_at")),
            Visit("front desk: today", self.get(f"{desk}?day=today", self.staff)),
            Visit("front desk: all", self.get(desk, self.staff)),
            Visit("superuser: all", self.get(desk, self.root)),
        ]

    @property
    def of_home(self) -> list[Visit]:
        return [
            Visit("home, made anew", self.get("/"), before=self.forget),
            Visit("home, nothing changed", self.get("/")),
        ]

    def of_large(self, slug: str) -> list[Visit]:
        day = filler.busy()
        return [
            Visit("board, made anew", self.board(slug, day), before=self.forget),
            Visit("board, nothing changed", self.board(slug, day)),
        ]

    def get(self, path: str, cookie: str = "") -> Callable[[], int]:
        return lambda: self.site.ask(path, {"HTTP_COOKIE": cookie or self.member})

    def api(self, path: str) -> Callable[[], int]:
        return lambda: self.site.ask(path, {"HTTP_AUTHORIZATION": f"Bearer {self.token}"})

    def board(self, slug: str, day: Any) -> Callable[[], int]:
        query = urlencode({"date": f"{day:%Y-%m-%d}", "from": "12:00", "to": "14:00"})
        return self.get(f"/spaces/{slug}/?{query}")

    def book(self) -> int:
        """Book an hour that nobody has, another each time."""
        code, at = filler.free_hour(next(self.free))
        body = {
            "csrfmiddlewaretoken": TOKEN,
            "place": code,
            "starts_at": f"{at:%Y-%m-%dT%H:%M}",
            "ends_at": f"{at + timedelta(hours=1):%Y-%m-%dT%H:%M}",
            "party_size": 1,
            "request_key": os.urandom(12).hex(),
        }
        return self.site.ask("/bookings/", {"HTTP_COOKIE": self.member}, urlencode(body).encode())


TOKEN = "benchmark0benchmark0benchmark000"  # a CSRF token is in the cookie and in the form


def sign_in(login: str) -> str:
    from django.conf import settings
    from django.test import Client

    from accounts.models import User

    client = Client()
    client.force_login(
        User.objects.get(username=login), backend=settings.AUTHENTICATION_BACKENDS[-1]
    )
    return f"sessionid={client.cookies['sessionid'].value}; csrftoken={TOKEN}"


class Site:
    """The application, as a web server calls it."""

    def __init__(self) -> None:
        from config.wsgi import application

        self.application = application

    def ask(self, path: str, headers: Mapping[str, str], body: bytes = b"") -> int:
        """Send a request and read the answer; return its status."""
        path, _mark, query = path.partition("?")
        statuses = []
        environ = {
            "REQUEST_METHOD": "POST" if body else "GET",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "HTTP_HOST": "127.0.0.1",
            "REMOTE_ADDR": "127.0.0.1",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_ACCEPT_ENCODING": "gzip",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            **headers,
        }
        answer = self.application(environ, lambda status, _headers: statuses.append(status))
        for _part in answer:
            pass
        answer.close()
        return int(statuses[0].split()[0])


# --- What it costs --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """Milliseconds of the processor for one request."""

    web: float
    database: float

    @property
    def total(self) -> float:
        return self.web + self.database

    def __str__(self) -> str:
        return f"{self.web:.1f} + {self.database:.1f}"


def in_turns(columns: Mapping[str, Iterable[Visit]]) -> dict[str, dict[str, Cost]]:
    """Return what each column's visits cost, in the database with the column's name."""
    from benchmarks import copies

    found: dict[str, dict[str, list[Cost]]] = {title: {} for title in columns}
    for _turn in range(TURNS):
        for title, visits in columns.items():
            with copies.using(title):
                for visit in visits:
                    found[title].setdefault(visit.name, []).extend(costs(visit))
    return {
        title: {name: middle(costs) for name, costs in column.items()}
        for title, column in found.items()
    }


def costs(visit: Visit) -> list[Cost]:
    """Return what some requests cost, without the first few, which compose statements."""
    from django.db import connection

    connection.ensure_connection()
    backend = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    found = []
    for n in range(TIMES + 3):
        visit.before()
        gc.collect(0)
        web, database = time.process_time_ns(), _nanoseconds(backend)
        status = visit.ask()
        found.append(
            Cost(
                web=(time.process_time_ns() - web) / 1e6,
                database=(_nanoseconds(backend) - database) / 1e6,
            )
        )
        assert status == visit.good, f"{visit.name}: {status}"
        if n < 3:
            found.clear()
    visit.afterwards()
    return found


def middle(costs: Sequence[Cost]) -> Cost:
    return Cost(median(each.web for each in costs), median(each.database for each in costs))


def _nanoseconds(backend: Path) -> int:
    """Return what a database process on this machine has used; 0 for one elsewhere."""
    return int(backend.read_text().split()[0]) if backend.exists() else 0


def table(columns: Mapping[str, Mapping[str, Cost]]) -> list[str]:
    first, *_, last = columns.values()
    rows = [
        [
            name,
            *(str(column[name]) for column in columns.values()),
            f"{last[name].total / first[name].total:.2f}",
        ]
        for name in first
    ]
    return [
        line(["web + database, ms", *columns, "last ÷ first"]),
        line(["---", *["---:"] * (len(columns) + 1)]),
        *map(line, rows),
    ]


def plans(visits: Iterable[Visit]) -> list[str]:
    """Return every statement of every page that reads more than a few rows, and how."""
    lines = [line(["page", "statement", "rows", "ms", "how"]), line(["---"] * 5)]
    for visit in visits:
        visit.before()
        with explained() as found:
            visit.ask()
        lines += [_planned(visit.name, each) for each in found if each.rows > 1]
    return lines


def _planned(page: str, statement: Explained) -> str:
    numbers = [f"{statement.rows:,}", f"{statement.milliseconds:.1f}"]
    return line([page, statement.title, *numbers, statement.how])
