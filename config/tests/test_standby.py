"""A real standby is read while the primary hangs or is dead, and takes over once promoted."""

import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from config import demo
from config.tests import http
from config.tests.outages import serving
from config.tests.processes import wait_for
from config.tests.standbys import crash, frozen, has_caught_up, standby_of
from scripts import postgres

pytestmark = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no replicas")

SIGN = 'id="as-of"'
BOARD = "/spaces/tverskaya/"


@pytest.fixture
def primary():
    with postgres.own_server(durable=True) as server:
        yield server


@pytest.fixture
def standby(primary):
    with standby_of(primary) as server:
        yield server


@pytest.fixture
def site(primary, standby, tmp_path):
    """Serve on both, whichever is the primary."""
    both = f"postgres://postgres@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/mesto"
    with serving(tmp_path, both, REPLICA_URL=standby.url) as site:
        yield site


@pytest.fixture
def member(site):
    """Return a browser that is signed in."""
    with http.client(site.url) as browser:
        token = token_in(browser.get("/accounts/login/"))
        login = {"username": demo.LOGINS[0], "password": demo.PASSWORD}
        signed_in = browser.post(
            "/accounts/login/", data={**login, "csrfmiddlewaretoken": token, "next": "/bookings/"}
        )
        assert signed_in.status_code == 302, signed_in.text
        yield browser


@pytest.fixture
def program(site):
    with http.client(f"{site.url}/api/v1") as asking:
        login = {"username": demo.LOGINS[0], "password": demo.PASSWORD}
        token = asking.post("/auth/token", json=login).raise_for_status().json()["token"]
        asking.headers["Authorization"] = f"Bearer {token}"
        yield asking


def token_in(page):
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]


def wishes(program):
    """Return bodies for places that are free now, all at one time."""
    noon = datetime.now(UTC).replace(hour=11, minute=0, second=0, microsecond=0)
    starts_at = noon + timedelta(days=5)
    period = {
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
    }
    found = program.get("/spaces/tverskaya/availability", params=period).raise_for_status().json()
    return [{"place": place["code"], **period} for place in found["free_places"]]


def book(program, wish, key):
    return program.post("/bookings", json=wish, headers={"Idempotency-Key": key})


def book_in_the_end(program, wish, key):
    """Ask again while a process still rests from an outage, as programs do."""
    wait_for(lambda: book(program, wish, key).status_code != 503)
    return book(program, wish, key)


def check_it_is_read_only(member, program, wish):
    for path in ("/", BOARD, "/bookings/", "/bookings/history/", "/accounts/profile/"):
        page = member.get(path)
        assert (page.status_code, SIGN in page.text) == (200, True), path
        assert datetime.fromisoformat(page.headers["Data-As-Of"]) <= datetime.now(UTC)
    for path in ("/spaces", "/spaces/tverskaya", "/bookings"):
        answer = program.get(path)
        assert (answer.status_code, "Data-As-Of" in answer.headers) == (200, True), path
    form = {"place": wish["place"], "request_key": "page", "note": "By the window"}
    refused = member.post("/bookings/", data=form)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert "By the window" in refused.text
    refused = book(program, wish, "while there is no primary")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert refused.json()["code"] == "unavailable"
    assert program.get("/events").status_code == 503
    login = {"username": demo.LOGINS[0], "password": demo.PASSWORD}
    assert program.post("/auth/token", json=login).status_code == 503
    assert member.get("/readyz").status_code == 503
    assert member.get("/healthz").status_code == 200


def is_whole(member):
    """Tell whether pages are up to date, in whichever process."""
    pages = [member.get(BOARD) for _ in range(6)]
    return all(page.status_code == 200 and SIGN not in page.text for page in pages)


def test_a_primary_that_hangs_and_then_dies(site, primary, standby, member, program):
    first, second, *_others = wishes(program)
    assert book(program, first, "first").status_code == 201
    wait_for(lambda: has_caught_up(primary, standby))
    with frozen(primary):
        wait_for(lambda: SIGN in member.get("/").text)
        check_it_is_read_only(member, program, second)
    wait_for(lambda: is_whole(member))

    with psycopg.connect(standby.url, autocommit=True) as following:
        following.execute("SELECT pg_wal_replay_pause()")
        wait_for(lambda: state(following) == "paused")
        made = book_in_the_end(program, second, "second")
        assert made.status_code == 201
        wait_for(lambda: has_caught_up(primary, standby, by="receive"))
        crash(primary)
        wait_for(lambda: "Data-As-Of" in program.get("/spaces").headers)
        check_it_is_read_only(member, program, first)
        # The standby has the booking, and doesn't show it yet: it says up to when it is right.
        address = f"/bookings/{made.json()['code']}"
        old = program.get("/bookings").headers["Data-As-Of"]
        assert program.get(address).status_code == 404
        following.execute("SELECT pg_wal_replay_resume()")
        wait_for(lambda: program.get(address).status_code == 200)
        assert program.get("/bookings").headers["Data-As-Of"] >= old
        following.execute("SELECT pg_promote()")

    wait_for(lambda: is_whole(member))
    wait_for(lambda: program.get("/events").status_code == 200)
    again = book_in_the_end(program, second, "second")
    assert again.json() == made.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert program.delete(address).status_code == 200
    assert book_in_the_end(program, second, "third").status_code == 201


def state(following):
    return following.execute("SELECT pg_get_wal_replay_pause_state()").fetchone()[0]
