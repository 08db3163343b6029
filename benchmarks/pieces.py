"""Where the processor time of a request goes, piece by piece, for each line of the table.

    python -m benchmarks --pieces [--only REGEX]

Calls the WSGI application in this process, against a throwaway PostgreSQL, and looks every
millisecond of processor time at what is being executed. What gunicorn, the kernel and the database
do is not in it.
"""

import io
import os
import re
import signal
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_string
from itertools import cycle, islice
from types import FrameType
from typing import Any

from benchmarks import scene
from benchmarks.clicks import LINES, RULES, Clicks, Line, Step
from benchmarks.measuring import PEOPLE
from benchmarks.report import head, line, number
from benchmarks.site import ROOT, Tree, in_this_process

EVERY = 0.001  # seconds of processor time
WARM_UP = 30  # requests
SHOWN = 14  # pieces; the rest is added up


def main(asked: Namespace) -> None:
    with in_this_process("postgresql", CACHE_URL=asked.cache, SERVING="true") as title:
        tree = Tree(ROOT, {})
        tree.run("manage.py", "demo")
        tree.run("manage.py", "collectstatic", "--no-input", "--clear", "--verbosity", "0")
        clicks = Clicks(scene.set_the_scene(PEOPLE))
        print(title)
        from config.wsgi import application

        for each in LINES:
            if re.search(asked.only, each.name) and each.step != "mix":
                print(f"\n### {each.name}\n")
                for row in profiled(each, clicks, application, asked.seconds):
                    print(row, flush=True)


def profiled(asked: Line, clicks: Clicks, application: Any, seconds: float) -> Iterator[str]:
    """Send one request after another for some seconds, and yield tables of the pieces."""
    (plan,) = clicks.plans(asked, 1, WARM_UP + int(seconds * 200))
    steps = cycle(plan["steps"]) if plan["cycle"] else iter(plan["steps"])
    change, tags = changing(asked), {}
    for step in islice(steps, WARM_UP):
        change()
        send(step, application, clicks, tags, asked)
    samples, count, used, until = Samples(), 0, 0.0, time.monotonic() + seconds
    with samples.taken():
        for step in steps:
            change()
            began, samples.are_wanted = time.process_time(), True
            send(step, application, clicks, tags, asked)
            samples.are_wanted = False
            used += time.process_time() - began
            count += 1
            if time.monotonic() > until:
                break
    if not count:
        return
    each = used * 1000 / count
    yield f"{number(each)} ms of processor time a request, of {count}.\n"
    for title, found in (("at work", samples.at_work), ("for", samples.for_whom)):
        yield head((title, "ms", "share"))
        shown, total = found.most_common(SHOWN), max(found.total(), 1)
        rest = found.total() - sum(hits for _, hits in shown)
        for name, hits in [*shown, ("everything else", rest)]:
            yield line((name, f"{each * hits / total:.2f}", f"{100 * hits / total:.0f} %"))
        yield ""


def send(step: Step, application: Any, clicks: Clicks, tags: dict[str, str], asked: Line) -> None:
    name, who, text, body = step
    request, _, lines = text.partition("\r\n")
    method, path, _ = request.split()
    headers = message_from_string(lines)
    path, _, query = path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body.encode()),
        "wsgi.errors": io.StringIO(),
        **{f"HTTP_{key.upper().replace('-', '_')}": value for key, value in headers.items()},
    }
    if asked.sends_etags and text in tags:
        environ["HTTP_IF_NONE_MATCH"] = tags[text]
    told: dict[str, Any] = {}

    def start(status: str, answered: list[tuple[str, str]], *_: Any) -> None:
        told.update({key.lower(): value for key, value in answered}, status=int(status[:3]))

    answer = application(environ, start)
    b"".join(answer)
    answer.close()
    statuses, location = RULES[name]
    assert told["status"] in statuses, (asked.name, told)
    assert location in told.get("location", ""), (asked.name, told)
    if told["status"] == 200 and "etag" in told:
        tags[text] = told["etag"]
    if name == "book":
        clicks.made.append((who, told["location"].split("/")[-2]))


def changing(asked: Line) -> Callable[[], None]:
    """Return what changes a board before each request, from a connection of its own."""
    import psycopg

    if not asked.changes_every:
        return lambda: None
    connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    numbers = iter(range(1, 1_000_000))
    turns = cycle([True, *[False] * (asked.changes_every - 1)])

    def change() -> None:
        if next(turns):
            connection.execute(f"SELECT benchmark_change(%s, {asked.days})", [next(numbers)])

    return change


class Samples:
    """What was being executed whenever we looked: whose code was at work, and for which of ours."""

    def __init__(self) -> None:
        self.are_wanted = False
        self.at_work: Counter[str] = Counter()
        self.for_whom: Counter[str] = Counter()

    @contextmanager
    def taken(self) -> Iterator[None]:
        before = signal.signal(signal.SIGPROF, self.look)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        yield
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)

    def look(self, _number: int, frame: FrameType | None) -> None:
        if self.are_wanted:
            pieces = [found for each in outwards(frame) if (found := piece(each))]
            self.at_work[pieces[0]] += 1
            ours = (found for found in pieces if not found.startswith("("))
            self.for_whom[next(ours, "the framework alone")] += 1


def outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def piece(frame: FrameType) -> str:
    """Name our module, or a library in brackets; the standard library works for its callers."""
    file = frame.f_code.co_filename
    if "site-packages" in file:
        return library(file.rpartition("site-packages/")[2].removesuffix(".py").split("/"))
    if file.startswith(f"{ROOT}/"):
        return file.removeprefix(f"{ROOT}/").removesuffix(".py").replace("/", ".")
    return ""


def library(parts: list[str]) -> str:
    if parts[0] != "django":
        return f"({parts[0]})"
    deep = parts[1] in {"db", "core", "utils", "contrib", "template"}
    return f"({'.'.join(parts[: 3 if deep else 2])})"
