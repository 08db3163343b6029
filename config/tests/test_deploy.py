"""The files of a self-hosted cluster: each is well-formed for the program that reads it."""

import gzip
import re
import shutil
import subprocess
import sys
import tarfile
import threading
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from chaos.layout import ask
from chaos.programs import PATH, Missing, Programs
from config.tests.processes import wait_for
from deploy import render
from scripts.postgres import free_port

pytestmark = pytest.mark.any_database

EXAMPLE = Path(render.__file__).parent / "example.toml"
NAMES = sorted(render.files(render.Inventory.read(EXAMPLE), dict.fromkeys(render.SECRETS, "x")))


def program(name):
    return shutil.which(name, path=PATH) or pytest.skip(f"{name} is not installed")


@pytest.fixture
def folder(tmp_path):
    """The example's configuration, with programs and folders of this machine."""
    inventory = render.Inventory.read(EXAMPLE)
    here = {
        "etc": str(tmp_path),
        "data": str(tmp_path),
        "run": str(tmp_path),
        "archive": str(tmp_path / "archive"),
        "web_bind": "127.0.0.1:8443",
        "source": str(EXAMPLE.parent.parent),
        "python": sys.executable,
        "database_user": "daemon",
        "site_user": "daemon",
        "balancer_user": "daemon",
    }
    machines = [replace(each, host="127.0.0.1") for each in inventory.machines]
    values = {**inventory.values, **here}
    render.render(replace(inventory, values=values, machines=machines), tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_no_variable_is_left_over(folder, name):
    assert not re.search(r"@\{|\{\}|None", (folder / name).read_text())


def test_a_variable_without_a_value_is_refused():
    with pytest.raises(KeyError):
        render.fill("@{nobody_knows}", {})


def test_nobody_else_can_read_the_passwords(folder):
    assert [name for name in NAMES if (folder / name).stat().st_mode & 0o077] == []


def test_rendering_again_keeps_the_passwords(folder):
    before = (folder / "secrets.json").read_text()
    assert render.kept_secrets(folder)
    assert (folder / "secrets.json").read_text() == before


def test_haproxy_accepts_its_file(folder):
    check = subprocess.run(
        [program("haproxy"), "-c", "-f", folder / "haproxy.cfg"], capture_output=True, text=True
    )
    assert check.returncode == 0, check.stderr
    assert "WARNING" not in check.stderr


class Node(SimpleHTTPRequestHandler):
    """A web node that is ready and has files."""

    def do_GET(self):
        if self.path == "/readyz":
            self.send_response(200)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def balanced(folder):
    """Start haproxy before three nodes; return its address and the folders of the nodes."""
    with ExitStack() as stack:
        folders, machines = [], []
        for number in range(1, 4):
            files = folder / f"node{number}/static"
            files.mkdir(parents=True)
            serve = partial(Node, directory=files.parent)
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), serve))
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            folders.append(files)
            machines.append(render.Machine("127.0.0.1", web_port=server.server_port))
        inventory = render.Inventory.read(EXAMPLE)
        ports = {name: f"127.0.0.1:{free_port()}" for name in inventory.values if "bind" in name}
        values = {**inventory.values, **ports, "run": str(folder)}
        render.render(replace(inventory, values=values, machines=machines), folder)
        process = subprocess.Popen([program("haproxy"), "-f", folder / "haproxy.cfg"])
        stack.callback(process.wait)
        stack.callback(process.terminate)
        address = f"http://{ports['web_bind']}"
        wait_for(lambda: ask(f"{address}/static/")[0] == 200)
        yield address, folders


def test_a_file_that_only_one_node_has_is_found_during_a_deployment(balanced):
    address, (_, _, newest) = balanced
    (newest / "new.css").write_text("a {}")
    for _ in range(6):
        assert ask(f"{address}/static/new.css") == (200, "a {}")
    assert ask(f"{address}/static/nowhere.css")[0] == 404


def test_a_file_of_the_log_is_archived_once_and_never_replaced(folder):
    """Sent again after a crash it's well; another of that name would be another cluster's."""
    segment, kept = folder / "segment", folder / "archive/log/000000010000000000000001.gz"
    segment.write_bytes(b"log" * 1000)

    def archive():
        command = [folder / "archive_log.sh", segment, kept.stem]
        return subprocess.run(command, capture_output=True).returncode == 0

    assert not archive()  # the shared folder isn't mounted
    kept.parent.mkdir(parents=True)
    assert archive()
    assert archive()
    segment.write_bytes(b"another" * 1000)
    assert not archive()
    assert gzip.decompress(kept.read_bytes()) == b"log" * 1000
    assert list(kept.parent.iterdir()) == [kept]


def test_bases_of_what_was_left_behind_are_marked_and_not_taken(folder):
    """The script alone, with stand-ins for PostgreSQL; `test_cluster` goes back for real."""
    bases, script = folder / "archive/bases", folder / "back_to1.sh"
    for name in ("20291231T000000Z.left", "20300101T000000Z", "20300102T000000Z"):
        (bases / name).mkdir(parents=True)
        with tarfile.open(bases / name / "base.tar.gz", "w:gz"):
            pass
    server = folder / "server"
    server.mkdir()
    for name, does in {"psql": "echo f", "pg_ctl": '[ "$1" = stop ]'}.items():
        (server / name).write_text(f"#!/bin/sh\n{does}\n")
        (server / name).chmod(0o700)
    script.write_text(re.sub("(?m)^server=.*$", f'server="{server}"', script.read_text()))

    def go(*words):
        return subprocess.run([script, *words], capture_output=True, text=True).stdout

    assert f"From {bases}/20300101T000000Z\n" in go("2030-01-01 12:00:00+00")
    assert "It stays." in go("take")
    marked = {"20291231T000000Z.left", "20300101T000000Z", "20300102T000000Z.left"}
    assert {base.name for base in bases.iterdir()} == marked
    shutil.rmtree(folder / "postgres1")
    assert f"From {bases}/20300101T000000Z\n" in go("latest")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_patroni_accepts_its_file(folder, number):
    check = subprocess.run(
        [program("patroni"), "--validate-config", folder / f"patroni{number}.yml"],
        capture_output=True,
        text=True,
    )
    # It also looks at what runs here, and version 3 misses what `postgresql.pg_hba` makes useless.
    said = [line for line in (check.stdout + check.stderr).splitlines() if line.strip()]
    assert [line for line in said if not HARMLESS.search(line)] == []


HARMLESS = re.compile(
    r"(bootstrap\.pg_hba +is not defined|is not reachable|didn't pass validation|already in use)"
)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("systemd/")])
def test_systemd_accepts_its_units(folder, name):
    """As an instance: `systemd-analyze verify` needs the number that a template gets."""
    try:
        Programs.find()
    except Missing as missing:
        pytest.skip(str(missing))
    unit = folder / name.replace("@", "@1")
    if "@" in name:
        shutil.copy(folder / name, unit)
    check = subprocess.run(
        [program("systemd-analyze"), "verify", "--recursive-errors=no", unit],
        capture_output=True,
        text=True,
    )
    assert (check.returncode, check.stderr) == (0, "")
