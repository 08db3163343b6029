"""Plays people, in its own process: a plan in, what became of each request out, as JSON.

A plan: {"port", "seconds", "pause", "keep_alive", "rules": {name: {"statuses", "location"}},
"conditional": [name, ...], "change": {"url", "statement", "from", "every"} or null,
"people": [{"steps": [[name, who, head, body], ...], "cycle", "made": [code, ...]}, ...]}.

Each person sends one request after another, `pause` seconds apart, until the time or the steps run
out. An answer counts as good if its status and its Location are what the rule of that name says
and it arrived whole; nothing else has a duration. `{code}` in a head stands for a booking the
person made. Plain sockets and no libraries: clients share the machine with what they measure.
"""

import contextlib
import heapq
import json
import random
import selectors
import socket
import sys
import time
from collections import Counter
from itertools import cycle

TIMEOUT = 30  # seconds, then the request counts as failed
WITHOUT_BODY = {204, 304}


class Answers:
    """What came back for all requests of one name."""

    def __init__(self, rule: dict) -> None:
        self.statuses, self.location = set(rule["statuses"]), rule["location"].encode()
        self.seconds: list[float] = []
        self.good: Counter = Counter()
        self.wrong: Counter = Counter()
        self.made: list[tuple[int, str]] = []
        self.bytes = 0

    def report(self) -> dict:
        return {
            "seconds": [round(each, 6) for each in self.seconds],
            "good": self.good,
            "wrong": self.wrong,
            "made": self.made,
            "bytes": self.bytes,
        }


class Person:
    def __init__(self, plan: dict, load: "Load") -> None:
        self.load = load
        self.steps = cycle(plan["steps"]) if plan["cycle"] else iter(plan["steps"])
        self.made = list(plan["made"])
        self.etags: dict[str, bytes] = {}
        self.socket: socket.socket | None = None
        self.began = 0.0  # when the request was sent; 0 while there is none

    def click(self) -> None:
        """Send the next request that can be sent; without one the person goes home."""
        for name, who, head, body in self.steps:
            if "{code}" in head:
                if not self.made:
                    continue
                head = head.replace("{code}", self.made.pop())
            self.name, self.who, self.head = name, who, head
            text = head.encode()
            if name in self.load.conditional and head in self.etags:
                text += b"If-None-Match: " + self.etags[head] + b"\r\n"
            if not self.load.keep_alive:
                text += b"Connection: close\r\n"
            self.request = text + b"\r\n" + body.encode()
            self.load.change()
            self.load.served += 1
            self.began = time.perf_counter()
            self.send(is_kept=self.socket is not None)
            return

    def send(self, *, is_kept: bool) -> None:
        self.is_kept, self.received, self.whole = is_kept, bytearray(), 0
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.load.port), TIMEOUT)
                self.socket.setblocking(False)
                self.load.selector.register(self.socket, selectors.EVENT_READ, self)
            self.socket.send(self.request)  # a few hundred bytes: they fit
        except OSError as error:
            self.lost(type(error).__name__)

    def hear(self) -> None:
        """Take what has arrived; `whole` is its length when nothing is missing, once known."""
        try:
            part = self.socket.recv(262_144)
        except OSError as error:
            self.lost(type(error).__name__)
            return
        self.received += part
        if not self.whole:
            self._read_head(is_over=not part)
        if self.whole and len(self.received) >= self.whole:
            self.take()
        elif not part:
            self.lost("cut short")

    def _read_head(self, *, is_over: bool) -> None:
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return
        self.status = int(self.received[9:12])
        if self.status in WITHOUT_BODY:
            self.whole = end + 4
        elif length := self.header(b"content-length"):
            self.whole = end + 4 + int(length)
        elif self.header(b"transfer-encoding"):
            if self.received.endswith(b"0\r\n\r\n"):
                self.whole = len(self.received)
        elif is_over:
            self.whole = len(self.received)

    def header(self, name: bytes) -> bytes:
        head = self.received[: self.received.find(b"\r\n\r\n") + 2]
        start = head.lower().find(b"\r\n" + name + b":")
        return bytes(head[start + len(name) + 3 : head.find(b"\r\n", start + 2)].strip()) * (
            start >= 0
        )

    def lost(self, why: str) -> None:
        """Close; ask again where the server had closed an idle connection before it heard us."""
        self.close()
        if self.is_kept and not self.received:
            self.send(is_kept=False)
        else:
            self.load.answers[self.name].wrong[why] += 1
            self.load.next(self)

    def take(self) -> None:
        """Judge an answer that has arrived whole."""
        seconds = time.perf_counter() - self.began
        answers = self.load.answers[self.name]
        location = self.header(b"location") if 300 <= self.status < 400 else b""
        if self.status in answers.statuses and answers.location in location:
            answers.seconds.append(seconds)
            answers.good[self.status] += 1
            answers.bytes += len(self.received)
            if b"?booked" in location:
                code = location.split(b"/")[-2].decode()
                answers.made.append((self.who, code))
                self.made.append(code)
            if self.status == 200 and (etag := self.header(b"etag")):
                self.etags[self.head] = etag
        else:
            answers.wrong[f"{self.status} {location.decode()[:20]}".strip()] += 1
        if not self.load.keep_alive or self.header(b"connection").lower() == b"close":
            self.close()
        self.load.next(self)

    def close(self) -> None:
        if self.socket is not None:
            with contextlib.suppress(KeyError):
                self.load.selector.unregister(self.socket)
            self.socket.close()
            self.socket = None


