"""What people ask for: the lines of the table, each as requests and what a good answer is."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlencode

type Step = tuple[str, int, str, str]  # name, who, head, body

PEOPLE = 1000
BOOKERS = 100  # members who book; others only look
MOST = 700  # requests a second that a line has work for

#: Statuses of good answers, and what their Location must contain.
RULES = {
    "healthz": ([200], ""),
    "empty page": ([200], ""),
    "home": ([200], ""),
    "board": ([200], ""),
    "board again": ([304, 200], ""),  # 200: the server doesn't know of it
    "search": ([200], ""),
    "book": ([302, 303], "?booked"),
    "lose": ([409], ""),
    "cancel": ([302, 303], "?cancelled"),
    "history": ([200], ""),
}

#: Out of a hundred clicks.
MIX = {"board": 60, "search": 15, "book": 15, "cancel": 5, "history": 5}

#: How many looks at a board there are in the mix for each time that one changes.
LOOKS_PER_CHANGE = MIX["board"] // (MIX["book"] + MIX["cancel"])


@dataclass(frozen=True)
class Line:
    """A line of the table: a name, what it sends, and what changes meanwhile."""

    name: str
    step: str  # of RULES, or "mix"
    changes_every: int = 0  # requests; 0 is never
    days: int = 1  # that change
    sends_etags: bool = False


LINES = [
    Line("healthz", "healthz"),
    Line("empty page", "empty page"),
    Line("home", "home"),
    Line("board: something changed", "board", changes_every=1),
    Line("board: nothing changed", "board"),
    Line("board: 304", "board again", sends_etags=True),
    Line("board: as in the mix", "boards", changes_every=LOOKS_PER_CHANGE, days=14),
    Line("search (API)", "search"),
    Line("history", "history"),
    Line("booking: won", "book"),
    Line("booking: lost", "lose"),
    Line("cancel", "cancel"),
    Line("mix", "mix"),
]

#: People who think between two clicks: the line, how many, seconds.
THINKING = [
    ("board: as in the mix", 100, 2),
    ("booking: won", 100, 2),
    ("mix", 100, 2),
    ("mix", 1000, 10),
]


@dataclass
class Clicks:
    """Makes the requests of each line from what `scene` made, and remembers what was booked."""

    found: dict[str, Any]
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    made: list[tuple[int, str]] = field(default_factory=list)  # who, the booking's code

    def __post_init__(self) -> None:
        self.cookies = [self.found["cookies"][f"load{n}"] for n in range(PEOPLE)]
        self.far, self.near = iter(self.found["far"]), iter(self.found["near"])

    def people(self, line: Line, clients: int, seconds: float, pause: float = 0) -> list[dict]:
        """Return a plan for each client, with work for that many seconds; see `load`."""
        pace = min(MOST / clients, 1 / pause if pause else MOST)
        return self.plans(line, clients, int(seconds * pace) + 2)

    def plans(self, line: Line, clients: int, enough: int) -> list[dict]:
        """Return a plan for each client, of that many requests or of a few to repeat."""
        match line.step:
            case "book":
                return [plan(self._booking(n, clients, enough)) for n in range(clients)]
            case "lose":
                return [plan(self._losing(n, enough)) for n in range(clients)]
            case "cancel":
                # Half of what there is: other lines want some too.
                count = min(enough * clients, len(self.made) // 2 + 1)
                mine, self.made = self.made[:count], self.made[count:]
                steps = [self.cancel(*each) for each in mine]
                return [plan(steps[n::clients]) for n in range(clients)]
            case "mix":
                return [self._mixed(n, enough) for n in range(clients)]
            case "boards":
                return [plan(self._boards(-1 - n, enough)) for n in range(clients)]
            case "history":
                visitors = [n for n in self.found["cookies"] if n.startswith("history")]
                cookies = [self.found["cookies"][name] for name in visitors]
                one = [self.get("history", 0, cookie) for cookie in cookies]
                return [
                    plan(one[n % len(one) :] + one[: n % len(one)], again=True)
                    for n in range(clients)
                ]
            case name:
                readers = range(-1, -1 - clients, -1)
                return [plan([self.get(name, n, self.cookies[n])], again=True) for n in readers]

    def _booking(self, person: int, clients: int, count: int) -> list[Step]:
        """Every request asks for another hour; few clients book for all members in turn."""
        members = range(person, BOOKERS, clients) if clients < BOOKERS else [person]
        hours = islice(self.far, count)
        return [self.book(who, *hour) for who, hour in zip(cycle(members), hours, strict=False)]

    def _losing(self, person: int, count: int) -> list[Step]:
        taken = self.chance.choices(self.found["taken"], k=count)
        return [self.book(person % BOOKERS, *hour, name="lose") for hour in taken]

    def _boards(self, person: int, count: int) -> list[Step]:
        return [self.board(person) for _ in range(count)]

    def _mixed(self, person: int, count: int) -> dict:
        names = self.chance.choices(list(MIX), list(MIX.values()), k=count)
        steps = [step for name in names if (step := self.one(name, person))]
        kept = [made for made in self.made if made[0] == person][:3]
        self.made = [made for made in self.made if made not in kept]
        return plan(steps, made=[code for _, code in kept])

    def one(self, name: str, person: int) -> Step | None:
        if name == "board":
            return self.board(person)
        if name == "book":
            hour = next(self.near, None)
            return self.book(person, *hour) if hour else None
        if name == "cancel":
            return self.cancel(person, "{code}")
        return self.get(name, person, self.cookies[person])

    # --- Requests ---------------------------------------------------------------------------------

    def get(self, name: str, who: int, cookie: str, path: str = "") -> Step:
        return name, who, self._head("GET", path or self.path(name), cookie), ""

    def post(self, name: str, who: int, path: str, **fields: Any) -> Step:
        body = urlencode({"csrfmiddlewaretoken": self.found["token"], **fields})
        head = self._head("POST", path, self.cookies[who]) + (
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        )
        return name, who, head, body

    def _head(self, method: str, path: str, cookie: str) -> str:
        return (
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n"
            "Accept-Language: en\r\nAccept-Encoding: gzip, deflate, br\r\n"
        )

    def path(self, name: str) -> str:
        slug, day = self.found["slug"], self.found["days"][0]
        board = f"/spaces/{slug}/?date={day}&from=13%3A00&to=15%3A00&party=1"
        times = {"starts_at": f"{day}T13:00:00+03:00", "ends_at": f"{day}T15:00:00+03:00"}
        return {
            "healthz": "/healthz",
            "empty page": "/bookings/",
            "home": "/",
            "board": board,
            "board again": board,
            "search": f"/api/v1/spaces/{slug}/availability?{urlencode(times)}&party_size=1",
            "history": "/bookings/history/",
        }[name]

    def board(self, person: int) -> Step:
        """Look at one of the next days, mostly early ones; half of the people name a time."""
        days = self.found["days"]
        day = self.chance.choices(days, [1 / n for n in range(1, len(days) + 1)])[0]
        query = {"date": day}
        if self.chance.random() < 0.5:
            start, hours = self.chance.randint(10, 17), self.chance.randint(1, 3)
            query |= {"from": f"{start}:00", "to": f"{start + hours}:00"}
            query |= {"party": self.chance.choice([1, 1, 1, 2])}
        path = f"/spaces/{self.found['slug']}/?{urlencode(query)}"
        return self.get("board", person, self.cookies[person], path)

    def book(self, who: int, place: str, starts_at: str, ends_at: str, name: str = "book") -> Step:
        key = f"{self.chance.getrandbits(96):024x}"
        times = {"place": place, "starts_at": starts_at, "ends_at": ends_at}
        return self.post(name, who, "/bookings/", **times, party_size=1, request_key=key)

    def cancel(self, who: int, code: str) -> Step:
        return self.post("cancel", who, f"/bookings/{code}/cancel/")


def plan(steps: list[Step], *, again: bool = False, made: list[str] | None = None) -> dict:
    return {"steps": steps, "cycle": again, "made": made or []}


def closed_loop(only: str, clients: list[int]) -> Iterator[tuple[Line, int]]:
    for line in LINES:
        if re.search(only, line.name):
            for count in clients:
                yield line, count
