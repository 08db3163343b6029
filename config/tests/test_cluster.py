"""A whole cluster goes back to an earlier moment; `make chaos` shows what else it survives."""

import shutil
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from chaos import going_back, programs
from chaos.cluster import Cluster
from chaos.operating import Operator, count
from chaos.programs import Missing, Programs
from config.demo import PASSWORD

pytestmark = pytest.mark.any_database


@pytest.fixture
def cluster():
    """A whole one with an archive."""
    try:
        Programs.find()
    except Missing as missing:
        pytest.skip(str(missing))
    # Not pytest's own folder, which only root may enter.
    home = Path(tempfile.mkdtemp(prefix="mesto-cluster-"))
    try:
        with Cluster(home, webs=1, workers=1, archived=True) as running:
            going_back.copy(Operator(running))
            yield running
    finally:
        shutil.rmtree(home)


@contextmanager
def signed_in(cluster, username):
    """Yield a client of the site."""
    with httpx.Client(base_url=cluster.site, timeout=15) as client:
        login = {"username": username, "password": PASSWORD}
        token = client.post("/api/v1/auth/token", json=login).raise_for_status().json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def book(client, body, key):
    """Return the status of a booking request."""
    try:
        answer = client.post("/api/v1/bookings", json=body, headers={"Idempotency-Key": key})
    except httpx.TransportError:
        return 0
    return answer.status_code


def test_a_wrong_command_is_undone_by_going_back_to_the_moment_before(cluster):
    """From a copy that may be of another primary; `check_bookings` is a step of the play."""
    cluster.wait("everything to be replicated", cluster.is_replicated)
    with signed_in(cluster, "manager") as client:
        bodies = free(client)
        assert book(client, next(bodies), "kept") == 201
        bookings = count(cluster)
        with psycopg.connect(cluster.database) as connection:
            [moment] = connection.execute("SELECT clock_timestamp()").fetchone()
        later = next(bodies)
        assert book(client, later, "left-behind") == 201
    with psycopg.connect(cluster.database) as connection:
        connection.execute("TRUNCATE bookings_booking CASCADE")

    going_back.to(Operator(cluster), moment)

    assert count(cluster) == bookings
    with signed_in(cluster, "manager") as client:
        assert book(client, later, "once-more") == 201


def free(client):
    """Yield what could be booked, each at another place and time."""
    today = datetime.now(UTC).replace(hour=11, minute=0, second=0, microsecond=0)
    for space in client.get("/api/v1/spaces").raise_for_status().json()["items"]:
        for days in range(1, 8):
            times = {
                "starts_at": (today + timedelta(days=days)).isoformat(),
                "ends_at": (today + timedelta(days=days, hours=2)).isoformat(),
            }
            address = f"/api/v1/spaces/{space['slug']}/availability"
            found = client.get(address, params=times).raise_for_status().json()
            for place in found["free_places"]:
                yield {"place": place["code"], **times}


def test_what_is_missing_is_named_with_the_way_to_get_it(monkeypatch):
    monkeypatch.setattr(programs, "PATH", "/nowhere")
    with pytest.raises(Missing, match=r"(?s)patroni, etcd, haproxy.*apt-get install .*etcd-server"):
        Programs.find()