class Changes:
    """Changes what the board shows, with a statement of its own, before every so many requests."""

    def __init__(self, plan: dict) -> None:
        import psycopg

        self.connection = psycopg.connect(plan["url"], autocommit=True)
        # Only how often something changes is of interest, not how well it is kept.
        self.connection.execute("SET synchronous_commit = off")
        self.statement, self.number, self.every = plan["statement"], plan["from"], plan["every"]
        self.asked, self.cpu = 0, 0.0

    def make(self) -> None:
        self.asked += 1
        if self.asked % self.every == 0:
            before = time.process_time()
            self.connection.execute(self.statement, [self.number])
            self.number += 1
            self.cpu += time.process_time() - before


class Load:
    def __init__(self, plan: dict) -> None:
        self.port, self.pause, self.keep_alive = plan["port"], plan["pause"], plan["keep_alive"]
        self.seconds, self.conditional = plan["seconds"], set(plan["conditional"])
        self.answers = {name: Answers(rule) for name, rule in plan["rules"].items()}
        self.changes = Changes(plan["change"]) if plan["change"] else None
        self.selector = selectors.DefaultSelector()
        self.people = [Person(each, self) for each in plan["people"]]
        self.waiting: list[tuple[float, int, Person]] = []  # for their next click, a heap
        self.served = 0  # how many have asked and not been answered

    def change(self) -> None:
        if self.changes:
            self.changes.make()

    def next(self, person: Person) -> None:
        """Let a person click again: `pause` after the last click, or at once when that is over."""
        at = max(person.began + self.pause, time.perf_counter()) if self.pause else 0.0
        person.began = 0.0
        self.served -= 1
        heapq.heappush(self.waiting, (at, id(person), person))

    def run(self) -> dict:
        began, cpu = time.perf_counter(), time.process_time()
        until = began + self.seconds
        for person in self.people:  # people don't march in step
            at = began + random.uniform(0, self.pause)
            heapq.heappush(self.waiting, (at, id(person), person))
        looked = began
        while True:
            now = time.perf_counter()
            while self.waiting and self.waiting[0][0] <= now:
                person = heapq.heappop(self.waiting)[2]
                if now < until:
                    person.click()
            pause = self.waiting[0][0] - now if self.waiting else 1.0
            if not self.served and (not self.waiting or now >= until):
                break
            for key, _ in self.selector.select(min(max(pause, 0), 1.0)):
                key.data.hear()
            if now > looked + 1:
                looked = now
                self.give_up(now - TIMEOUT)
        used = time.process_time() - cpu - (self.changes.cpu if self.changes else 0.0)
        return {
            "seconds": time.perf_counter() - began,
            "cpu": used,
            "changed": self.changes.number if self.changes else 0,
            "answers": {name: answers.report() for name, answers in self.answers.items()},
        }

    def give_up(self, before: float) -> None:
        for person in self.people:
            if 0 < person.began < before:
                person.is_kept = False
                person.lost("timeout")


if __name__ == "__main__":
    json.dump(Load(json.load(sys.stdin)).run(), sys.stdout)
