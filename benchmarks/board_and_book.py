"""How fast the board and a booking are, for one member and for a hundred at once.

    python -m benchmarks.board_and_book

Starts a throwaway PostgreSQL that writes to the disk, fills it with the demo data, serves it as
production does, and plays signed-in members from another process on the same machine. Afterwards
every acknowledged booking must be there, and `check_bookings` must find nothing. Two minutes or so.
"""

import json
import os
import platform
import random
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.cookies import SimpleCookie
from itertools import batched, cycle, islice, product
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode

import django

from scripts import postgres

ROOT = Path(__file__).resolve().parent.parent
LOG = ROOT / "var/benchmark.log"  # the web processes' errors
MEMBERS = 100
PAUSE = 2  # seconds between a person's clicks, where people pause
TOKEN = "benchmark0benchmark0benchmark000"  # a CSRF token is in the cookie and in the form
HEADINGS = ("what", "members", "requests/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "errors")


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="for each line of the table")
    seconds = parser.parse_args().seconds
    with postgres.server(durable=True) as url, free_port() as port:
        os.environ |= {
            "DATABASE_URL": url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SECRET_KEY": "a-key-for-benchmarks-that-signs-nothing-which-matters-0123456789",
            "DEBUG": "false",
            "HTTPS": "false",  # the benchmark speaks plain HTTP on loopback
            "ALLOWED_HOSTS": "127.0.0.1",
            "TRUSTED_PROXIES": "0",
            "PORT": str(port),
            "LISTEN": "127.0.0.1",
        }
        manage("migrate", "--verbosity", "0")
        manage("demo")
        manage("collectstatic", "--no-input", "--clear", "--verbosity", "0")
        django.setup()
        members = sign_in(MEMBERS)
        print(machine())
        print(line(HEADINGS))
        print(line(["---", *["---:"] * (len(HEADINGS) - 1)]))
        acknowledged: list[str] = []
        with gunicorn(port) as server:
            for name, people, pause, requests, again, good in scenarios(members, port):
                plan = {"port": port, "seconds": seconds, "pause": pause, "cycle": again}
                before = cpu_seconds(server)
                done = load(plan | {"people": requests})
                print(row(name, people, done, good, cpu_seconds(server) - before), flush=True)
                acknowledged += [
                    answer["location"] for answer in done["answers"] if answer["status"] == 302
                ]
        print(f"\n{lost(acknowledged)}")
        manage("check_bookings")


# --- Setting up -----------------------------------------------------------------------------------


@contextmanager
def free_port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    yield port


def manage(*arguments: str) -> None:
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, check=True)


@contextmanager
def gunicorn(port: int) -> Iterator[int]:
    """Serve as production does until the block ends; yield the process id."""
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stderr=log)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            assert process.poll() is None, "gunicorn did not start"
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_seconds(server: int) -> float:
    """Return what the web processes have used so far. Says more than times on a busy machine."""
    used = 0
    for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        used += int(fields[11]) + int(fields[12])  # user and kernel mode
    return used / os.sysconf("SC_CLK_TCK")


