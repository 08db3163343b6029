"""An upgrade under load: both releases serve one database while it is migrated."""

import json
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from itertools import count

import httpx
import pytest
from django.conf import settings
from django.db import connection

from chaos import releases
from chaos.programs import PATH
from config.tests import http
from config.tests.processes import PATIENCE, wait_for
from scripts import postgres

pytestmark = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time"
)

MEMBERS = 3
PAUSE = 0.1  # seconds of a member's between two bookings
TRIES = 50  # of a client, which may be told to ask again while a table is changed
SCENE = f"""
import json
from datetime import timedelta
from django.utils import timezone
from accounts.factories import UserFactory
from bookings.tests.programs import token
from spaces.factories import open_space
places = list(open_space(places={MEMBERS}).places.all())
tokens = [token(UserFactory.create(username=f"member{{place.pk}}")) for place in places]
at = (timezone.now() + timedelta(days=2)).replace(hour=10, minute=0, second=0, microsecond=0)
print("scene", json.dumps([tokens, [str(place.code) for place in places], at.isoformat(),
      (at + timedelta(hours=1)).isoformat()]))
"""


@pytest.fixture(scope="module")
def earlier():
    """Return the release before, which is built once and kept: a commit doesn't change."""
    if not releases.NOW.has_static_files:
        releases.NOW.build()
    try:
        return releases.before(settings.VAR_DIR)
    except releases.NoRelease as why:
        pytest.skip(str(why))


@contextmanager
def node(release, given):
    """Serve with the code of a release, and stop as a deployment does."""
    port = postgres.free_port()
    env = {
        "PATH": PATH,
        "LC_ALL": "C.UTF-8",
        **given,
        "LISTEN": "127.0.0.1",
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
        "API_RATE_PER_TOKEN": "1000000",
        "API_RATE_PER_ADDRESS": "1000000",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
    process = subprocess.Popen(
        command, cwd=release.folder, env=env,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: process.poll() is not None or is_ready(url))
        assert process.poll() is None
        yield url
    finally:
        process.terminate()
        process.wait()


def is_ready(url):
    try:
        return http.get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


class Crowd:
    """Members who book and cancel; each asks again, at another node, when it gets no answer."""

    def __init__(self, scene):
        tokens, places, self.starts_at, self.ends_at = scene
        self.nodes, self.is_over = [], threading.Event()
        self.booked, self.failures, self.turns = [], [], count()
        self.threads = [
            threading.Thread(target=self.act, args=each)
            for each in zip(tokens, places, strict=True)
        ]

    def ask(self, asking, method, path, **given):
        turn = next(self.turns)  # so that one release cancels what the other booked
        for attempt in range(turn, turn + TRIES):
            nodes = [*self.nodes]
            try:
                answer = asking.request(method, nodes[attempt % len(nodes)] + path, **given)
            except httpx.TransportError:
                continue
            if answer.status_code < 500:
                return answer
            self.is_over.wait(0.2)
        raise AssertionError(f"{method} {path} was never answered")

    def act(self, token, place):
        wish = {"place": place, "starts_at": self.starts_at, "ends_at": self.ends_at}
        with http.client("", headers={"Authorization": f"Bearer {token}"}) as asking:
            try:
                for number in count():
                    if self.is_over.is_set():
                        return
                    key = {"Idempotency-Key": f"{place}-{number}"}
                    made = self.ask(
                        asking, "POST", "/api/v1/bookings",
                        json={**wish, "party_size": 1}, headers=key,
                    )  # fmt: skip
                    assert made.status_code in {200, 201}, made.text
                    gone = self.ask(asking, "DELETE", f"/api/v1/bookings/{made.json()['code']}")
                    assert gone.status_code in {200, 409}, gone.text  # asked twice: it is gone
                    self.booked.append(made.json()["code"])
                    self.is_over.wait(PAUSE)
            except Exception as error:  # whatever it is, the test shows it
                self.failures.append(repr(error))
                raise

    def go_on(self):
        enough = len(self.booked) + 2 * MEMBERS
        wait_for(lambda: len(self.booked) >= enough or self.failures)
        assert self.failures == []

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


def test_nobody_misses_anything_while_both_releases_run(earlier):
    with postgres.own_server() as own, ExitStack() as stack:
        given = {**releases.BUILDING, "DATABASE_URL": own.url, "ALLOWED_HOSTS": "127.0.0.1",
                    "HTTPS": "false", "DEBUG": "false"}  # fmt: skip
        done = earlier.manage("migrate", "--no-input", settings=given)
        assert done.returncode == 0, done.stdout
        made = earlier.manage("shell", "-c", SCENE, settings=given).stdout
        [scene] = [line for line in made.splitlines() if line.startswith("scene ")] or [made]
        old = ExitStack()
        stack.callback(old.close)
        crowd = Crowd(json.loads(scene.removeprefix("scene ")))
        crowd.nodes.append(old.enter_context(node(earlier, given)))
        with crowd:
            crowd.go_on()
            migrate = subprocess.run(
                [sys.executable, "manage.py", "migrate", "--no-input"],
                cwd=releases.ROOT,
                env={"PATH": PATH, **given},
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            assert migrate.returncode == 0, migrate.stdout + migrate.stderr
            crowd.go_on()  # the release before, on the tables of this one
            crowd.nodes.append(stack.enter_context(node(releases.NOW, given)))
            crowd.go_on()
            crowd.nodes.pop(0)
            old.close()
            crowd.go_on()
        assert crowd.failures == []
        checked = releases.NOW.manage("check_bookings", settings=given)
        assert checked.returncode == 0, checked.stdout
