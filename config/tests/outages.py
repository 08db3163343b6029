"""A site of real processes, and twenty people who use it while its database is down."""

import logging
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
from django.conf import settings

from chaos import releases
from config import demo
from config.tests import http
from config.tests.processes import wait_for
from scripts import postgres, prepared

CLIENTS = 20
PROCESSES = 2  # few, so that ten clients queue for each
BEARABLE = 10  # seconds until everybody has an answer
PROBED = 3  # seconds until a load balancer has one
HEALED = 3  # seconds from the database's return to the last refusal
SLOWER = 3  # times as long as the slowest answer in calm may be added: others use the machine too
PAUSE = 1.0  # seconds between two requests of a client

logging.getLogger("httpx").setLevel(logging.WARNING)  # thousands of lines that nobody reads


class Site:
    def __init__(self, home, url):
        self.home, self.url = home, url

    @property
    def log(self):
        return (self.home / "web").read_text()

    def is_well(self):
        try:
            return http.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


def manage(env, *words):
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=settings.BASE_DIR, env=env, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


@contextmanager
def serving(home, database, **more):
    """Serve the demo as in production; check afterwards that no process was killed."""
    port = postgres.free_port()
    env = {
        **os.environ,
        **more,
        "DATABASE_URL": database,
        "DEBUG": "false",
        "HTTPS": "false",
        "ALLOWED_HOSTS": "127.0.0.1",
        "LISTEN": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(PROCESSES),
        "API_RATE_PER_TOKEN": "1000000",
        "API_RATE_PER_ADDRESS": "1000000",
    }
    if not releases.NOW.has_static_files:
        manage(env, "collectstatic", "--no-input")
    prepared.fill(database, env)
    manage(env, "demo", "--days", "2")
    with (home / "web").open("w") as log:
        web = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"],
            cwd=settings.BASE_DIR, env=env, stdout=log, stderr=log,
        )  # fmt: skip
    site = Site(home, f"http://127.0.0.1:{port}")
    try:
        wait_for(site.is_well)
        yield site
    finally:
        web.terminate()
        web.wait()
    assert "WORKER TIMEOUT" not in site.log
    assert "SIGKILL" not in site.log
    manage(env, "check_bookings")  # fails if something is wrong


class Booker:
    """Books and cancels, repeats until it gets an answer, and remembers what it was told."""

    def __init__(self, url, login, number):
        self.api = http.client(f"{url}/api/v1", timeout=60)
        signed_in = self.api.post(
            "/auth/token", json={"username": login, "password": demo.PASSWORD}
        )
        self.api.headers["Authorization"] = f"Bearer {signed_in.raise_for_status().json()['token']}"
        noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        starts_at = noon + timedelta(days=5)
        period = {
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
        }
        found = self.api.get("/spaces/tverskaya/availability", params=period).raise_for_status()
        self.wish = {"place": found.json()["free_places"][number]["code"], **period}
        self.told = {}  # state by code
        self.asks_again = False
        self.steps = self.rounds()

    def rounds(self):
        while True:
            key, answer = str(uuid4()), None
            while answer is None or is_still_waited_for(answer):
                headers = {"Idempotency-Key": key}
                answer = yield "POST", "/bookings", {"json": self.wish, "headers": headers}
            assert answer.status_code == 201, answer.text
            code = answer.json()["code"]
            self.told[code] = answer.json()["state"]
            answer = None
            while answer is None or answer.status_code == 503:
                answer = yield "DELETE", f"/bookings/{code}", {}

    def ask(self, previous):
        method, path, content = self.steps.send(previous)
        answer = self.api.request(method, path, **content)
        # A conflict: the previous try succeeded, and its answer was lost.
        is_cancelled = method == "DELETE" and answer.status_code in (200, 409)
        if is_cancelled:
            self.told[path.rpartition("/")[2]] = "CANCELLED"
        self.asks_again = not is_cancelled
        return answer

    def check(self):
        assert self.told
        for code, state in self.told.items():
            assert self.api.get(f"/bookings/{code}").raise_for_status().json()["state"] == state


def is_still_waited_for(answer):
    """Tell whether to send a request again: it has no answer, or its first try is still running."""
    return answer.status_code in (409, 503)


@dataclass
class Answer:
    client: int
    kind: str
    code: int
    began: float
    ended: float
    response: httpx.Response

    @property
    def took(self):
        return self.ended - self.began