def sign_in(count: int) -> list[str]:
    """Create members with sessions, and return their cookies. Hashing passwords is not measured."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from accounts.models import User
    from accounts.sessions import SessionStore
    from spaces.models import Policy

    # The quota is still counted for each booking; it just isn't reached.
    Policy.objects.update(max_upcoming=1000, max_days_ahead=120)
    cookies = []
    for n in range(count):
        user = User.objects.create_user(f"load{n}", password=None)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        cookie = SimpleCookie({"sessionid": session.session_key, "csrftoken": TOKEN})
        cookies.append("; ".join(f"{name}={morsel.value}" for name, morsel in cookie.items()))
    return cookies


def machine() -> str:
    from importlib.metadata import version

    from django.conf import settings
    from django.db import connection

    from spaces.models import Place

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = cursor.fetchone()[0].split()[0]
    load = " ".join(f"{number:.1f}" for number in os.getloadavg())
    places = Place.objects.filter(space__slug="tverskaya").count()
    workers = os.environ.get("WEB_CONCURRENCY") or min(2 * (os.cpu_count() or 1) + 1, 9)
    connection.close()
    assert not settings.DEBUG
    return (
        f"{os.cpu_count()} cores, shared with the clients; load average at the start {load}.\n"
        f"Python {platform.python_version()}, Django {django.__version__}, PostgreSQL {server} "
        f"(fsync on), gunicorn {version('gunicorn')} with {workers} processes.\n"
        f"The board shows {places} places on a busy day of the demo data.\n"
    )


# --- Requests -------------------------------------------------------------------------------------


def scenarios(members: list[str], port: int) -> Iterator[tuple]:
    """Yield name, people, pause, each one's requests, whether they repeat, and good statuses."""
    board = [[get(port, cookie, board_path())] for cookie in members]
    free = iter(free_hours())

    def bookings(people: int, each: int) -> list[list[str]]:
        """Every request asks for a different hour."""
        return [
            [post(port, cookie, *hour) for hour in islice(free, each)]
            for cookie in members[:people]
        ]

    def bookings_in_turn(count: int) -> list[list[str]]:
        """One request at a time, from all members in turn."""
        hours = islice(free, count)
        return [
            [post(port, cookie, *hour) for cookie, hour in zip(cycle(members), hours, strict=False)]
        ]

    def contested(each: int) -> list[list[str]]:
        """Everybody wants one of the same 60 hours."""
        hours = list(islice(free, 60))
        return [
            [post(port, cookie, *random.choice(hours)) for _ in range(each)] for cookie in members
        ]

    yield "board", 1, 0, board[:1], True, {200}
    yield "board", MEMBERS, 0, board, True, {200}
    yield f"board, a look every {PAUSE} s", MEMBERS, PAUSE, board, True, {200}
    yield "booking", 1, 0, bookings_in_turn(2500), False, {302}
    yield "booking", MEMBERS, 0, bookings(MEMBERS, 40), False, {302}
    yield f"booking, one every {PAUSE} s", MEMBERS, PAUSE, bookings(MEMBERS, 10), False, {302}
    yield "booking, all want the same", MEMBERS, 0, contested(40), False, {302, 409}


def board_path() -> str:
    from django.utils import timezone

    day = timezone.localdate() + timedelta(days=1)
    query = urlencode({"date": str(day), "from": "13:00", "to": "15:00", "party": 1})
    return f"/spaces/tverskaya/?{query}"


def free_hours() -> list[tuple[str, str, str]]:
    """Return hours of desks, in the coming weeks, that nobody has booked."""
    from django.utils import timezone

    from spaces.models import Place

    places = Place.objects.filter(space__slug="tverskaya", kind="DESK").values_list("code")
    days = [timezone.localdate() + timedelta(days=n) for n in range(10, 45)]
    hours = [
        (str(code), f"{day}T{hour}:00", f"{day}T{hour + 1}:00")
        for (code,), day, hour in product(places, days, range(10, 20))
    ]
    random.Random(1).shuffle(hours)
    return hours


def get(port: int, cookie: str, path: str) -> str:
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        "Accept-Language: en\r\nConnection: close\r\n\r\n"
    )


def post(port: int, cookie: str, place: str, starts_at: str, ends_at: str) -> str:
    body = urlencode(
        {
            "csrfmiddlewaretoken": TOKEN,
            "place": place,
            "starts_at": starts_at,
            "ends_at": ends_at,
            "party_size": 1,
            "request_key": random.randbytes(12).hex(),
        }
    )
    return (
        f"POST /bookings/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nAccept-Language: en\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    )


# --- Results --------------------------------------------------------------------------------------


def load(plan: dict) -> dict:
    """Run a plan in another process."""
    program = [sys.executable, str(ROOT / "benchmarks/load.py")]
    done = subprocess.run(program, input=json.dumps(plan), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def row(name: str, people: int, done: dict, good: set[int], cpu: float) -> str:
    answers = done["answers"]
    cuts = quantiles((answer["seconds"] * 1000 for answer in answers), n=100)
    wrong = Counter(answer["status"] for answer in answers if answer["status"] not in good)
    if 409 in good:
        won = sum(answer["status"] == 302 for answer in answers)
        name += f": {won} won, {len(answers) - won - wrong.total()} were told so"
    errors = ", ".join(f"{count} × {status}" for status, count in wrong.items()) or "0"
    rate, cpu_each = len(answers) / done["seconds"], cpu * 1000 / len(answers)
    numbers = [f"{number:.0f}" for number in (rate, cuts[49], cuts[94], cuts[98], cpu_each)]
    return line([name, str(people), *numbers, errors])


def line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def lost(acknowledged: list[str]) -> str:
    """Compare what clients were told with what is in the database."""
    from bookings.models import Booking

    codes = [path.split("/")[2] for path in acknowledged]
    kept = sum(
        Booking.objects.filter(code__in=some, state="CONFIRMED").count()
        for some in batched(codes, 1000)
    )
    return f"Bookings acknowledged: {len(codes)}, of which lost: {len(codes) - kept}"


if __name__ == "__main__":
    main()
