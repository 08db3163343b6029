"""The benchmarks count only what succeeded. That they run at all is shown by running them."""

import json
import subprocess
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from inspect import signature
from threading import Thread
from xml.etree import ElementTree

import pytest

from benchmarks import plot, report
from benchmarks.__main__ import INSTEAD
from benchmarks.site import ROOT

pytestmark = pytest.mark.any_database

BOOKED = "/bookings/0198c2f0-5d7e-7c3a-9f10-2b6f0e6c1a55/?booked=1"
RULES = {
    "page": {"statuses": [200], "location": ""},
    "again": {"statuses": [200, 304], "location": ""},
    "book": {"statuses": [302], "location": "?booked"},
    "cancel": {"statuses": [302], "location": "?cancelled"},
}


class Handler(BaseHTTPRequestHandler):
    """Answers as the path says; `server.heard` has what was asked."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.server.heard.append(f"{self.command} {self.path}")
        self.server.connections.add(self.client_address)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, _, location = self.path.strip("/").partition("/")
        if status == "silent":  # closes in the middle
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")
            self.close_connection = True
            return
        if "If-None-Match" in self.headers:
            status = "304"
        self.send_response(int(status))
        self.send_header("ETag", '"one"')
        self.send_header("Location", f"/{location}")
        self.send_header("Content-Length", "0" if status != "200" else "5")
        self.end_headers()
        self.wfile.write(b"hello" if status == "200" else b"")

    do_GET = do_POST = answer

    def log_message(self, *args):
        pass


@contextmanager
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as made:
        made.heard, made.connections = [], set()
        thread = Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def play(port, *people, **more):
    """Run the benchmarks' clients, each person's steps once."""
    plan = {"port": port, "seconds": 60, "pause": 0, "keep_alive": False, "rules": RULES}
    plan |= {"conditional": [], "change": None, **more}
    plan["people"] = [{"steps": steps, "cycle": False, "made": []} for steps in people]
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/load.py"],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["answers"]


def get(name, path):
    return name, 7, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n", ""


def post(name, path, body="a=1"):
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    return name, 7, head, body


def test_only_what_succeeded_has_a_duration():
    steps = [
        get("page", "/200/"),
        get("page", "/500/"),
        get("page", "/silent/"),
        post("book", f"/302{BOOKED}"),
        post("book", "/302/accounts/login/"),
        post("book", "/409/"),
    ]
    with server() as site:
        answers = play(site.server_port, steps, steps[:1])
    assert (len(answers["page"]["seconds"]), answers["page"]["good"]) == (2, {"200": 2})
    assert answers["page"]["wrong"] == {"500": 1, "cut short": 1}
    assert (len(answers["book"]["seconds"]), answers["book"]["good"]) == (1, {"302": 1})
    assert answers["book"]["wrong"] == {"302 /accounts/login": 1, "409": 1}
    assert answers["book"]["made"] == [[7, BOOKED.split("/")[2]]]


def test_nobody_there_is_an_error():
    with server() as site:
        port = site.server_port
    assert play(port, [get("page", "/200/")])["page"]["wrong"] == {"ConnectionRefusedError": 1}


def test_people_cancel_what_they_booked_and_nothing_else():
    cancel = post("cancel", "/302/bookings/{code}/?cancelled=1")
    with server() as site:
        play(site.server_port, [cancel, post("book", f"/302{BOOKED}"), cancel, cancel])
    assert site.heard == [
        f"POST /302{BOOKED}",
        f"POST /302/bookings/{BOOKED.split('/')[2]}/?cancelled=1",
    ]


def test_a_page_that_has_not_changed_is_asked_for_by_its_tag():
    again = [get("again", "/200/")] * 3
    with server() as site:
        answers = play(site.server_port, again, conditional=["again"])
    assert answers["again"]["good"] == {"200": 1, "304": 2}


@pytest.mark.parametrize(("keep_alive", "connections"), [(True, 1), (False, 3)])
def test_clients_may_keep_their_connection(keep_alive, connections):
    with server() as site:
        answers = play(site.server_port, [get("page", "/200/")] * 3, keep_alive=keep_alive)
    assert answers["page"]["good"] == {"200": 3}
    assert len(site.connections) == connections


def result(clients=1, **more):
    times = {"p50": 20.0, "p95": 40.0, "p99": 50.0}
    costs = {"web_ms": 10.0, "db_ms": 1.0, "client_ms": 0.1}
    return {
        "name": "board",
        "clients": clients,
        "pause": 0,
        "seconds": 8.0,
        "answers": 400,
        "rate": 50.0,
        **times,
        **costs,
        "statements": 5.0,
        "kb": 8.0,
        "errors": {},
        "statuses": {"200": 400},
        **more,
    }


def run(*lines):
    machine = {"commit": "1234567", "web": "gunicorn", "load": [0.5, 0.5, 0.5]}
    return {"machine": machine, "lines": list(lines)}


def test_a_run_is_compared_with_an_earlier_one_line_by_line():
    now = run(result(rate=500.0, p95=10.0, web_ms=2.0, statements=1.0), result(clients=10))
    *_, line = report.compared(now, run(result(), result(clients=100)))
    assert line == "| board | 1 | × 10 | × 0.25 | × 0.2 | 5 → 1 |"


def test_a_line_without_one_good_answer_is_still_shown():
    nothing = dict.fromkeys(("p50", "p95", "p99", "web_ms", "statements"))
    lines = result(answers=0, rate=0.0, errors={"500": 3}, statuses={}, **nothing)
    assert report.row(lines).endswith("| 3 × 500 |")
    assert list(report.compared(run(lines), run(lines)))


def test_the_picture_shows_every_line():
    many = [result(name=name, clients=n) for name in ("home", "<board>") for n in (1, 100)]
    drawn = plot.drawn(run(*many), run(*many[:2]))
    words = "".join(ElementTree.fromstring(drawn).itertext())
    assert all(word in words for word in ("home", "<board>", "100 clients", "1234567"))


@pytest.mark.parametrize("name", INSTEAD)
def test_everything_else_is_started_with_what_was_asked(name):
    main = import_module(f"benchmarks.{name}").main
    assert list(signature(main).parameters) == ["asked"]