class Crowd:
    """Twenty clients that keep reading, writing and probing."""

    def __init__(self, site):
        self.site, self.answers, self.stop = site, [], threading.Event()
        self.failure = None  # what a client didn't expect
        self.bookers = [Booker(site.url, login, n) for n, login in enumerate(demo.LOGINS)]
        self.threads = [threading.Thread(target=self.run, args=[n]) for n in range(CLIENTS)]

    def run(self, number):
        try:
            self.keep_asking(number)
        except Exception as error:  # whatever it is, the test fails with it
            self.failure = error

    def keep_asking(self, number):
        kinds = ["page", "api", "sign-in", "ready", "alive"]
        kind = "book" if number < len(self.bookers) else kinds[number % len(kinds)]
        response = None
        with http.client(self.site.url, timeout=60) as client:
            # Bookers stop between two rounds, when everything has been answered.
            while not self.stop.is_set() or (kind == "book" and self.bookers[number].asks_again):
                began = time.monotonic()
                if kind == "book":
                    response = self.bookers[number].ask(response)
                else:
                    response = self.ask(client, kind)
                ended = time.monotonic()
                code = response.status_code
                self.answers.append(Answer(number, kind, code, began, ended, response))
                time.sleep(PAUSE)

    def ask(self, client, kind):
        if kind == "sign-in":
            body = {"username": "nobody", "password": "wrong-password"}
            return client.post("/api/v1/auth/token", json=body)
        path = {"page": "/", "api": "/api/v1/spaces", "ready": "/readyz", "alive": "/healthz"}
        return client.get(path[kind])

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def wait_for(self, condition):
        """Wait for something, as long as every client is there to see it."""
        wait_for(lambda: self.failure or condition())
        if self.failure:
            raise self.failure

    def were_all_answered(self, times, since):
        """Tell whether each client has this many answers to requests since then."""
        count = Counter(answer.client for answer in self.answers if answer.began > since)
        return all(count[number] >= times for number in range(CLIENTS))

    def were_all_served(self, times, since, *, but):
        """Tell whether each, with exceptions, has this many answers that aren't refusals."""
        count = Counter(a.client for a in self.answers if a.began > since and a.code != 503)
        return all(count[number] >= times for number in range(CLIENTS) if number not in but)

    def are_all_well(self, times, since):
        """Tell whether each has this many answers since then, the last of which aren't refusals."""
        refused = [answer.ended for answer in self.answers if answer.code == 503]
        return self.were_all_answered(times, max([since, *refused]))

    def refused(self, since):
        return [answer for answer in self.answers if answer.code == 503 and answer.ended > since]


def tell(line):
    """Print the measurements: pytest shows them on failure, or with -rP."""
    sys.stdout.write(f"{line}\n")


def survive(site, outage, *, seconds=0, is_noticed=True):
    """Let a crowd live through an outage, and compare its answers with the promises.

    The outage is a context manager that yields a function: is the database back? It lasts until
    everybody was answered three times, and for that many seconds. Somebody must have been refused,
    unless it may be over before anybody asks (`is_noticed`). The time the machine takes with
    nothing amiss is added to every promise, times SLOWER.
    """
    with Crowd(site) as crowd:
        crowd.wait_for(lambda: crowd.were_all_answered(3, since=0))
        with outage as is_back:
            began = time.monotonic()
            crowd.wait_for(lambda: crowd.refused(since=began) or not is_noticed)
            crowd.wait_for(lambda: crowd.were_all_answered(3, since=began))
            crowd.wait_for(lambda: time.monotonic() > began + seconds)
        crowd.wait_for(is_back)
        returned = time.monotonic()
        crowd.wait_for(lambda: crowd.are_all_well(3, since=returned))
    well_at = max([returned, *(answer.ended for answer in crowd.refused(since=returned))])
    calm = [answer for answer in crowd.answers if answer.ended < began or answer.began > well_at]
    margin = SLOWER * max(answer.took for answer in calm)
    during = [answer for answer in crowd.answers if answer.ended > began]
    check_answers(during, margin)
    healed = well_at - returned
    tell(f"last refusal {healed:.2f} s after the return; {margin:.2f} s allowed to the machine")
    for kind in sorted({answer.kind for answer in during}):
        slowest = max(answer.took for answer in during if answer.kind == kind)
        codes = dict(Counter(answer.code for answer in during if answer.kind == kind))
        tell(f"{kind}: {codes}, the slowest in {slowest:.2f} s")
    assert healed < HEALED + margin
    for booker in crowd.bookers:
        booker.check()


def check_answers(answers, margin):
    assert {answer.code for answer in answers} <= {200, 201, 401, 409, 429, 503}, Counter(
        (answer.kind, answer.code) for answer in answers
    )
    for answer in answers:
        promised = PROBED if answer.kind in ("ready", "alive") else BEARABLE
        assert answer.took < promised + margin, (answer, margin)
        if answer.kind == "alive":
            assert answer.code == 200
        elif answer.code == 503 and answer.kind != "ready":
            headers = answer.response.headers
            assert int(headers["Retry-After"]) > 0
            kind_of_text = "text/html" if answer.kind == "page" else "application/problem"
            assert headers["Content-Type"].startswith(kind_of_text)
