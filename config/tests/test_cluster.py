"""A whole cluster: what was confirmed survives the primary, and one books again soon after."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from chaos import programs
from chaos.cluster import ROOT, Cluster
from chaos.programs import Missing, Programs
from config.demo import PASSWORD

pytestmark = pytest.mark.any_database


@pytest.fixture
def cluster():
    try:
        Programs.find()
    except Missing as missing:
        pytest.skip(str(missing))
    # Not pytest's own folder, which only root may enter.
    home = Path(tempfile.mkdtemp(prefix="mesto-cluster-"))
    try:
        with Cluster(home, webs=2, workers=1) as running:
            yield running
    finally:
        shutil.rmtree(home)


def book(client, body, key):
    """Return the status of a booking request."""
    try:
        answer = client.post("/api/v1/bookings", json=body, headers={"Idempotency-Key": key})
    except httpx.TransportError:
        return 0
    return answer.status_code


def test_bookings_go_on_without_the_primary_and_without_a_web_node(cluster):
    with httpx.Client(base_url=cluster.site, timeout=15) as client:
        login = {"username": "member", "password": PASSWORD}
        token = client.post("/api/v1/auth/token", json=login).raise_for_status().json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        bodies = free(client)
        assert book(client, next(bodies), "before") == 201

        body = next(bodies)
        lost = cluster.primary()
        cluster.kill(f"postgres{lost}")

        cluster.wait("a booking to be answered", lambda: book(client, body, "after") in (200, 201))
        assert cluster.primary() not in (lost, None)
    assert seen_while_it_stops(cluster, "web1") == {200}
    assert cluster.state("web1") == "gone"
    check = subprocess.run(
        [sys.executable, "manage.py", "check_bookings"],
        cwd=ROOT,
        env={**os.environ, **cluster.settings},
        capture_output=True,
        text=True,
    )
    assert check.returncode == 0, check.stdout + check.stderr


def seen_while_it_stops(cluster, name):
    """Return what the site answers until a web node has stopped, each request once."""
    stopping = threading.Thread(target=cluster.terminate, args=[name])
    stopping.start()
    seen = set()
    while stopping.is_alive():
        seen.add(httpx.get(f"{cluster.site}/healthz").status_code)
    return seen


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
